"""Documents as a turn asks them: what can be said to a question from what may be read where it is asked.

`Knowledge.answer` is the one way, for documents and for passages that a channel's owner typed alike; None
where there is nothing to answer from. What was attached to a thread is read by `Knowledge.read_attached`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from bot.core.values import Completion, Message, Prompt, Scope

# only: from documents or not at all · first: else from what the model knows · off: documents are not asked
DocumentMode = Literal["only", "first", "off"]


@dataclass(frozen=True, slots=True)
class DocumentQuestion:
    """A question, from where it is asked, and how a model is asked there.

    `audience` says what may be found; `typed`: passages that the channel's owner wrote into its settings.
    """

    prompt: Prompt
    audience: Any
    mode: DocumentMode
    scope: Scope
    budget_tokens: int
    typed: tuple[str, ...] = ()
    model: str = ""
    style: str = ""


@dataclass(frozen=True, slots=True)
class DocumentSource:
    """Where a statement stands: `number` as the answer names it, `link` to the file or thread ("": none)."""

    number: int
    title: str
    place: str
    link: str
    quote: str


@dataclass(frozen=True, slots=True)
class DocumentAnswer:
    """What documents say to a question; `completion.text` is the refusal where that is nothing.

    `nearest` is what came closest then, as a person is told it.
    """

    completion: Completion
    sources: tuple[DocumentSource, ...] = ()
    nearest: str = ""

    @property
    def refused(self) -> bool:
        return not self.sources


class AsksDocuments(Protocol):
    """What a turn asks of documents."""

    async def answer(self, asked: DocumentQuestion) -> DocumentAnswer | None:
        """From documents; None where there are none to ask, or none of them can have the answer."""

    async def read_attached(
        self, audience: Any, messages: Sequence[Message], *, most_tokens: int, scope: Scope, model: str
    ) -> str:
        """What was attached in this thread, for a prompt's context: whole where it fits, else what is nearest
        to the last message; "" for nothing."""
