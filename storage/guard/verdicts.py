"""Verdicts of the guard on messages, and what people said of them. They hold people's words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from storage import audit
from storage.engine import Tx
from storage.guard.examples import EXTERNAL, SLACK, TEACHING, add_example
from storage.place import Channel

WEEK_S = 7 * 86_400


def add_verdict(tx: Tx, at: Channel, verdict: Mapping[str, Any]) -> int:
    row = tx.one(
        """insert into guard_verdicts (team, channel, conversation, person, message, text, on_topic, rung,
        probability, threshold, reason, cost, action, shadow, version, judged_at, covers, origin) values
        (:team, :channel, :conversation, :person, :message, :text, :on_topic, :rung, :probability, :threshold,
        :reason, :cost, :action, :shadow, :version, :judged_at, :covers, :origin) returning id""",
        **at.key,
        **{"covers": "", "origin": SLACK, **verdict},
    )
    assert row
    return int(row["id"])


def read_verdict(tx: Tx, team: str, id: int) -> dict[str, Any] | None:
    return tx.one("select * from guard_verdicts where team = :team and id = :id", team=team, id=id)


def read_verdict_on(tx: Tx, at: Channel, message: str) -> dict[str, Any] | None:
    """The last verdict on one message."""
    return tx.one(
        """select * from guard_verdicts where team = :team and channel = :channel and message = :message
        order by id desc limit 1""",
        message=message,
        **at.key,
    )


def find_label_on(tx: Tx, at: Channel, message: str, text: str) -> bool | None:
    """What people last said that the verdict on a message of these words should have been; None where nobody
    did."""
    row = tx.one(
        """select label from guard_verdicts where team = :team and channel = :channel and message = :message
        and text = :text and label is not null order by labelled_at desc limit 1""",
        message=message,
        text=text,
        **at.key,
    )
    return None if row is None else bool(row["label"])


def link_reply(tx: Tx, id: int, reply: str) -> None:
    """This reply is what came of the verdict."""
    tx.run("update guard_verdicts set reply = :reply where id = :id", id=id, reply=reply)


def read_verdict_behind(tx: Tx, team: str, reply: str) -> dict[str, Any] | None:
    """The verdict that a reply came of."""
    return tx.one(
        "select * from guard_verdicts where team = :team and reply = :reply order by id desc limit 1",
        team=team,
        reply=reply,
    )


def list_verdicts(tx: Tx, at: Channel, *, limit: int) -> list[dict[str, Any]]:
    """The last verdicts of a channel, newest first."""
    return tx.all(
        """select * from guard_verdicts where team = :team and channel = :channel
        order by id desc limit :limit""",
        limit=limit,
        **at.key,
    )


def read_last_in(tx: Tx, team: str, conversation: str) -> dict[str, Any] | None:
    """on_topic and shadow of the last verdict in a conversation."""
    return tx.one(
        """select on_topic, shadow from guard_verdicts where team = :team and conversation = :conversation
        order by id desc limit 1""",
        team=team,
        conversation=conversation,
    )


def list_covers(tx: Tx, team: str, conversation: str, *, limit: int) -> list[dict[str, Any]]:
    """covers, on_topic, label, shadow and action of the last verdicts in a conversation, oldest first."""
    rows = tx.all(
        """select covers, on_topic, label, shadow, action from guard_verdicts
        where team = :team and conversation = :conversation order by id desc limit :limit""",
        team=team,
        conversation=conversation,
        limit=limit,
    )
    return rows[::-1]


def label_verdict(
    tx: Tx, team: str, id: int, on_topic: bool, *, by: str, outside: bool = False, now: float
) -> dict[str, Any] | None:
    """What a person says the verdict should have been; its words become an example, unless they come from
    outside. The verdict, or None when there is none or that was said of it last."""
    row = tx.one(
        """update guard_verdicts set label = :on_topic, labelled_by = :by, labelled_at = :now
        where team = :team and id = :id and (label is null or label <> :on_topic) returning *""",
        team=team,
        id=id,
        on_topic=int(on_topic),
        by=by,
        now=now,
    )
    if row and outside:
        tx.run("update guard_verdicts set origin = :origin where id = :id", origin=EXTERNAL, id=id)
    teaches = row is not None and row["text"] and row["origin"] in TEACHING and not outside
    if row and teaches:
        at = Channel(row["team"], row["channel"])
        add_example(
            tx,
            at,
            row["text"],
            on_topic,
            source="feedback",
            origin=row["origin"],
            now=now,
            person=row["person"],
            conversation=row["conversation"],
        )
    if row and row["on_topic"] != int(on_topic):
        what = f"{id} should have been {'answered' if on_topic else 'refused'}"
        audit.note(tx, "verdict overturned", row["channel"], team=team, person=by, detail=what, now=now)
    if row and teaches:
        what = f"{'belongs' if on_topic else 'does not'}, of verdict {id}"
        audit.note(tx, "example added", row["channel"], team=team, person=by, detail=what, now=now)
    return row


def add_appeal(tx: Tx, team: str, id: int, *, by: str, now: float) -> bool:
    """A person asks for another verdict, once; False when that was asked before or is decided already."""
    return bool(
        tx.changed(
            """update guard_verdicts set appealed_by = :by, appealed_at = :now
            where team = :team and id = :id and appealed_at is null and label is null""",
            team=team,
            id=id,
            by=by,
            now=now,
        )
    )


def count_by_week(tx: Tx, team: str, *, since: float, channel: str = "") -> list[dict[str, Any]]:
    """Per channel and week (its first second, counted from `since`): refused, allowed, overturned, cost."""
    return tx.all(
        f"""select channel, week * {WEEK_S} + cast(:since as bigint) as week,
        sum(refused) as refused, count(*) - sum(refused) as allowed, sum(overturned) as overturned,
        cast(coalesce(sum(cost), 0) as bigint) as cost from (
            select channel, cost, cast((judged_at - :since) / {WEEK_S} as bigint) as week,
            case when on_topic = 0 and shadow = 0 then 1 else 0 end as refused,
            case when label is not null and label <> on_topic then 1 else 0 end as overturned
            from guard_verdicts where team = :team and judged_at >= :since
            and (:channel = '' or channel = :channel)) as v
        group by channel, week order by week desc, channel""",
        team=team,
        since=since,
        channel=channel,
    )
