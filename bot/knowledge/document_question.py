"""A question to documents and what they say to it, as a turn hands them over and an account keeps them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from bot.core.values import Completion, Incoming, Prompt, Scope, Source
from bot.knowledge.quotes import Refused
from bot.knowledge.rewriting import Rewriting

# only: from documents or not at all · first: else from what the model knows · off: documents are not asked
DocumentMode = Literal["only", "first", "off"]


@dataclass(frozen=True, slots=True)
class DocumentQuestion:
    """A question, and how a model is asked it there.

    `typed`: passages that the channel's owner wrote into its settings; `about_us`: it may be about the
    assistant, of which no document says anything.
    """

    incoming: Incoming
    prompt: Prompt
    scope: Scope
    budget_tokens: int
    typed: tuple[str, ...] = ()
    model: str = ""
    style: str = ""
    about_us: bool = False
    progress: Callable[[int, int], None] | None = None  # (done, of) where many documents are gone through


@dataclass(frozen=True, slots=True)
class LookedAt:
    """A passage that was looked at: which, found by which ranks, how likely it answers; `quoted`: from where
    to where in its text the answer stands. Numbers alone: what is erased is told no more."""

    document: str
    chunk: int
    word_rank: int | None = None
    vector_rank: int | None = None
    probability: float | None = None
    quoted: tuple[tuple[int, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Search:
    """How documents were asked, for whoever wants to know why. `whole`: all of them were read."""

    whole: bool = False
    passages: tuple[LookedAt, ...] = ()
    refused: Refused = ""


@dataclass(frozen=True, slots=True)
class DocumentAnswer:
    """What documents say to a question; `completion.text` is the refusal where that is nothing.

    `nearest` is what came closest then, as a person is told it; `notes` stand under an answer; `rewriting`:
    the question as a model wrote it to be searched with.
    """

    completion: Completion
    sources: tuple[Source, ...] = ()
    nearest: str = ""
    nearest_document: str = ""  # in which that stands; "" of what the owner typed
    notes: tuple[str, ...] = ()
    refused: bool = False
    search: Search = field(default_factory=Search)
    rewriting: Rewriting | None = None
    question: str = ""  # as it was searched for, where its answer may be learned from
    follow_ups: tuple[str, ...] = ()  # buttons under it
