"""How well and how fast documents are found: python -m tests.bench.knowledge_search [--chunks N] [--url URL].

First the paragraphs of SQuAD in tests/data: how often the right one is first, or among the first five, beside
FTS5's own bm25 over the same paragraphs; where this machine's multilingual model is installed, also with its
vectors (some minutes). Then a question against many made-up chunks, in milliseconds and in megabytes
that the process grows by, beside FTS5's own bm25 over the same words. Vectors there are made up as well, so
that is about time alone. The same rows are then asked on PostgreSQL, with the extension `vector` and without.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median, quantiles

from bot.core.errors import SetupError
from bot.core.values import Scope
from bot.documents.values import Chunk
from bot.knowledge.index import Audience, DocumentIndex
from bot.ml import e5
from bot.provider.local_embeddings import LocalEmbedder
from bot.sandbox.postgres import ThrowawayPostgres
from bot.sandbox.postgres_programs import NoPostgres
from storage.database import open_engine
from storage.engine import Engine, Tx
from storage.knowledge import documents, vectors
from storage.knowledge.documents import Document
from storage.knowledge.vectors import PackedVector
from storage.transfer import move

SQUAD = Path(__file__).parents[1] / "data" / "squad2" / "train_9_articles.jsonl"
HERE = Audience("T", "C", "T:C:1")
SCOPE = Scope("T", "C", "U", "T:C:1", "answer")
PER_DOCUMENT, WORDS, VOCABULARY = 500, 120, 60_000
DIMENSIONS = 384
PARTS = 7  # vectors of a chunk: its own and its sentences'
PROGRAM = (sys.executable, "-m", "tests.bench.knowledge_search")
FOUND = "  {:<34} {:>6} {:>6} {:>6}"
TOOK = "  {:<34} {:>8} {:>8}"


class MadeUpEmbedder:
    """A question's vector is that of one of the chunks, with one sign in eight another."""

    name, unrelated = "made-up", 0.0

    async def embed(
        self, texts: Sequence[str], scope: Scope, *, kept: bool = True, passages: bool = False
    ) -> list[list[float]]:
        return [[random.choice((-0.05, 0.05)) for _ in range(DIMENSIONS)] for _ in texts]


# How well


def read_squad() -> tuple[list[tuple[str, str]], list[tuple[str, int]]]:
    """(title, paragraph), and (question, the number of its paragraph)."""
    paragraphs, questions = list[tuple[str, str]](), list[tuple[str, int]]()
    for line in SQUAD.read_text("utf-8").splitlines():
        row = json.loads(line)
        questions += [(one["q"], len(paragraphs)) for one in row["questions"] if one["answerable"]]
        paragraphs.append((row["title"], row["context"]))
    return paragraphs, questions


def show_found(name: str, ranks: Sequence[int]) -> None:
    """Ranks from 1, 0 for what was not found."""
    shares = (sum(0 < rank <= most for rank in ranks) / len(ranks) for most in (1, 3, 5))
    print(FOUND.format(name, *(f"{share:.3f}" for share in shares)), flush=True)


def rank_by_engine(paragraphs: Sequence[tuple[str, str]], questions: Sequence[tuple[str, int]]) -> list[int]:
    """The baseline: FTS5 as it comes, with its stems and every word of the question."""
    conn = sqlite3.connect(":memory:")
    conn.execute("create virtual table found using fts5(text, tokenize='porter unicode61')")
    conn.executemany(
        "insert into found (rowid, text) values (?, ?)", enumerate(text for _, text in paragraphs)
    )
    ranks = []
    for question, right in questions:
        words = " OR ".join(
            f'"{word}"' for word in "".join(c if c.isalnum() else " " for c in question).split()
        )
        rows = conn.execute("select rowid from found where found match ? order by rank limit 20", [words])
        ids = [id for (id,) in rows]
        ranks.append(ids.index(right) + 1 if right in ids else 0)
    return ranks


