"""The outbox: one row per reply, from before the model is asked until Slack has all of it.

`opening` (nothing asked yet) → `open` (something of it is to be seen in Slack) → `answered` (its final form
is stored) → `sent`; or `withdrawn`, when the question was deleted. The id is the same in every attempt, so
a crash at any point finds the row and goes on from it. What the reply says (`payload`) is the caller's
JSON. What people thought of it, and the one retry of a failed one, are kept beside it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from bot.core.errors import Conflict, Missing, NotPermitted, TriedAgain
from storage.engine import Tx
from storage.place import Place

RETRYABLE_S = 7 * 86_400.0  # how long the retry button works


@dataclass(frozen=True, slots=True)
class ReplyRow:
    """A reply as far as it got. `messages`: ids of the Slack messages it occupies, in order.

    `sending`: something of it may stand in Slack; `session`: its thread may show that somebody is at work;
    `stopped`: its person wants no more of it.
    """

    id: str
    job: int
    conversation: str
    team: str
    channel: str
    thread: str
    asker: str
    state: str
    payload: str | None
    messages: tuple[str, ...]
    sending: int
    session: int
    stopped: int


@dataclass(frozen=True, slots=True)
class LeftInSlack:
    """What a reply whose process died shows: ids of messages that are being written, a session at work."""

    id: str
    conversation: str
    channel: str
    thread: str
    messages: tuple[str, ...]
    session: int


_ROW = (
    "id, job, conversation, team, channel, thread, asker, state, payload, messages, sending, session, stopped"
)


def begin(
    tx: Tx, reply_id: str, job: int, place: Place, asker: str, *, sending: bool, now: float
) -> ReplyRow:
    """The reply's row as an earlier attempt left it, or made now. It keeps the job's payload for a retry.

    `sending`: from here on something of it may stand in Slack.
    """
    made = tx.one(
        "insert into replies"
        " (id, job, conversation, team, channel, thread, asker, sending, begun_at, question)"
        " values (:id, :job, :conversation, :team, :channel, :thread, :asker, :sending, :now,"
        f" (select payload from inbox where seq = :job)) on conflict (id) do nothing returning {_ROW}",
        id=reply_id,
        job=job,
        conversation=place.key,
        team=place.team,
        channel=place.channel,
        thread=place.thread,
        asker=asker,
        sending=int(sending),
        now=now,
    )
    if made is not None:
        return replace(_row(made), sending=0)
    before = get(tx, reply_id)
    if sending and not before.sending:
        mark_sending(tx, reply_id)
    return before


def mark_sending(tx: Tx, reply_id: str, *, sending: bool = True) -> None:
    """From now on something of the reply may stand in Slack; or certainly nothing does."""
    tx.run("update replies set sending = :sending where id = :id", id=reply_id, sending=int(sending))


def mark_session(tx: Tx, reply_id: str, *, shown: bool) -> None:
    """Whether the reply's thread may show that somebody is at work."""
    tx.run("update replies set session = :shown where id = :id", id=reply_id, shown=int(shown))


def list_left(tx: Tx, *, me: int = 0) -> list[LeftInSlack]:
    """What stands in Slack of replies that nobody works on now, or soon may not, the oldest first. `me`: the
    process that asks; what others work on is theirs."""
    rows = tx.all(
        "select id, conversation, channel, thread, session,"
        " case when state = 'open' then messages else '[]' end as messages from replies"
        " where (session = 1 or (sent_at is null and state = 'open')) and not exists"
        " (select 1 from inbox where inbox.conversation = replies.conversation and inbox.running = 1"
        " and inbox.worker <> :me and inbox.worker in (select id from workers)) order by begun_at",
        me=me,
    )
    return [LeftInSlack(**row | {"messages": tuple(json.loads(row["messages"]))}) for row in rows]


