"""`parley guard`: train, judge and show what keeps a channel to its subject.

`evaluate --train FILE --test FILE` needs neither channel nor workspace. Its JSON: train_rows, test_rows,
auroc, auprc, fpr_at_95_tpr, threshold, realised_tpr, realised_fpr, accuracy, precision, recall, f_beta
{beta: value}, refusal_precision, refusal_recall, calibration_error, n_classes, weighted_f1, train_seconds and
ms_per_row (CPU; with embeddings their computation is embed_seconds), held_out (the same figures out of fold),
kinds, learning_curve. `evaluate CHANNEL --test FILE` measures what the channel uses.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bot.cli.standalone import open_standalone
from bot.core.errors import SetupError
from bot.core.settings import Settings
from bot.core.values import Scope
from bot.guard.head import GuardHead
from bot.guard.ladder import Ladder
from bot.guard.weekly_report import read_weeks
from bot.learning.trainer import Trainer
from bot.learning.versions import Version
from bot.ml import minilm
from bot.ml.calibration import ErrorCosts
from bot.ml.discriminator import MIN_EXAMPLES, load
from bot.ml.evaluation import Wanted, evaluate, evaluate_trained
from bot.ml.labelled_files import LABELS, LabelledRow, read_rows
from bot.provider.embeddings import CachedEmbedder, ProviderEmbedder
from bot.provider.local_embeddings import LocalEmbedder
from storage.database import open_engine
from storage.guard import models
from storage.place import Channel

WEEKS_SHOWN = 8
# What of a training's held-out report one line shows.
_HELD_OUT = ("auroc", "accuracy", "refusal_precision", "refusal_recall", "calibration_error", "threshold")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """evaluate --train FILE --test FILE, evaluate CHANNEL --test FILE, train CHANNEL [FILE], show CHANNEL."""
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    judging = actions.add_parser("evaluate", help="train on one labelled file, report on another")
    what = judging.add_mutually_exclusive_group(required=True)
    what.add_argument("channel", metavar="CHANNEL", nargs="?", help="TEAM:CHANNEL, to judge with its model")
    what.add_argument("--train", type=Path, metavar="FILE", help="labelled rows, JSONL or CSV")
    judging.add_argument(
        "--test", type=Path, required=True, metavar="FILE", help="labelled rows, JSONL or CSV"
    )
    judging.add_argument("--head", choices=sorted(LABELS), default="topic", help="what is judged")
    judging.add_argument(
        "--embeddings",
        choices=("none", "local", "provider"),
        default="none",
        help="what is read beside words: vectors made on this machine or by the model API (default: none)",
    )
    judging.add_argument(
        "--embedding-model",
        metavar="MODEL",
        default="text-embedding-3-small",
        help="with --embeddings provider",
    )
    judging.add_argument(
        "--positive-class", metavar="LABEL", default="", help="on, off, yes or no; what the figures are of"
    )
    judging.add_argument(
        "--n-classes", type=int, metavar="N", default=2, help="how many labels may occur at most"
    )
    judging.add_argument(
        "--beta", type=float, metavar="N", action="append", default=[], help="of F-beta; may be repeated"
    )
    judging.add_argument(
        "--costs",
        type=float,
        nargs=2,
        metavar=("REFUSED", "ANSWERED"),
        help="price of one error of each kind",
    )
    judging.add_argument("--learning-curve", action="store_true", help="also with parts of the training rows")
    judging.add_argument("--json", action="store_true", help="as one JSON object")
    training = actions.add_parser("train", help="teach a channel's guard labelled messages")
    training.add_argument("channel", metavar="CHANNEL", help="TEAM:CHANNEL, ids as Slack has them")
    training.add_argument("file", type=Path, nargs="?", help="labelled rows to add, JSONL or CSV")
    training.add_argument("--local-embeddings", action="store_true", help="with the model on this machine")
    showing = actions.add_parser("show", help="a channel's policy, versions and last weeks")
    showing.add_argument("channel", metavar="CHANNEL", help="TEAM:CHANNEL, ids as Slack has them")


async def run(args: argparse.Namespace, settings: Settings) -> int:
    if args.action == "train":
        return await _train(args, settings)
    if args.action == "show":
        return await _show(args, settings)
    figures = await _evaluate(args, settings)
    print(json.dumps(figures) if args.json else readable(figures))
    return 0


def _channel(named: str) -> Channel:
    team, separator, channel = named.partition(":")
    if not (team and separator and channel):
        raise SetupError([f"{named}: not of the form TEAM:CHANNEL, for example T024BE7LD:C061EG9SL"])
    return Channel(team, channel)


async def _train(args: argparse.Namespace, settings: Settings) -> int:
    """Opens the database itself; while the bot runs it has the file, and its own buttons train."""
    at = _channel(args.channel)
    rows = read_rows(args.file, "topic") if args.file else []
    async with open_engine(settings.database, must_exist=True) as engine:
        embedder = CachedEmbedder(LocalEmbedder(), engine) if args.local_embeddings else None
        trainer = Trainer(engine, GuardHead(Ladder(engine), embedder=embedder))
        await trainer.add_examples(at, [(row.texts[0], row.label) for row in rows], source="file")
        version = await trainer.train(at)
    if version is None:
        raise SetupError([f"{args.channel}: at least {MIN_EXAMPLES} messages that belong are needed"])
    print(_version(version))
    return 0


async def _show(args: argparse.Namespace, settings: Settings) -> int:
    at = _channel(args.channel)
    async with open_engine(settings.database, read_only=True) as engine:
        ladder = Ladder(engine)
        policy = await ladder.read_policy(at)
        print(policy.as_json() if policy else f"{args.channel}: no guard")
        for version in await Trainer(engine, GuardHead(ladder)).list_versions(at):
            print(_version(version))
        since = time.time() - WEEKS_SHOWN * 7 * 86_400
        for week in await read_weeks(engine, at.team, since=since, channel=at.channel):
            begins = datetime.fromtimestamp(week.begins_at, UTC)
            print(
                f"week of {begins:%Y-%m-%d}: {week.refused} refused, {week.allowed} allowed, "
                f"{week.overturned} overturned, ${week.cost_usd}"
            )
    return 0


def _version(version: Version) -> str:
    figures = version.report
    shown = "  ".join(f"{name} {_shown(figures[name])}" for name in _HELD_OUT)
    return f"version {version.version}{'*' if version.in_use else ''}  {version.rows} rows  {shown}"


async def _evaluate(args: argparse.Namespace, settings: Settings) -> dict[str, Any]:
    if args.positive_class and args.positive_class not in LABELS[args.head]:
        raise SetupError([f"--positive-class: not one of {', '.join(LABELS[args.head])}"])
    positive = args.positive_class or next(iter(LABELS[args.head]))
    wanted = Wanted(positive, args.beta or Wanted().betas, args.n_classes)
    test = read_rows(args.test, args.head)
    try:
        if args.channel:
            return await _evaluate_channel(args, settings, test, wanted)
        return await _evaluate_files(args, settings, test, wanted)
    except ValueError as exc:
        raise SetupError([f"{args.train or args.test}: {exc}"]) from exc


async def _evaluate_files(
    args: argparse.Namespace, settings: Settings, test: list[LabelledRow], wanted: Wanted
) -> dict[str, Any]:
    training = read_rows(args.train, args.head)
    started = time.process_time()
    vectors = await _vectors([*training, *test], args, settings)
    embed_s = time.process_time() - started
    evaluation = await asyncio.to_thread(
        evaluate,
        training,
        test,
        head=args.head,
        vectors=vectors,
        costs=ErrorCosts(*args.costs) if args.costs else None,
        wanted=wanted,
        curve=args.learning_curve,
    )
    described = {"head": args.head, "embeddings": args.embeddings, "embed_seconds": embed_s}
    return described | {"train_rows": len(training), "test_rows": len(test)} | evaluation.as_json()


async def _evaluate_channel(
    args: argparse.Namespace, settings: Settings, test: list[LabelledRow], wanted: Wanted
) -> dict[str, Any]:
    """The model that a channel uses, on labelled rows. What it was trained with decides what it needs."""
    if args.head != "topic":
        raise SetupError(["a channel's model judges the topic; --head answerable takes --train FILE"])
    at = _channel(args.channel)
    async with open_engine(settings.database, read_only=True) as engine:
        row = await engine.read(models.read_model, at)
    if row is None:
        raise SetupError([f"{args.channel}: nothing is trained"])
    if row["embedder"]:
        args.embeddings = "local" if row["embedder"] == minilm.NAME else "provider"
        args.embedding_model = row["embedder"]
    vectors = await _vectors(test, args, settings)
    evaluation = evaluate_trained(load(row["model"]), test, vectors=vectors, wanted=wanted)
    described = {"head": args.head, "embeddings": args.embeddings, "version": row["version"]}
    return described | {"test_rows": len(test)} | evaluation.as_json()


async def _vectors(
    rows: list[LabelledRow], args: argparse.Namespace, settings: Settings
) -> list[list[float]]:
    """Sentence embeddings of topic rows; the other head reads words only."""
    if args.embeddings == "none" or args.head != "topic":
        return []
    texts = [row.texts[0] for row in rows]
    scope = Scope("", "", "", "parley guard evaluate", "embedding")
    if args.embeddings == "local":
        return await LocalEmbedder().embed(texts, scope)
    # Paid for, so it passes through the ledger of the database in the settings.
    async with open_standalone(settings) as alone:
        embedder = ProviderEmbedder(alone.provider, args.embedding_model)
        return await CachedEmbedder(embedder, alone.engine).embed(texts, scope)


def readable(figures: dict[str, Any]) -> str:
    """One figure a line; a figure the rows do not define is a dash."""
    lines = [
        f"{name:20} {_shown(value)}" for name, value in figures.items() if not isinstance(value, dict | list)
    ]
    lines += [f"f_beta {beta:13} {_shown(value)}" for beta, value in figures["f_beta"].items()]
    for kind, part in figures["kinds"].items():
        lines.append(f"{kind:20} auroc {_shown(part['auroc'])}  accuracy {_shown(part['accuracy'])}")
    lines += [
        f"{p['train_rows']:>6} training rows  auroc {_shown(p['auroc'])}" for p in figures["learning_curve"]
    ]
    return "\n".join(lines)


def _shown(value: Any) -> str:
    if value is None:
        return "-"
    return f"{value:.4f}" if isinstance(value, float) else str(value)