def find_embedder() -> LocalEmbedder | None:
    try:
        return LocalEmbedder(e5.NAME)
    except SetupError as exc:
        print(f"  (words and meaning are not measured: {exc})")
        return None


async def measure_squad(url: str) -> None:
    paragraphs, questions = read_squad()
    print(FOUND.format(f"{len(questions)} questions, {len(paragraphs)} paragraphs", "R@1", "R@3", "R@5"))
    show_found("FTS5 with porter alone", rank_by_engine(paragraphs, questions))
    async with open_engine(url) as engine:
        index = DocumentIndex(engine, embedder := find_embedder())
        titles = list(dict.fromkeys(title for title, _ in paragraphs))
        for title in titles:
            texts = [text for of, text in paragraphs if of == title]
            await add(engine, index, title, texts)
        numbers = {(title, n): at for title in titles for n, at in enumerate_of(paragraphs, title)}
        show_found("words", await rank_by_index(index, numbers, questions))
        if embedder:
            for title in titles:
                await index.embed(title, scope=SCOPE)
            show_found("words and meaning", await rank_by_index(index, numbers, questions))


def enumerate_of(paragraphs: Sequence[tuple[str, str]], title: str) -> Iterator[tuple[int, int]]:
    yield from enumerate(at for at, (of, _) in enumerate(paragraphs) if of == title)


async def rank_by_index(
    index: DocumentIndex, numbers: dict[tuple[str, int], int], questions: Sequence[tuple[str, int]]
) -> list[int]:
    ranks = []
    for question, right in questions:
        hits = await index.search(HERE, [question], scope=SCOPE)
        found = [numbers[hit.passage.document, hit.passage.chunk] for hit in hits]
        ranks.append(found.index(right) + 1 if right in found else 0)
    return ranks


async def add(engine: Engine, index: DocumentIndex, id: str, texts: Sequence[str]) -> None:
    await engine.write(documents.add, Document(id, "T", "channel", id, 1.0, channel="C", title=id))
    await index.put(id, [Chunk(n, text, "", 0, "", 0, len(text)) for n, text in enumerate(texts)])
    await index.publish(id, now=2.0)


# How fast


def make_words(count: int) -> list[str]:
    """Pseudo-words, by how common they are."""
    syllables = [c + v for c in "bdfgklmnprstvz" for v in "aeiou"]
    return ["".join(random.Random(n).choices(syllables, k=2 + n % 3)) + f"{n % 97}" for n in range(count)]


def make_texts(count: int, words: Sequence[str]) -> Iterator[str]:
    """Texts in which the n-th word is about as common as 1 / n."""
    draw = random.Random(7)
    for _ in range(count):
        yield " ".join(words[int(len(words) ** draw.random()) - 1] for _ in range(WORDS))