def find(tx: Tx, reply_id: str) -> ReplyRow | None:
    """The reply's row."""
    row = tx.one(f"select {_ROW} from replies where id = :id", id=reply_id)
    return _row(row) if row else None


def get(tx: Tx, reply_id: str) -> ReplyRow:
    """The reply's row. Missing when there is none."""
    row = find(tx, reply_id)
    if row is None:
        raise Missing(f"no reply {reply_id}")
    return row


def mark_stopped(tx: Tx, place: Place) -> bool:
    """Notes for whoever works on an answer in a thread, or goes on with it, that nobody wants more of it;
    whether there is one that is not all in Slack yet."""
    stopped = (
        "update replies set stopped = 1 where conversation = :conversation and thread = :thread"
        " and sent_at is null and state <> 'withdrawn'"
    )
    return tx.changed(stopped, conversation=place.key, thread=place.thread) > 0


def count_in_thread(tx: Tx, place: Place) -> int:
    """How many answers stand in a thread, which may be one of many in its conversation."""
    given = (
        "select count(*) as given from replies where conversation = :conversation and thread = :thread"
        " and state = 'sent'"
    )
    row = tx.one(given, conversation=place.key, thread=place.thread)
    return int(row["given"]) if row else 0


def is_answered(tx: Tx, reply_id: str) -> bool:
    """Whether an answer is written, and not all of it is in Slack yet."""
    answered = "select 1 as found from replies where id = :id and state = 'answered'"
    return tx.one(answered, id=reply_id) is not None


def shown_in(tx: Tx, conversation: str, message: str) -> str | None:
    """The id of the reply that occupies a message."""
    row = tx.one(
        "select id from replies where conversation = :conversation and messages like :message",
        conversation=conversation,
        message=f'%"{message}"%',
    )
    return None if row is None else str(row["id"])


def mark_opened(tx: Tx, reply_id: str, messages: list[str]) -> None:
    """Part of the reply can be seen in these messages. Says nothing once the reply is answered."""
    tx.run(
        "update replies set state = 'open', messages = :messages"
        " where id = :id and state in ('opening', 'open')",
        id=reply_id,
        messages=json.dumps(messages),
    )


def mark_answered(tx: Tx, reply_id: str, payload: str, *, account: str | None = None) -> None:
    """What the reply says is final; from here on it is only delivered, never asked for again.

    `account` tells how it came about, without words.
    """
    _change(
        tx,
        reply_id,
        "update replies set state = 'answered', payload = :payload, account = :account",
        payload=payload,
        account=account,
    )


def find_account(tx: Tx, conversation: str, message: str, reply_id: str) -> dict[str, Any] | None:
    """Id, asker and account of the reply that occupies a message of a conversation, or has this id there."""
    return tx.one(
        "select id, asker, account from replies where conversation = :conversation"
        " and (messages like :message or id = :id) order by begun_at desc limit 1",
        conversation=conversation,
        message=f'%"{message}"%',
        id=reply_id,
    )


def mark_sent(
    tx: Tx,
    reply_id: str,
    messages: list[str],
    *,
    now: float,
    retryable: bool = False,
    session: bool = False,
) -> None:
    """Slack has all of it, in these messages, and it is kept here no longer.

    `retryable`: the person may want it tried again, so the question stays until `tidy`. `session`: that its
    thread shows somebody at work has still to be taken back.
    """
    _change(
        tx,
        reply_id,
        "update replies set state = 'sent', payload = null, messages = :messages, sent_at = :now,"
        " session = :session, question = case when :retryable = 1 then question end",
        session=int(session),
        messages=json.dumps(messages),
        retryable=int(retryable),
        now=now,
    )


def mark_withdrawn(tx: Tx, reply_id: str, *, now: float) -> None:
    """Nothing of it is left to be seen."""
    _change(
        tx,
        reply_id,
        "update replies set state = 'withdrawn', payload = null, question = null, messages = '[]',"
        " sent_at = :now",
        now=now,
    )


