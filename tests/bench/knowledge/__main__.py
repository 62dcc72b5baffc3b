"""`python -m tests.bench.knowledge`: finding, answering, refusing and checking quotes, beside each goal.

On two invented companies and on sets in German, Chinese and Japanese, by words alone and with each embedder
of this machine that is installed. `--show` lists what went wrong; `--report FILE` writes that list.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from bot.core.errors import SetupError
from bot.costs.amounts import dollars
from bot.ml.gain import Gain
from bot.provider.embeddings import LOCAL, Embedder
from bot.provider.local_embeddings import CHECKS, LocalEmbedder
from tests.bench.knowledge import own_heads
from tests.bench.knowledge.answers import FOUND_TOKENS, WHOLE_TOKENS, AnsweredAll, answer_all, share_unasked
from tests.bench.knowledge.finding import list_ranks, list_unread, share_within
from tests.bench.knowledge.follow_ups import follow_up
from tests.bench.knowledge.quote_attacks import Told, make_all, share_of
from tests.bench.knowledge.shelf import Shelf, open_shelf
from tests.bench.knowledge.sources import (
    COMPANY,
    DOCUMENTS,
    LANGUAGE_FOLDER,
    LANGUAGES,
    SECOND,
    SECOND_DOCUMENTS,
    PageQuestion,
    read_near_misses,
    read_questions,
    write_documents,
)
from tests.ml.squad_nearness import measure_nearness
from tests.support.guard_rows import paragraphs

FOREIGN = 60
GAINS_FROM = 200  # examples from which a channel's own head has to be better
KINDS = ("fabricated", "misattributed", "unrelated", "unsupporting")


class Figures:
    """What is printed, and what went wrong in words."""

    def __init__(self) -> None:
        self.wrong: list[str] = []

    def line(self, name: str, value: float, goal: float | None = None, *, most: bool = False) -> None:
        """A share with its goal: at least that, or at most with `most`."""
        if goal is None:
            print(f"  {name:<62} {value:7.3f}", flush=True)
            return
        met = value <= goal if most else value >= goal
        sign = "≤" if most else "≥"
        print(
            f"  {name:<62} {value:7.3f}   goal {sign} {goal:.3f}  {'met' if met else 'NOT MET'}", flush=True
        )

    def note(self, what: str, questions: Sequence[PageQuestion], *more: Sequence[object]) -> None:
        for number, question in enumerate(questions):
            said = ", ".join(str(column[number]) for column in more)
            where = f"{question.document} page {question.page}"
            self.wrong.append(f"{what}: {question.text} ({where}, {question.evidence}) {said}")


def list_embedders() -> Iterator[tuple[str, Embedder | None]]:
    yield "words alone", None
    for choice, name in LOCAL.items():
        try:
            CHECKS[name]()
        except SetupError as error:
            print(f"  ({choice}: {error})")
            continue
        yield choice, LocalEmbedder(name)


@contextmanager
def files_of(folder: Path) -> Iterator[list[Path]]:
    """Everything in one channel: a question has to find its page among all of it."""
    files = write_documents(folder)
    for language, names in LANGUAGES.items():
        files += write_documents(folder, names, LANGUAGE_FOLDER / language)
    yield files


def halves(questions: Sequence[PageQuestion]) -> tuple[list[PageQuestion], list[PageQuestion]]:
    return [q for q in questions if not q.in_other_words], [q for q in questions if q.in_other_words]


async def measure_company(
    shelf: Shelf, figures: Figures, name: str, *, embedded: bool, folder: Path = COMPANY
) -> None:
    """Questions about a company: in the words of its documents, and in none of them."""
    questions = read_questions(folder)
    figures.note("no passage holds the answer", list_unread(shelf, questions))
    plain, other = halves(questions)
    for kind, some, goal in (("in its words", plain, 0.95), ("in other words", other, 0.85)):
        ranks = await list_ranks(shelf, some)
        for first in (1, 3, 5):
            wanted = goal if first == 3 and (embedded or some is plain) else None
            what = f"{folder.name}, {kind}: among the first {first}"
            figures.line(what, share_within(ranks, first), wanted)
        _note_missed(figures, name, some, ranks, first=3)


async def measure_languages(shelf: Shelf, figures: Figures, name: str) -> None:
    for language in LANGUAGES:
        asked = read_questions(LANGUAGE_FOLDER / language)
        figures.note("no passage holds the answer", list_unread(shelf, asked))
        ranks = await list_ranks(shelf, asked)
        figures.line(f"{language}, 50 questions: among the first 5", share_within(ranks, 5), 0.90)
        _note_missed(figures, name, asked, ranks, first=5)


def _note_missed(
    figures: Figures, name: str, asked: Sequence[PageQuestion], ranks: Sequence[int], *, first: int
) -> None:
    missed = [(question, rank) for question, rank in zip(asked, ranks, strict=True) if rank > first]
    said = [f"rank {rank}" for _, rank in missed]
    figures.note(f"{name}, not in the first {first}", [question for question, _ in missed], said)


async def measure_second(figures: Figures, name: str, embedder: Embedder | None) -> None:
    """Another company in a channel of its own: what was tuned on the first has to hold there."""
    with tempfile.TemporaryDirectory() as folder:
        files = write_documents(Path(folder), SECOND_DOCUMENTS, SECOND)
        async with open_shelf(Path(folder), files, embedder) as shelf:
            embedded = embedder is not None
            await measure_company(shelf, figures, name, embedded=embedded, folder=SECOND)


async def measure_follow_ups(shelf: Shelf, figures: Figures) -> None:
    """In a thread: those that a rule makes whole, and those that a small model writes out."""
    found = await follow_up(shelf)
    figures.line(f"follow-ups made whole by rule ({len(found.whole)}): first 3", share_within(found.whole, 3))
    figures.line(f"others ({len(found.by_rule)}), as rules search them", share_within(found.by_rule, 3))
    figures.line("others, written out by the small model", share_within(found.written_out, 3))
    cost = "at an unknown price" if found.cost_usd is None else f"for {dollars(found.cost_usd)}"
    print(f"  {'tokens that the small model reads for one':<62} {found.read_tokens:7.0f}   {cost}")


async def measure_answers(
    shelf: Shelf, figures: Figures, name: str, *, budget_tokens: int, embedded: bool
) -> None:
    whole = budget_tokens == WHOLE_TOKENS
    plain, other = halves(read_questions())
    found = await answer_all(shelf, [*plain, *other], read_near_misses(), budget_tokens=budget_tokens)
    how = "all is read" if whole else "what is found is read"
    for kind, some, goal in (("in its words", plain, 0.02), ("in other words", other, 0.05)):
        share = sum(question in found.refused for question in some) / len(some)
        wanted = goal if whole or embedded or some is plain else None
        figures.line(f"wrong refusals, {kind}, {how}", share, wanted, most=True)
    figures.note(f"{name}, {how}: wrongly refused", found.refused, found.why)
    _show_gate(found, figures, how)
    if embedded:
        unasked = await share_unasked(shelf, list_foreign(), budget_tokens=budget_tokens)
        figures.line("questions of something else refused without asking a model", unasked)


def list_foreign() -> list[str]:
    """Questions about something else altogether: of SQuAD's articles, about Warsaw, engines, algebra."""
    asked = sorted({question["q"] for paragraph in paragraphs() for question in paragraph["questions"]})
    return asked[:: len(asked) // FOREIGN][:FOREIGN]


def _show_gate(found: AnsweredAll, figures: Figures, how: str) -> None:
    misses = len(read_near_misses())
    figures.line(f"near misses refused, {how}", 1 - len(found.answered) / misses, 1.0)
    figures.line("   of them without asking a model", len(found.spared) / misses)
    print(f"  {'characters that a model reads for a question':<62} {found.characters:7.0f}")
    figures.note(f"{how}: refused before a model was asked", found.wrongly_spared)


async def measure_own_heads(shelf: Shelf, figures: Figures, embedder: Embedder | None) -> None:
    """Heads of channels beside the shipped one: what they are less wrong by, with its 95 % interval."""
    number, gain = await own_heads.measure_company(shelf, read_questions(), read_near_misses())
    print(f"  {f'own head of the company, {number} examples, held out':<62} {_write_gain(gain)}")
    near = await measure_nearness(embedder.name, paragraphs()) if embedder else None
    channels = own_heads.open_channels(near)
    for examples in own_heads.EXAMPLES:
        if found := own_heads.measure(channels, examples):
            what = f"own heads of {found.channels} articles, {examples} examples each"
            areas = f"AUROC {found.shipped:.3f} to {found.own:.3f}"
            print(f"  {what:<62} {_write_gain(found.gain)}, {areas}", flush=True)
            if examples >= GAINS_FROM:
                figures.line(f"   least gain of the interval, {examples} examples", found.gain.low, 0.0)


def _write_gain(gain: Gain) -> str:
    return f"gain {gain.mean:+.4f} ({gain.low:+.4f} to {gain.high:+.4f}), n = {gain.rows}"


def measure_quotes(shelf: Shelf, figures: Figures) -> None:
    ours = [passage for passage in shelf.passages if passage.document in DOCUMENTS]
    told = make_all(read_questions(), ours)
    honest = [one for one in told if one.kind == "honest"]
    figures.line(f"honest quotes accepted ({len(honest)})", share_of(honest, _accepted), 0.98)
    figures.note("honest quote refused", [one.question for one in honest if not one.accepted])
    for kind in KINDS:
        lies = [one for one in told if one.kind == kind]
        caught = share_of(lies, lambda one: not one.accepted)
        figures.line(f"{kind} quotes caught ({len(lies)})", caught, 0.95)
        through = [one for one in lies if one.accepted]
        said = [f"answered {one.answer!r} with {one.quote!r}" for one in through]
        figures.note(f"{kind} quote accepted", [one.question for one in through], said)


def _accepted(told: Told) -> bool:
    return told.accepted


async def measure(figures: Figures) -> None:
    for name, embedder in list_embedders():
        with tempfile.TemporaryDirectory() as folder, files_of(Path(folder)) as files:
            started = time.monotonic()
            async with open_shelf(Path(folder), files, embedder) as shelf:
                took = time.monotonic() - started
                print(f"\n{name}: {len(shelf.passages)} passages of {len(files)} documents, {took:.0f} s")
                embedded = embedder is not None
                await measure_company(shelf, figures, name, embedded=embedded)
                await measure_second(figures, name, embedder)
                await measure_languages(shelf, figures, name)
                await measure_follow_ups(shelf, figures)
                await measure_answers(shelf, figures, name, budget_tokens=FOUND_TOKENS, embedded=embedded)
                await measure_own_heads(shelf, figures, embedder)
                if embedder is None:
                    await measure_answers(shelf, figures, name, budget_tokens=WHOLE_TOKENS, embedded=False)
                    measure_quotes(shelf, figures)


def main() -> None:
    parser = argparse.ArgumentParser(prog="make bench-knowledge")
    parser.add_argument("--show", action="store_true", help="list what went wrong")
    parser.add_argument("--report", type=Path, help="write that list to a file")
    args = parser.parse_args()
    figures = Figures()
    asyncio.run(measure(figures))
    if args.report:
        args.report.write_text("\n".join(figures.wrong) + "\n", "utf-8")
    if args.show:
        print("\n" + "\n".join(figures.wrong))


if __name__ == "__main__":
    main()
