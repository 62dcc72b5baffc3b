"""Edits of a question that another process received while its old words were answered: the next question.

Of one that comes to the process at work, bot/conversation/posts.py knows so at once. Here the question in the
database has its new words already.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from bot.conversation.edits import join_edit, says_the_same
from bot.conversation.questions import MESSAGE, is_deleted
from bot.conversation.records import change_question
from bot.core.codec import decode, encode
from bot.core.ids import message_key
from bot.core.values import Incoming
from bot.jobs.inbox import Job
from storage.engine import Tx
from storage.jobs import inbox, queries


def make_next_question(changed: Incoming, *, now: datetime) -> Incoming:
    """An edited post as a question of its own."""
    key = f"{key_of_post(changed)}:{now.timestamp():.6f}"
    return replace(changed, key=key, sent_at=now, asked_anew=True, edited=True)


def key_of_post(asked: Incoming) -> str:
    """Of the post itself, where it was asked once more."""
    where = asked.conversation
    return message_key(where.team, where.channel, asked.message)


def keep_words(tx: Tx, before: Incoming) -> None:
    """The old words stay with their answer: what waits under their key asks them again."""

    def keep(asked: Incoming) -> Incoming:
        return replace(
            asked,
            text=before.text,
            quoted=before.quoted,
            files=before.files,
            unreadable=before.unreadable,
            edited=before.edited,
        )

    change_question(tx, before.key, keep)


def ask_unheard(tx: Tx, job: Job, answered: Incoming, *, now: datetime) -> None:
    """At the end of a turn: an edit that came too late to be heard of is asked now."""
    payload = queries.read_payload(tx, answered.key)
    asked = answered if payload is None else decode(payload)
    if says_the_same(asked, answered) or asked.by_app or is_deleted(tx, asked):
        return
    if join_edit(tx, replace(asked, key=key_of_post(asked)), besides=answered.key):
        return
    following, where = make_next_question(asked, now=now), asked.conversation
    inbox.put(
        tx,
        following.key,
        job.conversation,
        MESSAGE,
        encode(following),
        team=where.team,
        person=asked.user,
        now=now.timestamp(),
    )
