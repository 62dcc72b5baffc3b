"""Recordings in words: parts while one is being listened to, then its card; and the minutes that count.

A part is stored as soon as it was heard, so that whoever resumes after a crash asks only for the others; when
the card is stored its parts go. What a card holds is bot/voice/clip_card.py's, here it is text. The minutes
hold no words and stay when the words are forgotten.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict, dataclass

from bot.core.errors import Missing
from storage.conversation import tombstones
from storage.engine import Tx

COUNTED_S = 2 * 86_400.0  # minutes are capped by the day, wherever midnight is


@dataclass(frozen=True, slots=True)
class Owner:
    """Whose words: who shared the recording, and where. `message`: with which one, where it was with one."""

    team: str
    conversation: str
    person: str
    channel: str = ""
    message: str = ""

    @property
    def columns(self) -> dict[str, str]:
        return {"team": self.team, "conversation": self.conversation, "person": self.person}


@dataclass(frozen=True, slots=True)
class StoredPart:
    """What was heard in one part. `cost` is nano-dollars, None when it is unpriced."""

    number: int
    heard: str
    cost: int | None


@dataclass(frozen=True, slots=True)
class Caps:
    """Most seconds of sound since `since` (unix seconds), of one person and of all in the team."""

    since: float
    person_s: float
    team_s: float


def begin_recording(tx: Tx, id: str, owner: Owner, *, length_s: float, now: float, caps: Caps) -> str:
    """Counts a recording, once however often it begins; the cap it would pass ("person", "team"), or ""."""
    tx.lock(owner.team)
    others = tx.one(
        "select coalesce(sum(length_s), 0.0) as team_s,"
        " coalesce(sum(case when person = :person then length_s else 0.0 end), 0.0) as person_s"
        " from recording_minutes where team = :team and begun_at >= :since and recording <> :id",
        team=owner.team,
        person=owner.person,
        since=caps.since,
        id=id,
    )
    assert others
    if others["person_s"] + length_s > caps.person_s:
        return "person"
    if others["team_s"] + length_s > caps.team_s:
        return "team"
    tx.run(
        "insert into recording_minutes (recording, team, person, length_s, begun_at)"
        " values (:id, :team, :person, :length_s, :now) on conflict (recording) do nothing",
        id=id,
        team=owner.team,
        person=owner.person,
        length_s=length_s,
        now=now,
    )
    return ""


def put_part(tx: Tx, id: str, owner: Owner, task: str, part: StoredPart) -> None:
    """One part is heard and paid for. `task` is transcribe or translate. Missing: see `_refuse_forgotten`,
    and for the English of what is not kept any more."""
    _refuse_forgotten(tx, owner)
    if task == "translate" and not _is_kept(tx, id):
        raise Missing(f"what recording {id} says")
    tx.run(
        "insert into recording_parts (recording, task, number, team, conversation, person, heard, cost)"
        " values (:id, :task, :number, :team, :conversation, :person, :heard, :cost)"
        " on conflict (recording, task, number) do nothing",
        id=id,
        task=task,
        **owner.columns,
        **asdict(part),
    )


def parts(tx: Tx, id: str, task: str) -> dict[int, StoredPart]:
    """The finished parts by number."""
    rows = tx.all(
        "select number, heard, cost from recording_parts where recording = :id and task = :task",
        id=id,
        task=task,
    )
    return {row["number"]: StoredPart(**row) for row in rows}


def put_card(tx: Tx, id: str, owner: Owner, card: str, *, now: float) -> None:
    """The recording is in words. Missing: see `_refuse_forgotten`."""
    _refuse_forgotten(tx, owner)
    tx.run(
        "insert into recordings (id, team, conversation, person, card, made_at)"
        " values (:id, :team, :conversation, :person, :card, :now)"
        " on conflict (id) do update set card = :card",
        id=id,
        now=now,
        card=card,
        **owner.columns,
    )
    tx.run("delete from recording_parts where recording = :id", id=id)


def _refuse_forgotten(tx: Tx, owner: Owner) -> None:
    """Missing when the message was deleted, or is forgotten, while its recording was listened to: whoever
    erased what was heard of it until then does not come again."""
    if not owner.message:
        return
    tombstones.lock(tx, owner.team, owner.channel, owner.message)
    if tombstones.forgotten(tx, owner.team, owner.channel, owner.message):
        raise Missing(f"message of recording {owner.message}")


def _is_kept(tx: Tx, id: str) -> bool:
    """Whether what was said in a recording is there, all of it or a part."""
    found = "select 1 as found from recordings where id = :id union all select 1 from recording_parts"
    return tx.one(f"{found} where recording = :id and task = 'transcribe' limit 1", id=id) is not None


def change_card(tx: Tx, id: str, change: Callable[[str], str]) -> str | None:
    """Corrects or translates a card as it is now, and returns it; None when it was forgotten."""
    tx.lock(f"recording {id}")
    before = card(tx, id)
    if before is None:
        return None
    changed = change(before)
    tx.run("update recordings set card = :card where id = :id", id=id, card=changed)
    tx.run("delete from recording_parts where recording = :id", id=id)
    return changed


def card(tx: Tx, id: str) -> str | None:
    """The stored card; None while it is not finished, and when it was forgotten."""
    row = tx.one("select card from recordings where id = :id", id=id)
    return row["card"] if row else None


def tidy(tx: Tx, *, now: float, limit: int = 500) -> int:
    """Removes minutes that count no more, and parts of what was never heard to its end; how many.

    Repeat while it is not 0.
    """
    rows = tx.all(
        "delete from recording_minutes where recording in (select recording from recording_minutes"
        " where begun_at < :before limit :limit) returning recording",
        before=now - COUNTED_S,
        limit=limit,
    )
    for row in rows:
        tx.run("delete from recording_parts where recording = :id", id=row["recording"])
    return len(rows)


def forget_conversation(tx: Tx, conversation: str) -> None:
    """Deletes the words of every recording in a conversation."""
    for table in ("recordings", "recording_parts"):
        tx.run(f"delete from {table} where conversation = :conversation", conversation=conversation)


def forget(tx: Tx, id: str) -> None:
    """Deletes the words of one recording. Those of a conversation or a person: storage/privacy/forget.py."""
    tx.run("delete from recordings where id = :id", id=id)
    tx.run("delete from recording_parts where recording = :id", id=id)
