"""What keeps a channel to its subject: policies, labelled examples, trained models, verdicts, open questions.

Policies and reports are JSON text, models are bytes; what is in them is bot/guard*.py's. Verdicts and
questions hold people's words; examples do when they came from a verdict (then `person` says whose).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from storage import audit
from storage.engine import Tx

MODELS_KEPT = 10
WEEK_S = 7 * 86_400


@dataclass(frozen=True, slots=True)
class Channel:
    """The channel a guard belongs to."""

    team: str
    channel: str

    @property
    def key(self) -> dict[str, str]:
        return {"team": self.team, "channel": self.channel}


# Policies


def policy(tx: Tx, at: Channel) -> str | None:
    row = tx.one("select policy from guard_policies where team = :team and channel = :channel", **at.key)
    return None if row is None else str(row["policy"])


def save_policy(tx: Tx, at: Channel, policy: str, *, by: str, what: str = "", now: float) -> None:
    """`what` changed in it, in words of ours."""
    tx.run(
        """insert into guard_policies (team, channel, policy, changed_by, changed_at)
        values (:team, :channel, :policy, :by, :now) on conflict (team, channel) do update set
        policy = excluded.policy, changed_by = excluded.changed_by, changed_at = excluded.changed_at""",
        policy=policy,
        by=by,
        now=now,
        **at.key,
    )
    audit.note(tx, "policy set", at.channel, team=at.team, person=by, detail=what, now=now)


def remove_policy(tx: Tx, at: Channel, *, by: str, now: float) -> bool:
    """Ends the guard of a channel; its examples and verdicts stay for the day it comes back."""
    gone = tx.run("delete from guard_policies where team = :team and channel = :channel", **at.key)
    if gone:
        audit.note(tx, "policy removed", at.channel, team=at.team, person=by, now=now)
    return bool(gone)


# Examples


def add_example(
    tx: Tx,
    at: Channel,
    text: str,
    on_topic: bool,
    *,
    source: str,
    now: float,
    person: str = "",
    conversation: str = "",
) -> None:
    """One labelled message; the same text again takes the new label. `person`: whose words, if any's."""
    tx.run(
        """insert into guard_examples (team, channel, text, on_topic, source, person, conversation, added_at)
        values (:team, :channel, :text, :on_topic, :source, :person, :conversation, :now)
        on conflict (team, channel, text) do update set on_topic = excluded.on_topic,
        source = excluded.source, added_at = excluded.added_at""",
        text=text,
        on_topic=int(on_topic),
        source=source,
        person=person,
        conversation=conversation,
        now=now,
        **at.key,
    )


def add_examples(tx: Tx, at: Channel, given: Sequence[tuple[str, bool]], *, source: str, now: float) -> None:
    """Many at once, nobody's words."""
    for text, on_topic in given:
        add_example(tx, at, text, on_topic, source=source, now=now)
    if given:
        audit.note(
            tx, "examples added", at.channel, team=at.team, detail=f"{len(given)} by {source}", now=now
        )


def examples(tx: Tx, at: Channel) -> list[dict[str, Any]]:
    """id, text, on_topic (0 or 1), source of each, oldest first."""
    return tx.all(
        """select id, text, on_topic, source from guard_examples
        where team = :team and channel = :channel order by id""",
        **at.key,
    )


def example(tx: Tx, at: Channel, text: str) -> bool | None:
    """What people said of a message of exactly these words; None when they said nothing."""
    row = tx.one(
        """select on_topic from guard_examples
        where team = :team and channel = :channel and text = :text and source <> 'model'""",
        text=text,
        **at.key,
    )
    return None if row is None else bool(row["on_topic"])


def taught(tx: Tx, at: Channel, *, limit: int) -> list[dict[str, Any]]:
    """text and on_topic of what people taught last, newest first."""
    return tx.all(
        """select text, on_topic from guard_examples where team = :team and channel = :channel
        and source = 'feedback' order by added_at desc limit :limit""",
        limit=limit,
        **at.key,
    )


# Models


