"""What is kept of how an answer came about, for whoever asks why: numbers and a model's name, no words.

What was asked and quoted is looked up where it is kept anyway when somebody wants to know: what was forgotten
or removed since is not told.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from decimal import Decimal
from typing import Any

from bot.conversation.turn_values import Turn
from bot.core.ids import reply_id
from bot.core.values import Completion, Conversation, Message
from bot.knowledge.document_question import DocumentAnswer, LookedAt, Search
from bot.knowledge.follow_up import make_standalone
from storage.conversation import messages, replies
from storage.engine import Engine, Tx
from storage.knowledge.looked_at import ShownChunk, find_shown


@dataclass(frozen=True, slots=True)
class RequestAccount:
    """One request to a model, of those that an answer took."""

    model: str
    input_tokens: int
    output_tokens: int
    cost_usd: str | None


@dataclass(frozen=True, slots=True)
class DocumentsAccount:
    """How documents were asked for an answer. `asked`: the request that came to nothing, where another one
    gave the answer; `rewriting`: the one that made a question of a follow-up."""

    search: Search
    asked: RequestAccount | None = None
    rewriting: RequestAccount | None = None


@dataclass(frozen=True, slots=True)
class Account:
    """How an answer came about. `messages`: of the thread, read beside the question."""

    model: str
    messages: int
    summary: bool  # of what was said before those
    left_out: bool  # older messages were not read at all
    input_tokens: int
    output_tokens: int
    estimated: bool  # counted by us
    cost_usd: str | None  # a decimal; None: no price is known
    instead_of: str = ""  # the model that was asked first and did not answer
    hidden: int = 0  # messages that the guard refused, and the model did not read
    documents: DocumentsAccount | None = None
    pictures: int = 0  # that it was shown
    attached: bool = False  # it read what files of the conversation say
    picture_tokens: int = 0  # of those read, at most
    attached_tokens: int = 0  # of those read, counted by us


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """A reply that was looked up: whose question it answers, and how; None when no model was asked.

    `searched`: the question as documents were searched for it; `chunks`: what was found, as far as it may
    still be shown.
    """

    asker: str
    account: Account | None
    searched: tuple[str, ...] = ()
    chunks: Mapping[tuple[str, int], ShownChunk] | None = None
    reply: str = ""  # its id


def make_account(turn: Turn) -> Account | None:
    """What is to be kept of a turn; None when no model was asked, nor documents."""
    completion, past = turn.completion, turn.recollection
    if completion is None or past is None or not (completion.model or turn.documents):
        return None
    usage = completion.usage
    pictures = [*past.pictures, *(picture for message in past.messages for picture in message.pictures)]
    return Account(
        model=completion.model,
        messages=len(past.messages),
        summary=bool(past.summary),
        left_out=past.left_out or past.seen is not None,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        estimated=usage.estimated,
        cost_usd=_write_cost(completion),
        instead_of=completion.instead_of,
        hidden=past.hidden,
        documents=_account_documents(turn.documents, completion),
        pictures=len(pictures),
        picture_tokens=sum(picture.most_tokens for picture in pictures),
        attached=turn.attached_tokens > 0,
        attached_tokens=turn.attached_tokens,
    )


def _account_documents(found: DocumentAnswer | None, answer: Completion) -> DocumentsAccount | None:
    if found is None:
        return None
    return DocumentsAccount(
        found.search,
        None if found.completion is answer else _account_request(found.completion),
        _account_request(found.rewriting.completion) if found.rewriting else None,
    )


def _account_request(made: Completion) -> RequestAccount | None:
    if not made.model:
        return None
    usage = made.usage
    return RequestAccount(made.model, usage.input_tokens, usage.output_tokens, _write_cost(made))


def _write_cost(completion: Completion) -> str | None:
    return None if completion.cost_usd is None else str(completion.cost_usd)


async def find_record(engine: Engine, place: Conversation, message: str, *, key: str) -> AnswerRecord | None:
    """What is kept of the reply that occupies a message, or answers it (`key`: its job's); None when there
    is none."""
    row = await engine.read(replies.find_account, place.key, message, reply_id(key))
    if row is None:
        return None
    account = load_account(row["account"])
    if account is None or account.documents is None:
        return AnswerRecord(row["asker"], account, reply=row["id"])
    wanted = [(one.document, one.chunk) for one in account.documents.search.passages if one.document]
    return AnswerRecord(
        row["asker"],
        account,
        await engine.read(_find_searched, place, row["id"]),
        await engine.read(find_shown, place.team, wanted),
        row["id"],
    )


def _find_searched(tx: Tx, place: Conversation, reply: str) -> tuple[str, ...]:
    """The question as it was searched for, while what was said is remembered."""
    if written := messages.find_searched(tx, place.key, reply):
        return (written,)
    said = messages.recall(tx, place.key).messages
    end = next((at for at, one in enumerate(said) if one.message.endswith(f"/{reply}")), 0)
    before = [Message("human" if one.role == "human" else "assistant", one.text) for one in said[:end]]
    return tuple(make_standalone(before)) if before else ()


def dump_account(account: Account | None) -> str | None:
    return None if account is None else json.dumps(asdict(account))


def load_account(text: str | None) -> Account | None:
    """What `dump_account` wrote, in this version or an earlier one."""
    if not text:
        return None
    read = json.loads(text)
    documents = read.pop("documents", None)
    return Account(**read, documents=_load_documents(documents) if documents else None)


def _load_documents(read: dict[str, Any]) -> DocumentsAccount:
    search = read["search"]
    passages = tuple(
        LookedAt(**one | {"quoted": tuple((begin, end) for begin, end in one["quoted"])})
        for one in search["passages"]
    )
    requests = {name: RequestAccount(**told) for name in ("asked", "rewriting") if (told := read.get(name))}
    return DocumentsAccount(Search(**search | {"passages": passages}), **requests)


def price(cost_usd: str | None) -> Decimal | None:
    """What something cost in dollars; None: no price is known."""
    return None if cost_usd is None else Decimal(cost_usd)
