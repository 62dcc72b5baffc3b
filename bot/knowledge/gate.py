"""Whether it is sure that passages do not answer a question, before a model is asked.

Sure it is only where they have few words in common *and* nothing near in meaning, which embeddings tell: a
passage may answer a question in other words, and in another language. Without embeddings nothing is sure.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from bot.knowledge.support import measure_touch
from bot.ml.answer_classifier import AnswerHead, Pair, describe, load
from bot.ml.answer_features import Collection

_FEW_WORDS = 0.34  # share of the question's words that a passage has
# Of 0 for texts that have nothing to do with each other and 1 for the same. Of 280 questions to the documents
# of tests/bench/knowledge, by both models of this machine, none that is answered has only passages below
# 0.15.
_FAR = 0.13
_UNLIKELY = 0.12  # by the head
LOOKED_AT = 8  # passages, the nearest ones
HEADS = ("answerable_minilm.json", "answerable_e5.json", "answerable.json")  # of words alone: last


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that may answer. `nearness`: of its vector to the question's, 0 for none, 1 for the same;
    None without embeddings. `embedder`: the one that made both."""

    text: str
    nearness: float | None = None
    embedder: str = ""


@dataclass(frozen=True, slots=True)
class Judged:
    """How likely each of the passages answers, 0 to 1, and whether it is sure that none does."""

    probabilities: tuple[float, ...]
    nothing: bool

    @property
    def likeliest(self) -> float:
        return max(self.probabilities, default=0.0)


@cache
def load_head(embedder: str = "") -> AnswerHead:
    """A head shipped in the package: trained on nine articles of SQuAD 2.0 with four kinds of negatives
    (`python -m tests.ml.make_head`). For an embedder that none was trained with, the one of words alone."""
    folder = files("bot.ml")
    heads = (load(folder.joinpath(name).read_bytes()) for name in HEADS)
    return next(head for head in heads if head.embedder in {embedder, ""})


def judge(questions: Sequence[str], candidates: Sequence[Candidate], own: AnswerHead | None = None) -> Judged:
    """`questions`: the same one in several wordings; `own`: the head of the channel, where it has one. It
    takes about a millisecond for each pair."""
    collection = Collection([one.text for one in candidates])
    probabilities = tuple(
        max(_estimate(question, one, candidates, collection, own=own) for question in questions)
        for one in candidates
    )
    nothing = bool(candidates) and all(
        probability < _UNLIKELY and _has_nothing(questions, one)
        for probability, one in zip(probabilities, candidates, strict=True)
    )
    return Judged(probabilities, nothing)


def _estimate(
    question: str,
    candidate: Candidate,
    candidates: Sequence[Candidate],
    collection: Collection,
    *,
    own: AnswerHead | None,
) -> float:
    shipped = find_shipped(candidate)
    head = own if own and own.embedder == shipped.embedder else shipped
    return head.judge(describe_candidate(question, candidate, candidates, collection))


def find_shipped(candidate: Candidate) -> AnswerHead:
    """The head of its embedder where it is near enough to have been found by meaning."""
    return load_head(candidate.embedder if candidate.nearness is not None else "")


def describe_candidate(
    question: str, candidate: Candidate, candidates: Sequence[Candidate], collection: Collection
) -> list[float]:
    """As its head judges it, beside the others that were found."""
    if not find_shipped(candidate).embedder:
        return describe(Pair(candidate.text, question, True), collection)
    behind = _measure_behind(candidate, candidates)
    return describe(Pair(candidate.text, question, True, candidate.nearness, behind), collection)


def _measure_behind(candidate: Candidate, candidates: Sequence[Candidate]) -> float:
    """How much nearer another one is, of those of the same embedder."""
    comparable = (one for one in candidates if one.embedder == candidate.embedder)
    return max(one.nearness or 0.0 for one in comparable) - (candidate.nearness or 0.0)


def _has_nothing(questions: Sequence[str], candidate: Candidate) -> bool:
    """Few words in common with any wording, and nothing near in meaning."""
    if candidate.nearness is None or candidate.nearness >= _FAR:
        return False
    return all(measure_touch(question, candidate.text) <= _FEW_WORDS for question in questions)
