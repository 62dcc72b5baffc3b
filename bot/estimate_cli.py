"""`parley estimate`: what a text, hours of speech or a training set would cost on each model."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path

from bot import pricing
from bot.config import Settings
from bot.errors import NotUnderstood
from bot.estimate import EPOCHS, MODELS, SPEECH_MODELS, Estimate, Estimator
from bot.report_formats import dollars


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """A file or hours; models to compare."""
    parser.add_argument(
        "file", nargs="?", type=Path, help="a text to read, or a training set ending in .jsonl"
    )
    parser.add_argument("--hours", type=float, default=0.0, help="hours of speech instead of a file")
    parser.add_argument("--model", action="append", help="a model to compare; may be repeated")
    parser.add_argument("--epochs", type=int, default=EPOCHS, help="how often a training set is read")


async def run(args: argparse.Namespace, settings: Settings) -> int:
    prices = pricing.load(
        base_url=settings.openai_base_url,
        path=settings.prices,
        model=settings.model,
        base_model=settings.base_model,
    )
    models = args.model or list(dict.fromkeys((settings.model, *MODELS)))
    for line in shown(_estimates(args, Estimator(prices, datetime.now(UTC), models), settings)):
        print(line)
    return 0


def _estimates(args: argparse.Namespace, estimator: Estimator, settings: Settings) -> list[Estimate]:
    if args.hours:
        return estimator.listening(args.hours, args.model or SPEECH_MODELS) + estimator.analysis(args.hours)
    try:
        text = args.file.read_text("utf-8")
    except (AttributeError, OSError, UnicodeDecodeError) as exc:
        raise NotUnderstood(
            str(args.file or ""), "Name a text, a training set (.jsonl), or --hours."
        ) from exc
    if args.file.suffix == ".jsonl":
        return estimator.training(text.splitlines(), epochs=args.epochs)
    return estimator.reading(text, answer_tokens=settings.max_tokens)


def shown(estimates: list[Estimate]) -> list[str]:
    """One aligned line for each."""
    return [
        f"{e.what:20} {e.model:24} {e.uses:>24} {dollars(e.usd) if e.usd is not None else e.reason:>12}"
        for e in estimates
    ]
