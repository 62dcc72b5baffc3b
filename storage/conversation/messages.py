"""What was said in conversations: append-only messages, and summaries of their beginnings.

A summary stands for every message up to a row (`upto`); recalling reads the last summary and what came after
it, by index, so its price does not grow with the conversation's age. Earlier summaries are kept: when a
message is deleted or changed, every summary that may contain it goes, and the one before it is the new start.
When to summarise is bot/conversation/memory.py's decision; forgetting whole conversations and people is
storage/privacy/forget.py.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import takewhile
from typing import Any

from storage.conversation import summaries, tombstones
from storage.conversation.storable import storable
from storage.engine import Tx
from storage.place import Place

_ONE = "team = :team and channel = :channel and message = :message"
RECALLED = 400  # messages after the last summary that are read at most
BEFORE = 20  # messages before one that are read at most


@dataclass(frozen=True, slots=True)
class Stored:
    """A message as it is kept. `person`: who said it, or whom the assistant answered; `at`: unix seconds;
    `files`: what came with it, as JSON."""

    seq: int
    message: str
    role: str
    person: str
    text: str
    tokens: int
    whole: bool
    at: float
    files: str = ""


@dataclass(frozen=True, slots=True)
class Recalled:
    """A conversation as it is to be continued, oldest message first.

    `complete` is False when there were more messages than are read at once. `turns` counts answers ever
    given; `erasures` what was ever deleted or changed, for `summarise`; `failed_summaries` tries in vain
    since the last summary, and `summarise_after` when there may be another. Times are unix seconds or None.
    """

    summary: str = ""
    upto: int = 0
    summary_tokens: int = 0
    summarised_at: float = 0.0
    messages: tuple[Stored, ...] = ()
    complete: bool = True
    turns: int = 0
    erasures: int = 0
    last_at: float | None = None
    forgotten_at: float | None = None
    failed_summaries: int = 0
    summarise_after: float = 0.0

    @property
    def untouched(self) -> bool:
        """Nothing was answered in it yet, and nothing of it forgotten: what was said before is still to be
        read."""
        return self.turns == 0 and self.forgotten_at is None


def answer_id(message: str, reply: str) -> str:
    """The id under which the answer to a post is remembered. It begins with the post's, so that both stand
    side by side in an index too: what is due together is deleted together, with few pages written."""
    return f"{message}/{reply}"


def append(
    tx: Tx,
    place: Place,
    *,
    role: str,
    message: str,
    person: str,
    text: str,
    tokens: int = 0,
    whole: bool = True,
    files: str = "",
    now: float,
) -> bool:
    """Remembers one message; False when it is known already, or was forgotten and must stay so.

    `message` is unique within (team, channel): the id of a person's message, any id of ours for an answer.
    Rows of a conversation are committed in the order of their numbers, by which summaries go.
    """
    tx.lock(place.key)
    tombstones.lock(tx, place.team, place.channel, message)
    new = tx.changed(
        "insert into messages"
        " (conversation, team, channel, message, role, person, text, tokens, whole, files, at)"
        " select :conversation, :team, :channel, :message, :role, :person, :text, :tokens, :whole, :files,"
        " :now"
        f" where {tombstones.NOT_FORGOTTEN} on conflict (team, channel, message) do nothing",
        digest=tombstones.digest_of(place.team, place.channel, message),
        conversation=place.key,
        team=place.team,
        channel=place.channel,
        message=message,
        role=role,
        person=person,
        text=storable(text),
        tokens=tokens,
        whole=int(whole),
        files=files,
        now=now,
    )
    if not new:
        return False
    if tombstones.forgotten(tx, place.team, place.channel, message):
        # It was there, and was being forgotten; the insert waited for the end of that.
        retract(tx, place.team, place.channel, message)
        return False
    _note(tx, place, turns=int(role == "assistant"), now=now)
    return True


def _note(tx: Tx, place: Place, *, turns: int, now: float) -> None:
    tx.run(
        "insert into conversations (key, team, turns, last_at) values (:key, :team, :turns, :now)"
        " on conflict (key) do update set turns = conversations.turns + :turns, last_at = :now",
        key=place.key,
        team=place.team,
        turns=turns,
        now=now,
    )


def count_turn(tx: Tx, place: Place, *, now: float) -> None:
    """An answer was given of which no word is kept."""
    _note(tx, place, turns=1, now=now)


def recall(tx: Tx, conversation: str, *, limit: int = RECALLED) -> Recalled:
    """The last summary and the newest `limit` messages after it. Empty for a conversation never seen."""
    about = tx.one(
        "select turns, erasures, last_at, forgotten_at, failed_summaries, summarise_after from conversations"
        " where key = :key",
        key=conversation,
    )
    if about is None:
        return Recalled()
    summary = tx.one(
        "select text as summary, upto, tokens as summary_tokens, at as summarised_at from summaries"
        " where conversation = :conversation order by upto desc limit 1",
        conversation=conversation,
    )
    rows = tx.all(
        "select seq, message, role, person, text, tokens, whole, at, files from messages"
        " where conversation = :conversation and seq > :upto order by seq desc limit :limit",
        conversation=conversation,
        upto=summary["upto"] if summary else 0,
        limit=limit + 1,
    )
    messages = tuple(_stored(row) for row in reversed(rows[:limit]))
    return Recalled(**about | (summary or {}), messages=messages, complete=len(rows) <= limit)


def _stored(row: dict[str, Any]) -> Stored:
    return Stored(**row | {"whole": bool(row["whole"])})


def knows_conversation(tx: Tx, conversation: str) -> bool:
    """Whether the bot takes part: it was asked something here, even if all of it was forgotten since."""
    said = "select 1 as found from conversations where key = :key"
    replied = "select 1 as found from replies where conversation = :key limit 1"
    return tx.one(said, key=conversation) is not None or tx.one(replied, key=conversation) is not None


def speaks_in(tx: Tx, conversation: str, person: str) -> bool:
    """Whether a person said something in a conversation, or was answered there."""
    said = "select 1 as found from messages where conversation = :conversation and person = :person limit 1"
    return tx.one(said, conversation=conversation, person=person) is not None


def latest_of(tx: Tx, team: str, channel: str, person: str) -> str | None:
    """The thread of a channel in which a person spoke last; "" where all of them are one conversation."""
    row = tx.one(
        "select conversation from messages where team = :team and channel = :channel and person = :person"
        " order by seq desc limit 1",
        team=team,
        channel=channel,
        person=person,
    )
    return str(row["conversation"]).split(":", 2)[2] if row else None


def edit(tx: Tx, team: str, channel: str, message: str, text: str, *, now: float) -> bool:
    """The person changed a message: its new text takes the old one's place, and no summary of the old stays.

    False when it is not kept here. The token count is dropped with the text it belonged to.
    """
    which = f"{_ONE} and text <> :text"
    given = {"team": team, "channel": channel, "message": message, "text": storable(text)}
    summaries.drop_summaries(tx, which, **given)
    return tx.changed(f"update messages set text = :text, tokens = 0 where {which}", **given) > 0


def set_files(tx: Tx, team: str, channel: str, message: str, files: str) -> None:
    """What came with a remembered message is more, or known better."""
    which = f"{_ONE} and files <> :files"
    given = {"team": team, "channel": channel, "message": message, "files": files}
    tx.run(f"update messages set files = :files where {which}", **given)


def is_as_recalled(tx: Tx, conversation: str, *, erasures: int) -> bool:
    """Whether nothing of a conversation was deleted or changed since it was recalled."""
    which = "key = :conversation and erasures = :erasures"
    found = f"select 1 as found from conversations where {which}"
    return tx.one(found, conversation=conversation, erasures=erasures) is not None


def set_searched(tx: Tx, conversation: str, message: str, question: str, *, erasures: int) -> None:
    """What documents were searched with for an answer, made of what was said before. Not kept where something
    was deleted or changed since the recall it was made from."""
    tx.run(
        "update messages set searched = :question where conversation = :conversation and message = :message"
        " and exists (select 1 from conversations where key = :conversation and erasures = :erasures)",
        conversation=conversation,
        message=message,
        question=storable(question),
        erasures=erasures,
    )


def find_searched(tx: Tx, conversation: str, reply: str) -> str:
    """What `set_searched` kept for an answer, by the id of its reply; "" for nothing."""
    row = tx.one(
        "select searched from messages where conversation = :conversation and searched <> ''"
        " and message like :message",
        conversation=conversation,
        message=f"%/{reply}",
    )
    return row["searched"] if row else ""


def find_files(tx: Tx, team: str, channel: str, message: str) -> tuple[str, str]:
    """The conversation of a remembered message, and what came with it, as JSON; "" without it."""
    found = f"select conversation, files from messages where {_ONE}"
    row = tx.one(found, team=team, channel=channel, message=message)
    return (row["conversation"], row["files"]) if row else ("", "")


def latest_wording(tx: Tx, team: str, channel: str, message: str, *, key: str) -> str:
    """Under which id the newest words of a post are remembered: its own, or one that begins with its key."""
    row = tx.one(
        "select message from messages where team = :team and channel = :channel"
        " and (message = :message or (message >= :first and message < :behind)) order by seq desc limit 1",
        team=team,
        channel=channel,
        message=message,
        first=f"{key}:",
        behind=f"{key};",
    )
    return str(row["message"]) if row else message


def list_latest(tx: Tx, conversation: str, *, limit: int) -> list[tuple[str, str, str]]:
    """Role, id and text of what was said last, as far as it is remembered, newest first."""
    rows = tx.all(
        "select role, message, text from messages where conversation = :conversation"
        " order by seq desc limit :limit",
        conversation=conversation,
        limit=limit,
    )
    return [(row["role"], row["message"], row["text"]) for row in rows]


def find_thread(tx: Tx, place: Place) -> str:
    """The thread in which the first message of one is remembered: its own, or that of the question before,
    which it went with."""
    row = tx.one(
        "select conversation from messages where team = :team and channel = :channel and message = :message",
        team=place.team,
        channel=place.channel,
        message=place.thread,
    )
    return (row and row["conversation"].split(":", 2)[2]) or place.thread


def find_first(tx: Tx, conversation: str, *, role: str) -> str | None:
    """The id of the first message of a side that is remembered."""
    row = tx.one(
        "select message from messages where conversation = :conversation and role = :role"
        " order by seq limit 1",
        conversation=conversation,
        role=role,
    )
    return None if row is None else str(row["message"])


def list_before(tx: Tx, team: str, channel: str, message: str) -> list[str]:
    """The ids of what the same person said directly before a remembered message, newest first."""
    rows = tx.all(
        "select b.message, b.role = 'human' and b.person = m.person as same from messages m"
        " join messages b on b.conversation = m.conversation and b.seq < m.seq"
        " where m.team = :team and m.channel = :channel and m.message = :message"
        " order by b.seq desc limit :limit",
        team=team,
        channel=channel,
        message=message,
        limit=BEFORE,
    )
    return [row["message"] for row in takewhile(lambda row: row["same"], rows)]


def is_kept(tx: Tx, team: str, channel: str, message: str) -> bool:
    """Whether a message is remembered."""
    found = "select 1 as found from messages where team = :team and channel = :channel and message = :message"
    return tx.one(found, team=team, channel=channel, message=message) is not None


def extend(tx: Tx, team: str, channel: str, message: str, text: str) -> None:
    """More belongs to a message: `text` takes its place if it begins with what is kept."""
    which = f"{_ONE} and length(text) < :length and substr(:text, 1, length(text)) = text"
    whole = storable(text)
    given = {"team": team, "channel": channel, "message": message, "text": whole, "length": len(whole)}
    summaries.drop_summaries(tx, which, **given)
    tx.run(f"update messages set text = :text, tokens = 0 where {which}", **given)


def delete(tx: Tx, team: str, channel: str, message: str, *, now: float) -> bool:
    """The person deleted a message: it is erased, and so is every summary that may contain it.

    The summary before it, or the messages themselves, take their place; a new summary is made from what
    remains. The answer that was given to it stays, as it stays in Slack. A delivery of the message that comes
    late is refused. False when it was not kept here.
    """
    tombstones.lock(tx, team, channel, message)
    there = retract(tx, team, channel, message)
    tombstones.bury(tx, team, channel, [message], now=now)
    return there


def delete_wordings(tx: Tx, team: str, channel: str, key: str) -> None:
    """Erases what a post said after edits, each remembered under an id that begins with its key."""
    which = "team = :team and channel = :channel and message >= :first and message < :behind"
    given = {"team": team, "channel": channel, "first": f"{key}:", "behind": f"{key};"}
    summaries.drop_summaries(tx, which, **given)
    tx.run(f"delete from messages where {which}", **given)


def retract(tx: Tx, team: str, channel: str, message: str) -> bool:
    """Takes a message out of memory, with every summary of it; it may be said anew. False without it."""
    given = {"team": team, "channel": channel, "message": message}
    summaries.drop_summaries(tx, _ONE, **given)
    return tx.changed(f"delete from messages where {_ONE}", **given) > 0


def retract_answer(tx: Tx, team: str, channel: str, message: str, reply: str) -> None:
    """As `retract`, of the answer to a post; those of older versions have the id of the reply alone."""
    for answer in (answer_id(message, reply), reply):
        retract(tx, team, channel, answer)


def retract_unanswered(tx: Tx, team: str, channel: str, message: str) -> None:
    """Takes a message out of memory unless an answer stands behind it."""
    row = tx.one(
        "select conversation, seq from messages"
        " where team = :team and channel = :channel and message = :message",
        team=team,
        channel=channel,
        message=message,
    )
    if row is None:
        return
    after = tx.one(
        "select role from messages where conversation = :conversation and seq > :seq order by seq limit 1",
        **row,
    )
    if after is None or after["role"] != "assistant":
        retract(tx, team, channel, message)