def add_model(
    tx: Tx, at: Channel, model: bytes, *, embedder: str, examples: int, report: str, now: float
) -> int:
    """Stores a trained model as the next version and puts it to use; the oldest are dropped. The version."""
    row = tx.one(
        """select coalesce(max(version), 0) + 1 as version from guard_models
        where team = :team and channel = :channel""",
        **at.key,
    )
    assert row
    version = int(row["version"])
    tx.run(
        """insert into guard_models
        (team, channel, version, model, embedder, examples, report, in_use, trained_at) values
        (:team, :channel, :version, :model, :embedder, :examples, :report, 0, :now)""",
        version=version,
        model=model,
        embedder=embedder,
        examples=examples,
        report=report,
        now=now,
        **at.key,
    )
    use_model(tx, at, version)
    tx.run(
        """delete from guard_models where team = :team and channel = :channel and version <= :oldest""",
        oldest=version - MODELS_KEPT,
        **at.key,
    )
    tx.run(  # one that was made from an example which was erased meanwhile has its words in it
        """delete from guard_models where team = :team and channel = :channel and examples > (select count(*)
        from guard_examples e where e.team = :team and e.channel = :channel)""",
        **at.key,
    )
    audit.note(tx, "version trained", at.channel, team=at.team, detail=f"version {version}", now=now)
    return version


def use_model(tx: Tx, at: Channel, version: int) -> bool:
    """Puts a stored version to use; False when there is no such version."""
    found = tx.one(
        """select 1 as found from guard_models
        where team = :team and channel = :channel and version = :version""",
        version=version,
        **at.key,
    )
    if found:
        tx.run(
            """update guard_models set in_use = case when version = :version then 1 else 0 end
            where team = :team and channel = :channel""",
            version=version,
            **at.key,
        )
    return bool(found)


def go_back(tx: Tx, at: Channel, version: int, *, by: str, now: float) -> bool:
    """Puts another stored version to use because a person wants it; False when there is no such version."""
    found = use_model(tx, at, version)
    if found:
        audit.note(
            tx, "version used", at.channel, team=at.team, person=by, detail=f"version {version}", now=now
        )
    return found


def model(tx: Tx, at: Channel) -> dict[str, Any] | None:
    """version, model, embedder of the one in use. None as well when an example it was trained on was erased
    since: its words are in the model."""
    row = tx.one(
        """select m.version, m.model, m.embedder, m.examples, (select count(*) from guard_examples e
        where e.team = m.team and e.channel = m.channel) as there from guard_models m
        where m.team = :team and m.channel = :channel and m.in_use = 1""",
        **at.key,
    )
    return None if row is None or row["there"] < row["examples"] else row


def models(tx: Tx, at: Channel) -> list[dict[str, Any]]:
    """version, embedder, examples, report, in_use, trained_at of each, newest first."""
    return tx.all(
        """select version, embedder, examples, report, in_use, trained_at from guard_models
        where team = :team and channel = :channel order by version desc""",
        **at.key,
    )


def learned(tx: Tx, at: Channel) -> bool:
    """Whether the newest model was trained after the last change to what it is to learn from."""
    row = tx.one(
        """select (select max(trained_at) from guard_models where team = :team and channel = :channel) as at,
        (select max(added_at) from guard_examples where team = :team and channel = :channel) as example_at,
        (select changed_at from guard_policies where team = :team and channel = :channel) as policy_at""",
        **at.key,
    )
    assert row
    return row["at"] is not None and row["at"] > max(row["example_at"] or 0.0, row["policy_at"] or 0.0)


# Verdicts


def add_verdict(tx: Tx, at: Channel, verdict: Mapping[str, Any]) -> int:
    row = tx.one(
        """insert into guard_verdicts (team, channel, conversation, person, message, text, on_topic, rung,
        probability, threshold, reason, cost, action, shadow, version, judged_at) values (:team, :channel,
        :conversation, :person, :message, :text, :on_topic, :rung, :probability, :threshold, :reason, :cost,
        :action, :shadow, :version, :judged_at) returning id""",
        **at.key,
        **verdict,
    )
    assert row
    return int(row["id"])


def verdict(tx: Tx, team: str, id: int) -> dict[str, Any] | None:
    return tx.one("select * from guard_verdicts where team = :team and id = :id", team=team, id=id)


def verdict_on(tx: Tx, at: Channel, message: str) -> dict[str, Any] | None:
    """The last verdict on one message."""
    return tx.one(
        """select * from guard_verdicts where team = :team and channel = :channel and message = :message
        order by id desc limit 1""",
        message=message,
        **at.key,
    )


