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
from bot.ml.answer_classifier import AnswerHead, load
from bot.ml.answer_features import Collection

_FEW_WORDS = 0.2  # share of the question's words that a passage has
# Of 0 for texts that have nothing to do with each other and 1 for the same. Of 76 questions to the company of
# tests/bench/knowledge none that is answered has only passages below 0.19.
_FAR = 0.15
_UNLIKELY = 0.12  # by the head
LOOKED_AT = 8  # passages, the nearest ones


@dataclass(frozen=True, slots=True)
class Candidate:
    """A passage that may answer. `nearness`: of its vector to the question's, 0 for none, 1 for the same;
    None without embeddings."""

    text: str
    nearness: float | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """How likely each of the passages answers, 0 to 1, and whether it is sure that none does."""

    probabilities: tuple[float, ...]
    nothing: bool

    @property
    def likeliest(self) -> float:
        return max(self.probabilities, default=0.0)


@cache
def load_head() -> AnswerHead:
    """The head shipped in the package: trained on nine articles of SQuAD 2.0 with four kinds of negatives
    (`python -m tests.ml.make_head`)."""
    return load(files("bot.ml").joinpath("answerable.json").read_bytes())


def judge(questions: Sequence[str], candidates: Sequence[Candidate]) -> Judged:
    """`questions`: the same one in several wordings. It takes about a millisecond for each pair."""
    collection, head = Collection([one.text for one in candidates]), load_head()
    probabilities = tuple(
        max(head.probability(question, one.text, collection) for question in questions) for one in candidates
    )
    nothing = bool(candidates) and all(
        probability < _UNLIKELY and _has_nothing(questions, one)
        for probability, one in zip(probabilities, candidates, strict=True)
    )
    return Judged(probabilities, nothing)


def _has_nothing(questions: Sequence[str], candidate: Candidate) -> bool:
    """Few words in common with any wording, and nothing near in meaning."""
    if candidate.nearness is None or candidate.nearness >= _FAR:
        return False
    return all(measure_touch(question, candidate.text) <= _FEW_WORDS for question in questions)