def in_the_making(tx: Tx, reply_id: str) -> bool:
    """Whether a reply was begun by a job that will go on with it."""
    going_on = (
        "select 1 as found from replies join inbox on inbox.seq = replies.job"
        " where replies.id = :id and replies.sent_at is null and inbox.state = 'new'"
    )
    return tx.one(going_on, id=reply_id) is not None


def erase_question(tx: Tx, reply_id: str) -> None:
    """The question was deleted: it is not to be tried again."""
    tx.run("update replies set question = null where id = :id", id=reply_id)


def blank(tx: Tx, reply_id: str) -> None:
    """No word of question or answer is kept any longer."""
    tx.run("update replies set payload = null, question = null where id = :id", id=reply_id)


def find_question(tx: Tx, reply_id: str) -> str | None:
    """The payload of its job, as long as it is kept."""
    row = tx.one("select question from replies where id = :id", id=reply_id)
    return row["question"] if row else None


def amend_question(tx: Tx, reply_id: str, change: Callable[[str], str]) -> None:
    """The question was changed: if it is tried again, then as it is now."""
    while (question := find_question(tx, reply_id)) is not None:
        changed = "update replies set question = :changed where id = :id and question = :question"
        if tx.changed(changed, changed=change(question), id=reply_id, question=question):
            return


def retryable(tx: Tx, reply_id: str, user: str) -> str:
    """The payload of the job to be done again: once, for whoever asked. NotPermitted, TriedAgain, Missing."""
    reply = tx.one("select asker, retried_at, question from replies where id = :id", id=reply_id)
    if reply is None:
        raise Missing(f"no reply {reply_id}")
    if reply["asker"] != user:
        raise NotPermitted("only the person who asked can try this again")
    if reply["retried_at"] is not None:
        raise TriedAgain(f"reply {reply_id}")
    if reply["question"] is None:
        raise Missing(f"the question of reply {reply_id} is no longer kept")
    return str(reply["question"])


def use_retry(tx: Tx, reply_id: str, user: str, question: str, *, now: float) -> None:
    """The question is asked again, in this transaction. As `retryable`; Conflict when it is another now."""
    used = tx.changed(
        "update replies set retried_at = :now, question = null"
        " where id = :id and asker = :user and retried_at is null and question = :question",
        id=reply_id,
        user=user,
        question=question,
        now=now,
    )
    if not used:
        retryable(tx, reply_id, user)
        raise Conflict(f"the question of reply {reply_id} was changed")


def judge(tx: Tx, reply_id: str, team: str, person: str, verdict: int, *, now: float) -> None:
    """What a person thinks of a reply: 1 good, -1 bad. Each has one voice and may change it. Missing."""
    if verdict not in (1, -1):
        raise ValueError(verdict)
    if get(tx, reply_id).team != team:
        raise Missing(f"no reply {reply_id} in {team}")
    tx.run(
        "insert into feedback (reply, team, person, verdict, at)"
        " values (:reply, :team, :person, :verdict, :now)"
        " on conflict (reply, person) do update set verdict = excluded.verdict, at = excluded.at",
        reply=reply_id,
        team=team,
        person=person,
        verdict=verdict,
        now=now,
    )


def tidy(tx: Tx, *, now: float, limit: int = 500) -> int:
    """Erases questions that nobody tried again for a long time; how many. Repeat while it is not 0."""
    return tx.changed(
        "update replies set question = null where id in (select id from replies"
        " where question is not null and sent_at < :before limit :limit)",
        before=now - RETRYABLE_S,
        limit=limit,
    )


def _row(row: dict[str, Any]) -> ReplyRow:
    return ReplyRow(**row | {"messages": tuple(json.loads(row["messages"]))})


def _change(tx: Tx, reply_id: str, update: str, **values: object) -> None:
    if not tx.changed(f"{update} where id = :id", id=reply_id, **values):
        raise Missing(f"no reply {reply_id}")