def answered_by(tx: Tx, id: int, reply: str) -> None:
    """This reply is what came of the verdict."""
    tx.run("update guard_verdicts set reply = :reply where id = :id", id=id, reply=reply)


def verdict_behind(tx: Tx, team: str, reply: str) -> dict[str, Any] | None:
    """The verdict that a reply came of."""
    return tx.one(
        "select * from guard_verdicts where team = :team and reply = :reply order by id desc limit 1",
        team=team,
        reply=reply,
    )


def verdicts(tx: Tx, at: Channel, *, limit: int) -> list[dict[str, Any]]:
    """The last verdicts of a channel, newest first."""
    return tx.all(
        """select * from guard_verdicts where team = :team and channel = :channel
        order by id desc limit :limit""",
        limit=limit,
        **at.key,
    )


def last_in(tx: Tx, team: str, conversation: str) -> dict[str, Any] | None:
    """on_topic and shadow of the last verdict in a conversation."""
    return tx.one(
        """select on_topic, shadow from guard_verdicts where team = :team and conversation = :conversation
        order by id desc limit 1""",
        team=team,
        conversation=conversation,
    )


def label_verdict(
    tx: Tx, team: str, id: int, on_topic: bool, *, by: str, now: float
) -> dict[str, Any] | None:
    """What a person says the verdict should have been; its words become an example. The verdict, or None when
    there is none or that was said of it last."""
    row = tx.one(
        """update guard_verdicts set label = :on_topic, labelled_by = :by, labelled_at = :now
        where team = :team and id = :id and (label is null or label <> :on_topic) returning *""",
        team=team,
        id=id,
        on_topic=int(on_topic),
        by=by,
        now=now,
    )
    if row and row["on_topic"] != int(on_topic):
        what = f"{id} should have been {'answered' if on_topic else 'refused'}"
        audit.note(tx, "verdict overturned", row["channel"], team=team, person=by, detail=what, now=now)
    if row and row["text"]:
        at = Channel(row["team"], row["channel"])
        add_example(
            tx,
            at,
            row["text"],
            on_topic,
            source="feedback",
            now=now,
            person=row["person"],
            conversation=row["conversation"],
        )
        what = f"{'belongs' if on_topic else 'does not'}, of verdict {id}"
        audit.note(tx, "example added", row["channel"], team=team, person=by, detail=what, now=now)
    return row


def appeal(tx: Tx, team: str, id: int, *, by: str, now: float) -> bool:
    """A person asks for another verdict, once; False when that was asked before or is decided already."""
    return bool(
        tx.run(
            """update guard_verdicts set appealed_by = :by, appealed_at = :now
            where team = :team and id = :id and appealed_at is null and label is null""",
            team=team,
            id=id,
            by=by,
            now=now,
        )
    )


def weeks(tx: Tx, team: str, *, since: float, channel: str = "") -> list[dict[str, Any]]:
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


# Questions that the channel's documents did not answer


def add_unanswered(
    tx: Tx, at: Channel, question: str, nearest: str, *, person: str, conversation: str, now: float
) -> None:
    tx.run(
        """insert into guard_unanswered (team, channel, conversation, person, question, nearest, asked_at)
        values (:team, :channel, :conversation, :person, :question, :nearest, :now)""",
        conversation=conversation,
        person=person,
        question=question,
        nearest=nearest,
        now=now,
        **at.key,
    )


def unanswered(tx: Tx, at: Channel, *, limit: int = 50) -> list[dict[str, Any]]:
    """id, question, nearest, person, asked_at of the open ones, newest first."""
    return tx.all(
        """select id, question, nearest, person, asked_at from guard_unanswered
        where team = :team and channel = :channel and closed_at is null order by id desc limit :limit""",
        limit=limit,
        **at.key,
    )


def close_unanswered(tx: Tx, at: Channel, id: int, *, by: str, now: float) -> None:
    """It is done with; nothing when it was before."""
    closed = tx.run(
        """update guard_unanswered set closed_at = :now
        where id = :id and team = :team and channel = :channel and closed_at is null""",
        id=id,
        now=now,
        **at.key,
    )
    if closed:
        audit.note(
            tx, "question closed", at.channel, team=at.team, person=by, detail=f"question {id}", now=now
        )
