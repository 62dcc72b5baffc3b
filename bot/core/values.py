"""The values that travel through the house: frozen, without behaviour beyond naming what they hold.

Nothing here knows Slack, SQL or a model API. Identifiers (team, channel, user, message) are opaque strings.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from math import ceil
from typing import Any, Literal

Role = Literal["human", "assistant"]

# How a model's text came to its end. Only "stop" is a whole answer.
#   stop      the model finished, or reached a stop sequence
#   length    the output limit cut it
#   cut       it was ended at a stop sequence while the model was still writing
#   thinking  the model was still thinking when it ended
#   tools     the model wanted to use a tool, and there is none
#   filtered  the provider's content filter cut it
#   late      it took longer than a request may take in all
#   broken    the stream ended without a reason, or the line dropped
#   stopped   a person pressed stop
Finish = Literal["stop", "length", "cut", "thinking", "tools", "filtered", "late", "broken", "stopped"]

# What the buttons under an answer ask for.
FOLLOW_UPS = {
    "continue": "Please go on exactly where you were cut off, without repeating anything.",
    "again": "Please answer that again, in another way.",
    "shorter": "Please say that again, much shorter.",
    "longer": "Please say that again, in more detail.",
    "across": "Yes, please go through them.",
}

# What a model request is for; a ledger column.
RequestKind = Literal[
    "answer",
    "summary",
    "guard",
    "title",
    "embedding",
    "transcription",
    "translation",
    "image",
    "decision",
    "moderation",
    "training",
    "rewriting",
    "fields",
]


@dataclass(frozen=True, slots=True)
class Conversation:
    """One thread: (team, channel, root message). The unit of memory, of order and of privacy.

    `whole`: all threads of the channel are one such unit, which `key` names; `thread` is where its answers
    stand.
    """

    team: str
    channel: str
    thread: str
    whole: bool = False

    @property
    def key(self) -> str:
        return f"{self.team}:{self.channel}:{'' if self.whole else self.thread}"


@dataclass(frozen=True, slots=True)
class File:
    """A file somebody shared, as announced: neither its type nor its size is to be believed."""

    id: str
    name: str
    mime: str
    size_bytes: int
    url: str
    voice: bool = False  # recorded as a clip in the client, not uploaded
    stub: bool = False  # only a promise: the details have to be asked for (shared channels)
    kind: str = "file"  # as it is called: "canvas", "picture", "voice clip", …
    preview: str = ""  # address of a JPEG or PNG that Slack made of a picture of another format
    read: bool = False  # a model was given what is in it
    link: str = ""  # where people open it


@dataclass(frozen=True, slots=True)
class Incoming:
    """What a person did that asks for an answer. `key` is the same however often it is delivered."""

    key: str
    conversation: Conversation
    user: str
    message: str  # id of the person's message within the channel
    text: str  # plain text as written or pasted; mentions of the bot removed
    sent_at: datetime
    direct: bool = False  # a DM with the bot
    mentioned: bool = False
    to_others: bool = False  # somebody else, or a group, is mentioned in it, and we are not
    external: bool = False  # the author belongs to another company, or the channel is shared with one
    files: tuple[File, ...] = ()
    asked_anew: bool = False  # its text was changed while it was being answered, and is answered for itself
    follow_up: str = ""  # asked by a button under an answer: one of FOLLOW_UPS
    quoted: str = ""  # what others wrote and came along, under marks (bot/text/marks.py)
    unreadable: tuple[str, ...] = ()  # what of it has no words: "a picture: the plan"
    edited: bool = False  # its author changed it: what was delivered before says less
    added: tuple[Incoming, ...] = ()  # of a question that is asked once more: what went with it
    beside: bool = False  # begins a thread, and is answered in the one of the question that it goes on with
    unfinished: bool = False  # more of it is on its way: another event of the same post, a quote
    by_app: bool = False  # another app asks, one that the operator named; `user` may be the id of its bot
    too_many: bool = False  # an app asked more often than it may, and is told so

    @property
    def remembered_as(self) -> str:
        """The id under which memory keeps its words: the message's own, unless that is taken."""
        return self.key if self.follow_up or self.asked_anew else self.message


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody called us into a channel. `key` is the same however often it is delivered."""

    key: str
    team: str
    channel: str
    inviter: str
    at: float  # unix seconds
    external: bool = False  # the channel is shared with another company


# Of a picture, so many pixels of each side make one patch, which takes so many tokens at most.
# Source: OpenAI's guide "Images and vision", patch-based models; facts measured for other models are lower.
PATCH_PIXELS, PATCH_TOKENS = 32, 1.2


@dataclass(frozen=True, slots=True)
class ShownPicture:
    """A picture as a model is shown it: turned upright, made small enough, with nothing but pixels in it."""

    name: str
    mime: str  # image/jpeg or image/png
    width: int
    height: int
    content: bytes = field(repr=False)

    @property
    def most_tokens(self) -> int:
        """What it takes of a prompt, at most."""
        patches = ceil(self.width / PATCH_PIXELS) * ceil(self.height / PATCH_PIXELS)
        return ceil(patches * PATCH_TOKENS)


@dataclass(frozen=True, slots=True)
class Message:
    """One stored line of a conversation, in the order it was said. `files`: what came with it."""

    role: Role
    text: str
    speaker: str = ""  # user id of a human; empty for the assistant
    whole: bool = True  # False: cut, broken or stopped; shown to the model as such
    to: str = ""  # user id of whom the assistant answered; empty for a human, or where nobody knows
    files: tuple[File, ...] = field(default=(), compare=False)
    pictures: tuple[ShownPicture, ...] = ()  # that came with it; a model that cannot see gets their names


@dataclass(frozen=True, slots=True)
class Prompt:
    """All that a model reads, stable part first: instructions, summary, history, then what is asked now.

    `context` stands between history and question (shared passages, what is on screen), so that the prefix
    before it stays byte-identical from turn to turn and is served from the provider's cache. For the same
    reason `about`, what is told about the question (who asks, where and when), stands behind it. `form` is a
    JSON schema: where the endpoint knows such a thing, the answer is one JSON value of that form.
    """

    system: str
    messages: tuple[Message, ...]  # the last one is the person's
    summary: str = ""
    context: str = ""
    about: str = ""
    cache_key: str = ""
    form: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """For whom and what a model request is made; each ledger row carries it."""

    team: str
    channel: str
    user: str
    conversation: str  # Conversation.key
    kind: RequestKind


@dataclass(frozen=True, slots=True)
class Usage:
    """What a provider says it used. `input_tokens` includes `cached_tokens` and `cache_write_tokens`."""

    input_tokens: int = 0
    cached_tokens: int = 0
    cache_write_tokens: int = 0
    output_tokens: int = 0
    input_audio_tokens: int = 0
    audio_seconds: float = 0.0
    images: int = 0
    requests: int = 1
    estimated: bool = False  # counted by us, because the provider said nothing


@dataclass(frozen=True, slots=True)
class Completion:
    """The end of a model's answer."""

    text: str
    finish: Finish
    model: str
    usage: Usage
    cost_usd: Decimal | None = None  # None: unpriced
    instead_of: str = ""  # the model that was asked first and did not answer
    unseen: bool = False  # there were pictures, and the model was asked without them


