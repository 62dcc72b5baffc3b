"""`parley estimate`: what a text, a recording, hours of speech or a training set would cost, per model."""

from __future__ import annotations

import argparse
import re
import sys
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot.core.errors import NotUnderstood, SetupError
from bot.core.settings import Settings
from bot.costs import pricing
from bot.costs.amounts import dollars
from bot.costs.estimate import EPOCHS, HOUR, MODELS, SPEECH_MODELS, Estimate, Estimator
from bot.costs.model_names import find_model, list_configured
from bot.costs.pricing import Prices, is_local
from bot.text.durations import read_duration
from bot.voice.decoding import CONTAINERS, DecodingLimits, decode_file, detect_container

LONGEST_S = 24 * 3600.0
_NUMBER = re.compile(r"\d+(?:\.\d+)?|\.\d+")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A file or hours; models to compare."""
    parser.add_argument(
        "file",
        nargs="?",
        type=Path,
        metavar="FILE",
        help="a text, a recording, or a training set ending in .jsonl",
    )
    parser.add_argument(
        "--hours",
        type=_hours,
        metavar="N",
        default=0.0,
        help="speech instead of a file: hours, or a time like 90min",
    )
    parser.add_argument("--model", action="append", help="a model to compare; may be repeated")
    parser.add_argument(
        "--epochs",
        type=int,
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
    estimator = Estimator(prices, now, models)
    hours = args.hours or await _hours_of(args.file)
    if hours:
        found = estimator.estimate_transcription(
            hours, models if args.model else SPEECH_MODELS
        ) + estimator.estimate_analysis(hours)
    else:
        found = _of_text(args, estimator, settings)
    print("\n".join(shown(found)))
    return 0


def _hours(given: str) -> float:
    """A plain number is hours, also with three decimals; everything else is read as in Slack."""
    try:
        if _NUMBER.fullmatch(given) and float(given) > 0:
            return float(given)
        return read_duration(given, bare="hours") / HOUR
    except NotUnderstood as exc:
        raise argparse.ArgumentTypeError(f"{given!r}: {exc.hint}") from exc


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


def _of_text(args: argparse.Namespace, estimator: Estimator, settings: Settings) -> list[Estimate]:
    try:
        text = args.file.read_text("utf-8")
    except (AttributeError, OSError, UnicodeDecodeError) as exc:
        given = f"{args.file} cannot be read: " if args.file else ""
        raise SetupError([f"{given}name a text, a recording, a training set (.jsonl), or --hours N"]) from exc
    if args.file.suffix == ".jsonl":
        return estimator.estimate_training(text.splitlines(), epochs=args.epochs)
    return estimator.estimate_answer(text, answer_tokens=settings.max_tokens)


def shown(estimates: list[Estimate]) -> list[str]:
    """One aligned line for each."""
    return [
        f"{e.what:20} {e.model:24} {e.uses:>24} {dollars(e.usd) if e.usd is not None else e.reason:>12}"
        for e in estimates
    ]
