"""Forgetting for good: a conversation, a person, a whole workspace. Afterwards call `Engine.scrub`.

What was forgotten leaves a digest of its message id, so that it is not read in again from Slack. Tables and
columns with people's words are declared in storage/schema.py. What goes by its age is
storage/privacy/retention.py's.
"""

from __future__ import annotations

from storage import audit
from storage.conversation import tombstones
from storage.engine import Tx
from storage.guard import models
from storage.knowledge import answer_examples, chunks
from storage.place import Place
from storage.privacy.portions import (
    ADDED_BY,
    BLANKED,
    CLOSED,
    KEPT_OF,
    NOT_CLOSED,
    REPLY,
    SETTLED,
    Whose,
    bury_asked,
    erase_messages,
    name_kept,
    uncover,
)
from storage.schema import DECISIONS, LASTING, TEAM_TABLES, WORDS_OF
from storage.workers import changes

# Verdicts before examples: of a verdict that is just overturned an example is made.
RECORDED = (
    *("recordings", "recording_parts", "clips", "guard_verdicts", "guard_examples", "guard_unanswered"),
    "documents",
)


def forget(tx: Tx, place: Place, *, by: str = "", erased: int = 0, now: float) -> int:
    """Everything said in one conversation; how many messages. That the bot takes part there is kept.

    A question that waits for its answer, or is being answered, is not part of what was said before. `erased`:
    how many of the messages went before.
    """
    tx.lock(place.key)
    whose = Whose(place.team, conversation=place.key)
    erased += erase_messages(tx, whose.said, now=now, **whose.values)
    for table in BLANKED:
        _blank_in(tx, table, "conversation = :conversation", now=now, conversation=place.key)
    models.drop_learned(tx, "conversation = :conversation", conversation=place.key)
    answer_examples.erase(tx, "conversation = :conversation", conversation=place.key)
    _erase_documents(tx, place)
    for table in RECORDED:
        tx.run(f"delete from {table} where conversation = :conversation", conversation=place.key)
    tx.run(
        "insert into conversations (key, team, last_at, forgotten_at, erasures)"
        " values (:key, :team, :now, :now, 1) on conflict (key)"
        " do update set forgotten_at = :now, erasures = conversations.erasures + 1,"
        " failed_summaries = 0, summarise_after = 0",
        key=place.key,
        team=place.team,
        now=now,
    )
    audit.note(tx, "forgot thread", place.key, team=place.team, person=by, detail=_many(erased), now=now)
    return erased


def _erase_documents(tx: Tx, place: Place) -> None:
    """What was attached in a conversation, and what was kept of it as a document of its own."""
    which = f"(conversation = :conversation and audience = 'thread') or ({KEPT_OF})"
    chunks.erase_of(tx, which, conversation=place.key, **name_kept(place))
    tx.run(f"delete from documents where {KEPT_OF}", **name_kept(place))


def forget_user(tx: Tx, team: str, user: str, *, by: str = "", erased: int = 0, now: float) -> int:
    """What a person said in a workspace, the answers to it and the summaries of it; how many messages, with
    those that were `erased` before.

    Amounts stay, because they hold no words and a budget must not start anew; whose they are is taken out of
    them afterwards, in portions (bot/privacy/anonymise.py). Where the id stays: PERSON_STAYS in
    storage/schema.py.
    """
    theirs = "team = :team and person = :person"
    models.drop_learned(tx, theirs, team=team, person=user)
    answer_examples.erase(tx, theirs, team=team, person=user)
    whose = Whose(team, user)
    erased += erase_messages(tx, whose.said, now=now, **whose.values)
    chunks.erase_of(tx, ADDED_BY, team=team, person=user)
    tx.run(f"delete from documents where {ADDED_BY}", team=team, person=user)
    bury_asked(tx, f"team = :team and person = :person and {SETTLED['inbox']}", now=now, **whose.values)
    for table, column in WORDS_OF.items():
        which = f"team = :team and {column} = :person"
        if table in BLANKED:
            _blank_in(tx, table, which, f", {column} = ''", now=now, team=team, person=user)
        elif table != "messages":
            tx.run(f"delete from {table} where {which}", team=team, person=user)
    tx.run("delete from people_who_know where team = :team and who = :person", team=team, person=user)
    for column in ("labelled_by", "appealed_by"):
        which = f"team = :team and {column} = :person"
        tx.run(f"update guard_verdicts set {column} = '' where {which}", team=team, person=user)
    _blank_reasons(tx, "team = :team and person = :person", team=team, person=user)
    audit.note(tx, "forgot person", user, team=team, person=by, detail=_many(erased), now=now)
    return erased


def list_under_way(tx: Tx, team: str, user: str) -> list[dict[str, str]]:
    """What a person asked, by a button too, and has no answer to yet, or a clip of theirs that is listened
    to: `key` and `conversation` of each job."""
    return tx.all(
        "select key, conversation from inbox where team = :team and person = :person and state = 'new'"
        " and (key like 'm:%' or key like 'b:%' or key like 'clip:m:%') order by seq",
        team=team,
        person=user,
    )


def is_under_way(tx: Tx, key: str) -> bool:
    """Whether a job, or one that goes on from it, is not done yet."""
    going_on = (
        "select 1 as found from inbox where (key = :key or (key >= :first and key < :behind))"
        " and state = 'new'"
    )
    return tx.one(going_on, key=key, first=f"{key}:", behind=f"{key};") is not None