@dataclass(frozen=True, slots=True)
class Source:
    """Where a statement of an answer stands: `number` as the answer names it, `link` to the file or thread
    in Slack ("": there is none). Titles, places and quotes are data: whoever wrote the document wrote
    them."""

    number: int
    title: str
    place: str = ""  # "page 3", "slide 2", "Prices, rows 2–40"
    link: str = ""
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What is to be said to a person, before it becomes Slack's."""

    text: str
    whole: bool = True
    notes: tuple[str, ...] = ()  # short sentences under the text: cut, partial thread, sorry for the wait
    retryable: bool = False  # offer the asker one retry button
    verdict: int = 0  # of the guard, when it acted on one: people may overrule it
    follow_ups: tuple[str, ...] = ()  # buttons that ask for more: of FOLLOW_UPS
    disclosure: str = ""  # that an AI says it, under a person's first answer
    to_channel: bool = False  # it stands in the channel, not in the thread of the question
    sources: tuple[Source, ...] = ()  # of its statements, under the text
    note: str = ""  # the note that was kept for this: it can be taken back
    against: str = ""  # the older note or document that says otherwise: which of them holds is asked


@dataclass(frozen=True, slots=True)
class WordsKept:
    """How much is kept of a person or a thread, or went of it: by kind (storage/privacy/kept.py). `requests`:
    model requests in the sums; `under_way`: questions that have no answer yet."""

    kinds: Mapping[str, int]
    threads: int = 0
    requests: int = 0
    under_way: int = 0
