"""`parley estimate`: what a text, a recording, hours of speech or a training set would cost, per model."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot.core.errors import NotUnderstood, SetupError
from bot.core.settings import Settings
from bot.costs import pricing
from bot.costs.amounts import dollars
from bot.costs.estimate import (
    EPOCHS,
    HOUR,
    MODELS,
    Estimate,
    Estimator,
    describe_wait,
    list_speech_models,
    speech_usage,
)
from bot.costs.model_names import find_model, list_configured
from bot.costs.pricing import Prices, is_local
from bot.text.durations import read_duration
from bot.voice.containers import CONTAINERS, detect_container
from bot.voice.decoding import DecodingLimits, decode_file

WHAT_TO_NAME = "name a text, a recording, a training set (.jsonl), or --hours N"
LONGEST_S = 24 * 3600.0
_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A file or hours; models to compare."""
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help="a text, a recording or film, or a training set ending in .jsonl",
    )
    parser.add_argument(
        "--hours",
        type=_hours,
        metavar="N",
        default=0.0,
        help="speech or film instead of a file: hours, or a time like 90min",
    )
    parser.add_argument(
        "--train",
        type=Path,
        metavar="SET",
        help="a training set (.jsonl): what it costs to train with it, and then to use the trained model for "
        "FILE or --hours",
    )
    parser.add_argument("--model", action="append", help="a model to compare; may be repeated")
    parser.add_argument(
        "--epochs",
        type=_epochs,
        metavar="N",
        default=EPOCHS,
        help=f"how often a training set is read (default: {EPOCHS})",
    )


async def run(args: argparse.Namespace, settings: Settings) -> int:
    prices = pricing.read_prices(settings)
    now = datetime.now(UTC)
    models = _named_models(args.model or (), prices, settings, now) or list(
        dict.fromkeys((settings.model, *MODELS))
    )
    estimator = Estimator(prices, now, models, in_use=(settings.model, settings.speech_model))
    training = args.train or (args.file if args.hours and args.file else None)
    hours = args.hours or await _hours_of(args.file)
    if training:
        found = _of_training(training, hours, args, estimator)
    elif hours:
        listening = models if args.model else list_speech_models(settings.speech_model)
        found = estimator.estimate_transcription(hours, listening) + estimator.estimate_analysis(hours)
    else:
        found = _of_text(args, estimator, settings)
    print("\n".join(shown(found)))
    if hours:
        print(describe_wait(hours))
    return 0


def _hours(given: str) -> float:
    """A plain number is hours, also with three decimals; everything else is read as in Slack."""
    try:
        if _NUMBER.fullmatch(given) and float(given) > 0:
            return float(given)
        return read_duration(given, bare="hours") / HOUR
    except NotUnderstood as exc:
        raise argparse.ArgumentTypeError(f"{given!r}: {exc.hint}") from exc


def _epochs(given: str) -> int:
    if not given.isdecimal() or int(given) < 1:
        raise argparse.ArgumentTypeError(f"{given!r} is not a number from 1 on")
    return int(given)


def _named_models(names: Sequence[str], prices: Prices, settings: Settings, at: datetime) -> list[str]:
    """The models that were asked for. SetupError with the nearest names when nobody knows one."""
    # Which names one's own server knows, only that server knows.
    known = [*list_configured(settings), *(names if is_local(settings.openai_base_url) else ())]
    try:
        return [find_model(name, prices=prices, at=at, known=known) for name in names]
    except NotUnderstood as exc:
        raise SetupError([f"--model {exc.words}: {exc.hint}"]) from exc


async def _hours_of(path: Path | None) -> float:
    """How long a recording is, by decoding it; 0 for what is none."""
    if path is None or not path.is_file():
        return 0.0
    with path.open("rb") as file:
        if not detect_container(file.read(64)):
            return 0.0
    wants = DecodingLimits(frozenset(CONTAINERS), max_bytes=sys.maxsize, max_s=LONGEST_S, longest_s=LONGEST_S)
    with tempfile.TemporaryDirectory(prefix="parley-") as folder:
        return (await decode_file(path, path.name, Path(folder), wants)).length_s / 3600


def _of_training(path: Path, hours: float, args: argparse.Namespace, estimator: Estimator) -> list[Estimate]:
    """Training and then using: speech of so many hours, or a text."""
    prompt = speech_usage(hours, written=False) if hours else _read_text(args.file)
    return _or_explain(
        path, lambda lines: estimator.estimate_training_and_use(lines, prompt, epochs=args.epochs)
    )


def _of_text(args: argparse.Namespace, estimator: Estimator, settings: Settings) -> list[Estimate]:
    if args.file and args.file.suffix == ".jsonl":
        return _or_explain(args.file, lambda lines: estimator.estimate_training(lines, epochs=args.epochs))
    return estimator.estimate_answer(_read_text(args.file), answer_tokens=settings.max_tokens)


def _or_explain(path: Path, estimate: Callable[[list[str]], list[Estimate]]) -> list[Estimate]:
    """The estimate for a training set; SetupError says which of its lines is none."""
    try:
        return estimate(_read_text(path).splitlines())
    except NotUnderstood as exc:
        raise SetupError([f"{path}: {exc.words} cannot be read. {exc.hint}"]) from exc


def _read_text(path: Path | None) -> str:
    if path is None:
        raise SetupError([WHAT_TO_NAME])
    try:
        return path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as exc:
        raise SetupError([f"{path} cannot be read: {WHAT_TO_NAME}"]) from exc


def shown(estimates: list[Estimate]) -> list[str]:
    """One aligned line for each."""
    return [
        f"{e.what:20} {e.model:24} {e.uses:>24} {dollars(e.usd) if e.usd is not None else e.reason:>12}"
        f"{'  (in use)' if e.in_use else ''}"
        for e in estimates
    ]