def forget_turn(tx: Tx, team: str, channel: str, message: str, *, key: str, person: str, now: float) -> int:
    """A question that was under way when its person wanted everything forgotten, and the answers to it; how
    many messages. `key`: of its job; others begin with it and a colon."""
    asked = "(key = :key or (key >= :first and key < :behind))"
    keys = {"key": key, "first": f"{key}:", "behind": f"{key};"}
    jobs = f"select seq from inbox where {asked}"
    replies = f"select id from replies where job in ({jobs})"
    lanes = f"select conversation from inbox where {asked}"
    worded = f"message = :message or message in (select key from inbox where seq in ({jobs}))"
    said = f"team = :team and channel = :channel and ({worded} or {REPLY} in ({replies}))"
    at = {"team": team, "channel": channel, "message": message}
    tombstones.lock(tx, team, channel, message)
    erased = erase_messages(tx, said, now=now, **at, **keys)
    tombstones.bury(tx, team, channel, [message], now=now)
    forget_judged(tx, team, channel, message)
    answer_examples.erase(tx, f"reply in ({replies})", **keys)
    judged = f"channel = :channel and person = :person and (message = :message or reply in ({replies}))"
    tx.run(f"delete from guard_verdicts where team = :team and {judged}", **at, **keys, person=person)
    attached = f"person = :person and audience = 'thread' and conversation in ({lanes})"
    chunks.erase_of(tx, f"team = :team and {attached}", **keys, team=team, person=person)
    tx.run(f"delete from documents where team = :team and {attached}", **keys, team=team, person=person)
    _blank_in(tx, "replies", f"id in ({replies})", ", asker = ''", now=now, **keys)
    _blank_in(tx, "inbox", asked, ", person = ''", now=now, **keys)
    audit.note(tx, "forgot person", person, team=team, person=person, detail=_many(erased), now=now)
    return erased


def forget_team(tx: Tx, team: str, *, keep_settings: bool = False, erased: int = 0, now: float) -> int:
    """Everything a workspace said and set up, save for what lasts (storage/schema.py); how many
    messages, with those `erased` before. `keep_settings`: what was decided there stays.

    What waits for an answer, or is being answered, is closed: nobody can be told any more.
    """
    erased += erase_messages(tx, "team = :team", now=now, team=team)
    tx.run(
        "delete from summaries where conversation in (select key from conversations where team = :team)",
        team=team,
    )
    tx.run(f"update inbox set {CLOSED} where team = :team and {NOT_CLOSED}", team=team, now=now)
    kept = {*LASTING, "inbox", "removed_workspaces", *(DECISIONS if keep_settings else ())}
    for table in TEAM_TABLES:
        if table not in kept:
            tx.run(f"delete from {table} where team = :team", team=team)
    tx.run("delete from guard_vectors")  # made from texts of anybody; they are made again where needed
    _blank_reasons(tx, "team = :team", team=team)
    changes.note(tx, changes.MODELS)
    changes.note(tx, changes.ANSWER_MODELS)
    changes.note(tx, changes.POLICIES)
    audit.note(tx, "forgot workspace", team, team=team, detail=_many(erased), now=now)
    return erased


def forget_judged(tx: Tx, team: str, channel: str, message: str) -> bool:
    """What the guard kept of one message, what it learned of it, and that it had no answer; whether there was
    anything.

    That it was judged stays, for the weeks' figures.
    """
    at = {"team": team, "channel": channel}
    posted = "team = :team and channel = :channel and message = :message"
    uncover(tx, posted, **at, message=message)
    answer_examples.erase(tx, posted, **at, message=message)
    unanswered = tx.changed(f"delete from guard_unanswered where {posted}", **at, message=message)
    return _blank_verdicts(tx, "message = :message", **at, message=message) or unanswered > 0


def forget_unanswered(tx: Tx, team: str, channel: str, key: str) -> bool:
    """As `forget_judged`, of what a person asked without getting an answer, in a conversation where a post is
    deleted: it may have been a part of that. `key`: of the post's job."""
    jobs = "inbox where key = :key or (key >= :first and key < :behind)"
    which = (
        f"reply is null and conversation in (select conversation from {jobs})"
        f" and person in (select person from {jobs})"
    )
    keys = {"key": key, "first": f"{key}:", "behind": f"{key};"}
    return _blank_verdicts(tx, which, team=team, channel=channel, **keys)


def _blank_verdicts(tx: Tx, which: str, *, team: str, channel: str, **values: str) -> bool:
    """With the words of verdicts go the examples and open questions that were made of them."""
    at = {"team": team, "channel": channel}
    worded = f"team = :team and channel = :channel and {which} and text <> ''"
    rows = tx.all(f"select person, text from guard_verdicts where {worded}", **at, **values)
    tx.run(f"update guard_verdicts set text = '', covers = '' where {worded}", **at, **values)
    for row in rows:
        theirs = "team = :team and channel = :channel and person = :person"
        models.drop_learned(tx, f"{theirs} and text = :text", **at, **row)
        tx.run(f"delete from guard_examples where {theirs} and text = :text", **at, **row)
        tx.run(f"delete from guard_unanswered where {theirs} and question = :text", **at, **row)
    return bool(rows)


def _many(messages: int) -> str:
    return f"{messages} messages"


def _blank_in(tx: Tx, table: str, which: str, more: str = "", *, now: float, **values: str) -> None:
    # What still waits is a question of now; it is answered, then erased like every other.
    tx.run(f"update {table} set {BLANKED[table]}{more} where {which} and {SETTLED[table]}", now=now, **values)


def _blank_reasons(tx: Tx, which: str, **values: str) -> None:
    """Why somebody raised a budget is in their own words; that they did, and by how much, is not."""
    raised = f"select budget, person from budget_changes where {which} and act = 'raised'"
    tx.run(f"update budget_overrides set reason = '' where (budget, person) in ({raised})", **values)
    tx.run(f"update budget_changes set reason = '' where {which}", **values)
