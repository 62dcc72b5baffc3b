"""Which recordings a person's message brought, and the card that shows each of them.

What was heard is kept once, in storage/voice/recordings.py; here is whose it is and where it is to be seen,
so that it can be corrected, translated, and forgotten together with the message. Forgetting by conversation
or person: storage/privacy/forget.py.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass

from bot.core.errors import Missing
from storage import audit
from storage.engine import Tx
from storage.voice import recordings


@dataclass(frozen=True, slots=True)
class Clip:
    """A recording in a message. `asked`: the message as JSON; `shown` and `file`: ids of what shows it."""

    id: str  # of the card, the same in every attempt
    recording: str
    team: str
    channel: str
    conversation: str
    message: str
    person: str
    asked: str
    shown: str = ""  # "" until it certainly is
    file: str = ""  # of the whole text, when it is long


_CLIP = "id, recording, team, channel, conversation, message, person, asked, shown, file"


def put(tx: Tx, clip: Clip) -> bool:
    """Keeps a clip before it is shown; False when an earlier attempt did, and may have shown it."""
    new = tx.changed(
        f"insert into clips ({_CLIP}) values (:id, :recording, :team, :channel, :conversation, :message,"
        " :person, :asked, :shown, :file) on conflict (id) do nothing",
        **asdict(clip),
    )
    tx.run("update clips set recording = :recording where id = :id", id=clip.id, recording=clip.recording)
    return new == 1


def mark_shown(tx: Tx, id: str, shown: str, file: str) -> None:
    """The card stands there; nothing when the clip was forgotten in the meantime."""
    tx.run("update clips set shown = :shown, file = :file where id = :id", id=id, shown=shown, file=file)


def find(tx: Tx, id: str) -> Clip | None:
    """The clip of a card."""
    row = tx.one(f"select {_CLIP} from clips where id = :id", id=id)
    return Clip(**row) if row else None


def get(tx: Tx, id: str) -> Clip:
    """The clip of a card; Missing when it was forgotten."""
    clip = find(tx, id)
    if clip is None:
        raise Missing(f"no clip {id}")
    return clip


def of_message(tx: Tx, team: str, channel: str, message: str) -> list[Clip]:
    """The clips of one message, in the order they were listened to."""
    which = "team = :team and channel = :channel and message = :message"
    rows = tx.all(
        f"select {_CLIP} from clips where {which} order by seq", team=team, channel=channel, message=message
    )
    return [Clip(**row) for row in rows]


def of_conversation(tx: Tx, conversation: str) -> list[Clip]:
    """Every clip in a thread."""
    which = f"select {_CLIP} from clips where conversation = :conversation order by seq"
    return [Clip(**row) for row in tx.all(which, conversation=conversation)]


def of_person(tx: Tx, team: str, person: str) -> list[Clip]:
    """Every clip of a person in a workspace."""
    which = f"select {_CLIP} from clips where team = :team and person = :person order by seq"
    return [Clip(**row) for row in tx.all(which, team=team, person=person)]


def change_question(tx: Tx, id: str, asked: str) -> None:
    """The message was changed by its author."""
    tx.run("update clips set asked = :asked where id = :id", id=id, asked=asked)


def forget(tx: Tx, clip: Clip, *, by: str, now: float) -> None:
    """Erases the words of one clip, and of parts that were being listened to with it."""
    tx.run("delete from clips where id = :id", id=clip.id)
    recordings.forget(tx, clip.recording)
    about = f"{clip.channel}:{clip.message}"
    audit.note(tx, "forgot clip", about, team=clip.team, person=by, now=now)


def forget_unshown_of(tx: Tx, key: str, *, lane: str = "") -> bool:
    """`forget_unshown` for a message that was deleted, by its key in the inbox; whether there was any.

    `lane` is what its job had before the conversation, to run beside it.
    """
    row = tx.one("select team, conversation, person from inbox where key = :key", key=key)
    if row is None:
        return False
    return forget_unshown(tx, row["team"], row["conversation"].removeprefix(lane), row["person"])


def forget_unshown(tx: Tx, team: str, conversation: str, person: str) -> bool:
    """Erases what was heard of a person's recordings in a thread and never came onto a card; whether there
    was any."""
    whose = {"team": team, "conversation": conversation, "person": person}
    which = "team = :team and conversation = :conversation and person = :person"
    parts = tx.changed(f"delete from recording_parts where {which}", **whose)
    recordings = tx.changed(
        f"delete from recordings where {which} and id not in (select recording from clips)", **whose
    )
    return bool(recordings or parts)
