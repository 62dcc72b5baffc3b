"""Labelled messages that a channel's guard is trained on.

They hold people's words when they came from a verdict; then `person` says whose. Each says where it comes
from, and what comes from outside is not taken, nor read for training if it stands there.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from storage import audit
from storage.engine import Tx
from storage.place import Channel

# Where words come from: said here by a member, out of a file, from outside (guests, other companies), or in
# part from others, whoever they are, because they were forwarded or quoted.
SLACK, FILE, EXTERNAL, QUOTED = "slack", "file", "external", "quoted"
TEACHING = (SLACK, FILE)
TEACHES = f"origin in ({', '.join(map(repr, TEACHING))})"


def add_example(
    tx: Tx,
    at: Channel,
    text: str,
    on_topic: bool,
    *,
    source: str,
    origin: str,
    now: float,
    person: str = "",
    conversation: str = "",
) -> None:
    """One labelled message; the same text again takes the new label. `person`: whose words, if any's.
    Of an origin that may not teach nothing is stored."""
    if origin not in TEACHING:
        return
    tx.run(
        """insert into guard_examples (team, channel, text, on_topic, source, origin, person, conversation,
        added_at) values (:team, :channel, :text, :on_topic, :source, :origin, :person, :conversation, :now)
        on conflict (team, channel, text) do update set on_topic = excluded.on_topic,
        source = excluded.source, added_at = excluded.added_at""",
        text=text,
        on_topic=int(on_topic),
        source=source,
        origin=origin,
        person=person,
        conversation=conversation,
        now=now,
        **at.key,
    )


def add_examples(tx: Tx, at: Channel, given: Sequence[tuple[str, bool]], *, source: str, now: float) -> None:
    """Many at once, nobody's words."""
    for text, on_topic in given:
        add_example(tx, at, text, on_topic, source=source, origin=FILE, now=now)
    if given:
        audit.note(
            tx, "examples added", at.channel, team=at.team, detail=f"{len(given)} by {source}", now=now
        )


def list_examples(tx: Tx, at: Channel) -> list[dict[str, Any]]:
    """id, text, on_topic (0 or 1), source and origin of each that may teach, oldest first."""
    return tx.all(
        f"""select id, text, on_topic, source, origin from guard_examples
        where team = :team and channel = :channel and {TEACHES} order by id""",
        **at.key,
    )


def find_label(tx: Tx, at: Channel, text: str) -> bool | None:
    """What people said of a message of exactly these words; None when they said nothing."""
    row = tx.one(
        """select on_topic from guard_examples
        where team = :team and channel = :channel and text = :text and source <> 'model'""",
        text=text,
        **at.key,
    )
    return None if row is None else bool(row["on_topic"])


def list_taught(tx: Tx, at: Channel, *, limit: int) -> list[dict[str, Any]]:
    """text and on_topic of what people taught last, newest first."""
    return tx.all(
        f"""select text, on_topic from guard_examples where team = :team and channel = :channel
        and {TEACHES} and source = 'feedback' order by added_at desc limit :limit""",
        limit=limit,
        **at.key,
    )
