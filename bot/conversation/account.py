"""What is kept of how an answer came about, for whoever asks why: numbers and a model's name, no words."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from decimal import Decimal

from bot.conversation.turn import Turn
from bot.core.ids import reply_id
from bot.core.values import Conversation
from storage.conversation import replies
from storage.engine import Engine


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


@dataclass(frozen=True, slots=True)
class AnswerRecord:
    """A reply that was looked up: whose question it answers, and how; None when no model was asked."""

    asker: str
    account: Account | None


def make_account(turn: Turn) -> Account | None:
    """What is to be kept of a turn; None when no model was asked."""
    completion, past = turn.completion, turn.recollection
    if completion is None or past is None or not completion.model:
        return None
    usage = completion.usage
    return Account(
        model=completion.model,
        messages=len(past.messages),
        summary=bool(past.summary),
        left_out=past.left_out or past.seen is not None,
        input_tokens=usage.input_tokens,
        output_tokens=usage.output_tokens,
        estimated=usage.estimated,
        cost_usd=None if completion.cost_usd is None else str(completion.cost_usd),
        instead_of=completion.instead_of,
    )


async def find_record(engine: Engine, place: Conversation, message: str, *, key: str) -> AnswerRecord | None:
    """What is kept of the reply that occupies a message, or answers it (`key`: its job's); None when there
    is none."""
    row = await engine.read(replies.find_account, place.key, message, reply_id(key))
    if row is None:
        return None
    return AnswerRecord(row["asker"], Account(**json.loads(row["account"])) if row["account"] else None)


def dump_account(account: Account | None) -> str | None:
    return None if account is None else json.dumps(asdict(account))


def price(account: Account) -> Decimal | None:
    """What the answer cost in dollars; None: no price is known."""
    return None if account.cost_usd is None else Decimal(account.cost_usd)