async def fill(url: str, chunks: int) -> None:
    words = make_words(VOCABULARY)
    async with open_engine(url) as engine:
        index = DocumentIndex(engine)
        for number in range(-(-chunks // PER_DOCUMENT)):
            await add(engine, index, f"d{number}", list(make_texts(PER_DOCUMENT, words)))
            await engine.write_aside(add_vectors, f"d{number}")


def add_vectors(tx: Tx, document: str) -> None:
    signs = [
        b"".join(b"\x66\x2a" if n >> bit & 1 else b"\x66\xaa" for bit in range(7, -1, -1)) for n in range(256)
    ]
    made = dict[int, list[PackedVector]]()
    for chunk in vectors.list_bare(tx, document, MadeUpEmbedder.name, limit=PER_DOCUMENT):
        codes = [random.randbytes(DIMENSIONS // 8) for _ in range(PARTS)]
        made[chunk.id] = [PackedVector(code, b"".join(signs[byte] for byte in code)) for code in codes]
    vectors.add(tx, document, MadeUpEmbedder.name, made)


def make_questions(count: int) -> list[str]:
    """Words as a text has them, without the commonest, which would leave a real question."""
    words, draw = make_words(VOCABULARY), random.Random(11)
    return [
        " ".join(words[int(40 + (VOCABULARY - 40) ** draw.random()) - 1] for _ in range(5))
        for _ in range(count)
    ]


async def measure_speed(url: str, *, questions: int) -> None:
    asked = make_questions(questions)
    async with open_engine(url, read_only=url.startswith("postgresql")) as engine:  # it makes no extension
        before = memory_mb()
        words, both = DocumentIndex(engine), DocumentIndex(engine, MadeUpEmbedder())
        print(TOOK.format(f"ms a question, of {questions}", "p50", "p95"))
        show_took("words", [await ask(words, question) for question in asked])
        show_took("words and meaning", [await ask(both, question) for question in asked])
        print(f"  {memory_mb() - before:.0f} MB more than before the first question", flush=True)
        if url.startswith("sqlite"):
            show_took("FTS5's own order, 20 rows", [ask_engine(url, question) for question in asked])


async def ask(index: DocumentIndex, question: str) -> float:
    begun = time.perf_counter()
    await index.search(HERE, [question], scope=SCOPE)
    return time.perf_counter() - begun


def ask_engine(url: str, question: str) -> float:
    conn = sqlite3.connect(url.removeprefix("sqlite:///"))
    begun = time.perf_counter()
    words = " OR ".join(question.split())
    conn.execute(
        "select rowid from chunk_words where chunk_words match ? order by rank limit 20",
        [f"words : ({words})"],
    ).fetchall()
    return time.perf_counter() - begun


def show_took(name: str, seconds: Sequence[float]) -> None:
    p95 = quantiles(seconds, n=20)[-1]
    print(TOOK.format(name, f"{median(seconds) * 1e3:.1f}", f"{p95 * 1e3:.1f}"), flush=True)


def memory_mb() -> float:
    """The most this process ever had; what it was forked from does not count, as it does in getrusage."""
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.partition("VmHWM:")[2].split()[0]) / (1 << 10)


async def run(args: argparse.Namespace, folder: Path) -> None:
    if not args.url or not args.chunks:
        await measure_squad(f"sqlite:///{folder}/squad.db")
    if args.chunks:
        url = args.url or f"sqlite:///{folder}/many.db"
        fill = ("--fill", "--url", url, "--chunks", str(args.chunks))
        filler = await asyncio.create_subprocess_exec(*PROGRAM, *fill)
        await filler.wait()
        print(f"\n{args.chunks} chunks of {WORDS} words", flush=True)
        await measure_in_new_process(url, questions=args.questions)
        if url.startswith("sqlite"):
            await measure_on_postgres(url, questions=args.questions)


async def measure_in_new_process(url: str, *, questions: int) -> None:
    """By one that had nothing in memory before."""
    speed = ("--only-speed", "--url", url, "--questions", str(questions))
    await (await asyncio.create_subprocess_exec(*PROGRAM, *speed)).wait()


async def measure_on_postgres(filled: str, *, questions: int) -> None:
    """The same rows, moved there."""
    try:
        async with ThrowawayPostgres(shared_buffers="128MB") as server:
            url = await server.create("many")
            await asyncio.to_thread(move, filled, url)
            async with open_engine(url):  # whose first start makes the extension
                pass
            for extension in ("the extension vector", "no extension"):
                if extension == "no extension":
                    await server.run("drop extension vector cascade", database="many")
                await server.run("vacuum analyze", database="many")
                print(f"\nThe same on PostgreSQL with {extension}", flush=True)
                await measure_in_new_process(url, questions=questions)
    except NoPostgres as exc:
        print(f"\n(PostgreSQL: {exc})")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--chunks", type=int, default=100_000, help="0: only how well")
    parser.add_argument("--questions", type=int, default=200)
    parser.add_argument("--url", default="")
    parser.add_argument("--fill", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--only-speed", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.fill:
        asyncio.run(fill(args.url, args.chunks))
    elif args.only_speed:
        asyncio.run(measure_speed(args.url, questions=args.questions))
    else:
        with tempfile.TemporaryDirectory() as folder:
            asyncio.run(run(args, Path(folder)))


if __name__ == "__main__":
    main()
