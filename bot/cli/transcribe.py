"""`parley transcribe FILE…`: recordings to text and captions, as clips in Slack are, into the same ledger.

Takes what Whisper's own command takes: `--language Japanese`, `--task translate`, `--output_format srt`,
`--output_dir captions`.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict
from functools import partial
from pathlib import Path

from bot.cli import whisper_options
from bot.cli.standalone import open_standalone
from bot.core.errors import SetupError
from bot.core.settings import Settings
from bot.ops.control_socket import is_running, lines_from_running
from bot.text import languages
from bot.text.file_names import escape_unseen, show_name
from bot.voice import captions, clip_card
from bot.voice.clip_card import ClipCard
from bot.voice.decoding import Progress
from bot.voice.local_files import FileTranscriber, TranscribeFile, TranscriptionOrder
from bot.voice.recognition import format_minutes

BAR = 30


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Files, languages, formats."""
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="a recording or a video")
    parser.add_argument("--language", type=_language, help="ja or Japanese; default: detected")
    parser.add_argument("--model", help="instead of PARLEY_SPEECH_MODEL; local:small runs on this machine")
    parser.add_argument(
        "--vocabulary",
        "--initial-prompt",
        "--initial_prompt",
        default="",
        help="names and words to expect, separated by commas",
    )
    parser.add_argument(
        "--task",
        choices=("transcribe", "translate"),
        default="transcribe",
        help="translate: into English (default: transcribe)",
    )
    parser.add_argument(
        "--format",
        "-f",
        "--output-format",
        "--output_format",
        choices=("txt", *captions.FORMATS, "all"),
        default="text",
        metavar="FORMAT",
        help="txt or text, srt, vtt, tsv, json, or all of them (default: text)",
    )
    parser.add_argument(
        "--output-dir",
        "-o",
        "--output_dir",
        type=Path,
        metavar="DIR",
        help="a file for each recording there, instead of the terminal",
    )
    whisper_options.add_arguments(parser)


async def run(args: argparse.Namespace, settings: Settings) -> int:
    """1 when one of the files could not be transcribed; the others are."""
    if args.format == "all" and not args.output_dir:
        raise SetupError(["--format all makes several files: say where with --output-dir"])
    if args.model:
        args.model = whisper_options.name_model(args.model, settings)
    for line in whisper_options.explain_ignored(args):
        print(f"parley: {line}", file=sys.stderr)
    files = [path for path in args.files if path.exists()]
    failed = int(len(files) < len(args.files))
    for path in args.files:
        if path not in files:
            print(f"parley: {_shown(path)}: there is no such file", file=sys.stderr)
    if not files:
        return failed
    async with open_transcriber(settings) as transcribe_file:
        for path in files:
            found = await transcribe_file(_order(path, args, settings), _bar(show_name(path.name)))
            if isinstance(found, ClipCard):
                _write(found, path, args)
            else:
                failed = 1
                print(f"parley: {_shown(path)}: {escape_unseen(found)}", file=sys.stderr)
    return failed


@asynccontextmanager
async def open_transcriber(settings: Settings) -> AsyncIterator[TranscribeFile]:
    """The running bot's, or with a provider and a ledger of its own for this one command."""
    if await is_running(settings):
        yield partial(transcribe_there, settings)
        return
    async with open_standalone(settings) as alone:
        yield FileTranscriber(
            settings, alone.engine, alone.provider, prices=alone.prices, calendar=alone.calendar
        ).transcribe


async def transcribe_there(
    settings: Settings, order: TranscriptionOrder, progress: Progress
) -> ClipCard | str:
    """Asks the running bot, which tells how far it is until it is done."""
    async for line in lines_from_running(settings, "/transcribe", asdict(order)):
        if "card" in line:
            return clip_card.load_card(line["card"])
        if "problem" in line:
            return str(line["problem"])
        progress(line["done_s"], line["total_s"])
    return "the running bot ended before it was done; it goes on from there when asked again"


def _order(path: Path, args: argparse.Namespace, settings: Settings) -> TranscriptionOrder:
    return TranscriptionOrder(
        str(path.absolute()),
        args.model or settings.speech_model,
        spoken=(args.language,) if args.language else (),
        vocabulary=tuple(word.strip() for word in args.vocabulary.split(",") if word.strip()),
        english=args.task == "translate",
    )


def _write(card: ClipCard, path: Path, args: argparse.Namespace) -> None:
    english = args.task == "translate" and bool(card.english)
    if not card.has_words:
        print(f"parley: {_shown(path)}: nothing is said in it", file=sys.stderr)
    if card.cut:
        print(f"parley: {_shown(path)}: {card.what_is_missing}", file=sys.stderr)
    wanted = "text" if args.format == "txt" else args.format
    formats = list(captions.FORMATS) if wanted == "all" else [wanted]
    for name in formats:
        text = captions.FORMATS[name](card, english=english)
        if args.output_dir:
            _write_file(args.output_dir, f"{path.stem}{captions.ENDINGS[name]}", text)
        else:
            print(text, end="")


def _write_file(folder: Path, name: str, text: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text, "utf-8")
    except OSError as exc:
        raise SetupError([f"--output-dir: cannot write {folder / name}: {exc.strerror}"]) from exc


def _shown(path: Path) -> str:
    return escape_unseen(str(path))


def _bar(name: str) -> Progress:
    def show(done_s: float, total_s: float) -> None:
        full = int(BAR * done_s / total_s) if total_s else 0
        end = "\n" if done_s >= total_s else ""
        line = f"\r{name} [{'#' * full}{'.' * (BAR - full)}] {format_minutes(done_s, total_s)}"
        print(line, end=end, file=sys.stderr, flush=True)

    return show if sys.stderr.isatty() else lambda done_s, total_s: None


def _language(given: str) -> str:
    code = languages.code(given)
    if not code:
        raise argparse.ArgumentTypeError(f"{given!r} is not the name or code of a known language")
    return code
