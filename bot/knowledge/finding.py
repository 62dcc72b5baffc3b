"""One search, on one unchanging view of the database: by words, by meaning, and both orders joined."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.knowledge.fusion import fuse
from bot.knowledge.passages import Hit, passage_of
from bot.knowledge.ranking import AskedTerm, RankedChunk, Statistics, rank
from bot.knowledge.sections import BESIDE, order_by_sections
from bot.knowledge.small_words import guess_language
from bot.knowledge.terms import list_asked, list_written
from bot.knowledge.variants import find_variants
from bot.knowledge.vectors import NearnessSearch
from storage.engine import Tx
from storage.knowledge import search
from storage.knowledge import vectors as stored_vectors
from storage.knowledge.audiences import Audience
from storage.knowledge.search import FoundChunk

_CANDIDATES = 120  # that share words with the question, looked at closely
_NEAREST = 60
_RARE = 3  # words
_MOST_OF_ONE = 2_000  # chunks of a document
_MOST_TERMS = 60  # of a question; a whole letter is no question


@dataclass(frozen=True, slots=True)
class AskedVectors:
    """What is asked, as one embedder's vectors. `unrelated`: the cosine of texts that have nothing in
    common."""

    vectors: Sequence[Sequence[float]]
    unrelated: float

    def nearness(self, cosine: float) -> float:
        return (cosine - self.unrelated) / (1 - self.unrelated)


@dataclass(frozen=True, slots=True)
class Nearness:
    """How near a chunk is to what is asked, and by whose vectors."""

    value: float
    embedder: str


def find(
    tx: Tx,
    audience: Audience,
    questions: Sequence[str],
    asked: Mapping[str, AskedVectors],
    *,
    near: NearnessSearch,
    limit: int,
) -> list[Hit]:
    """What may answer any of the questions, best first. `asked`: by the names of embedders."""
    ranked = find_by_words(tx, audience, questions)
    nearness = find_by_meaning(tx, audience, asked, near)
    return _join(tx, audience, ranked, nearness, limit=limit)


def find_within(
    tx: Tx,
    audience: Audience,
    documents: Sequence[str],
    questions: Sequence[str],
    asked: Mapping[str, AskedVectors],
    *,
    near: NearnessSearch,
    limit: int,
) -> dict[str, list[Hit]]:
    """What of each document may answer, best first; as it stands there where nothing in it is near at all.
    None of what is not to be seen."""
    terms, statistics = _weigh_asked(tx, audience.team, questions)
    found = dict[str, list[Hit]]()
    for document in documents:
        chunks = search.list_of_document(tx, audience, document, limit=_MOST_OF_ONE)
        ranked = [one for one in rank(chunks, terms, statistics) if one.coverage]
        nearness = find_by_meaning(tx, audience, asked, near, document=document)
        hits = _join(tx, audience, ranked, nearness, limit=limit)
        known = {hit.passage.chunk for hit in hits}
        rest = [Hit(passage_of(one), 0.0) for one in chunks if one.number not in known]
        found[document] = [*hits, *rest[: limit - len(hits)]]
    return found


def _join(
    tx: Tx,
    audience: Audience,
    ranked: Sequence[RankedChunk],
    nearness: Mapping[int, Nearness],
    *,
    limit: int,
) -> list[Hit]:
    """Both orders as one, best first."""
    by_words = {one.chunk.id: one for one in ranked}
    fetched = search.fetch_visible(tx, audience, [id for id in nearness if id not in by_words])
    chunks = {one.id: one for one in fetched} | {id: one.chunk for id, one in by_words.items()}
    by_meaning = _order_by_meaning(tx, nearness, chunks)
    word_ranks = {id: place for place, id in enumerate(by_words, 1)}
    vector_ranks = {id: place for place, id in enumerate(by_meaning, 1)}
    covered = {id: one.coverage if nearness else 1.0 for id, one in by_words.items()}
    fused = fuse(list(by_words), by_meaning, coverage=covered)[:limit]
    return [
        Hit(
            passage_of(chunks[id]),
            score,
            word_rank=word_ranks.get(id),
            vector_rank=vector_ranks.get(id),
            nearness=nearness[id].value if id in nearness else None,
            embedder=nearness[id].embedder if id in nearness else "",
            coverage=by_words[id].coverage if id in by_words else 0.0,
        )
        for id, score in fused
    ]


def _order_by_meaning(
    tx: Tx, nearness: Mapping[int, Nearness], chunks: Mapping[int, FoundChunk]
) -> list[int]:
    """Best first, without what is not to be seen."""
    near = {id: one.value for id, one in nearness.items() if id in chunks}
    headings = search.list_headings_beside(tx, list(near), within=BESIDE)
    return order_by_sections(near, chunks, headings=headings)


def find_by_words(tx: Tx, audience: Audience, questions: Sequence[str]) -> list[RankedChunk]:
    """Best first."""
    terms, statistics = _weigh_asked(tx, audience.team, questions)
    weights = _leave_out_common(statistics.weigh_words(terms), statistics)
    count = sum(statistics.uses[word] for word in weights)
    found = search.find_by_words(tx, audience, weights, uses=count, limit=_CANDIDATES)
    return rank(found, terms, statistics)


def _weigh_asked(tx: Tx, team: str, questions: Sequence[str]) -> tuple[list[AskedTerm], Statistics]:
    """The words of questions, and how common they are in a workspace."""
    asked = list(dict.fromkeys(term for question in questions for term in list_asked(question)))[:_MOST_TERMS]
    uses = search.count_uses(tx, team, asked)
    language = guess_language(list_written(" ".join(questions)))
    terms = [
        AskedTerm(word, find_variants(tx, team, word, known=word in uses, language=language))
        for word in asked
    ]
    uses |= search.count_uses(tx, team, [word for term in terms for word in term.variants])
    return terms, Statistics(search.measure(tx, team), uses)


def _leave_out_common(weights: dict[str, float], statistics: Statistics) -> dict[str, float]:
    """Words to look for: where rarer ones are asked too, not those that stand in one chunk of eight. They
    count in the order of what is found."""
    most = statistics.corpus.chunks / 8
    rare = {word: weight for word, weight in weights.items() if statistics.uses[word] <= most}
    return rare if len(rare) >= _RARE else weights


def find_by_meaning(
    tx: Tx,
    audience: Audience,
    asked: Mapping[str, AskedVectors],
    near: NearnessSearch,
    *,
    document: str = "",
) -> dict[int, Nearness]:
    """Chunks with their nearness, nearest first, of one `document` or of all. Documents that are being
    embedded anew are found by their old vectors until that is done."""
    found = dict[int, Nearness]()
    documents = stored_vectors.list_embedded(tx, audience) if asked else []
    documents = [one for one in documents if document in ("", one.id)]
    for name, question in asked.items():
        theirs = [one for one in documents if one.embedder == name]
        for vector in question.vectors:
            for one in near.find(tx, theirs, vector, limit=_NEAREST):
                new = Nearness(question.nearness(one.cosine), name)
                found[one.chunk] = max(found.get(one.chunk, new), new, key=lambda near: near.value)
    return dict(sorted(found.items(), key=lambda pair: (-pair[1].value, pair[0]))[:_NEAREST])
