"""What is committed when the author of a post edits it: other words for what waits, or the next question."""

from __future__ import annotations

from dataclasses import replace

from bot.conversation.questions import MESSAGE, OVERHEARD_CHARACTERS
from bot.conversation.records import (
    change_added,
    change_question,
    join_files,
    know_files,
    list_asked,
    lock_asked,
)
from bot.core.codec import decode, encode, encode_files
from bot.core.ids import reply_id
from bot.core.values import Incoming
from bot.text import marks
from bot.voice import message_clips
from storage.conversation import messages, replies
from storage.engine import Tx
from storage.jobs import queries
from storage.voice import clips


def edit_message(tx: Tx, edited: Incoming, *, given: bool = False, now: float) -> bool:
    """What waits, what is remembered and what may be asked again follow the edit of a post.

    False, and nothing follows, where an answer to the old words is on its way into Slack. `given`: Slack has
    all of that answer, though its job is not closed yet.
    """
    lock_asked(tx, edited.key, edited.conversation.key)
    where, keys = edited.conversation, queries.list_keys(tx, edited.key, kind=MESSAGE)
    if not given and any(_is_answered_otherwise(tx, key, edited) for key in keys):
        return False
    spoken = clips.of_message(tx, where.team, where.channel, edited.message)

    def change(asked: Incoming) -> Incoming:
        if spoken and not asked.files:  # it was corrected: its text holds what is said in the files
            words = message_clips.read_in_full(tx, where.team, where.channel, edited)
            return replace(asked, text=words, edited=True)
        return replace(
            asked,
            text=edited.text,
            quoted=edited.quoted,
            files=join_files(asked.files, edited.files),
            unreadable=edited.unreadable,
            edited=True,
        )

    for clip in spoken:
        clips.change_question(tx, clip.id, encode(change(decode(clip.asked))))
    for key in keys:
        change_question(tx, key, change)
    change_added(tx, where.team, where.channel, edited.message, change)
    if all(key == edited.key or queries.read_payload(tx, key) is None for key in keys):
        # Else the new words are the next question, and the old ones stay with their answer.
        latest = messages.latest_wording(tx, where.team, where.channel, edited.message, key=edited.key)
        known = know_files(tx, edited, latest)
        text = message_clips.read_in_full(tx, where.team, where.channel, known)
        text = text if keys else marks.cut_rest(text, OVERHEARD_CHARACTERS)
        messages.edit(tx, where.team, where.channel, latest, text, now=now)
        messages.set_files(tx, where.team, where.channel, latest, encode_files(known.files))
    return True


def _is_answered_otherwise(tx: Tx, key: str, edited: Incoming) -> bool:
    payload = queries.read_payload(tx, key)
    if payload is None or not replies.is_answered(tx, reply_id(key)):
        return False
    return not says_the_same(decode(payload), edited)


def says_the_same(asked: Incoming, edited: Incoming) -> bool:
    return (asked.text, asked.quoted) == (edited.text, edited.quoted)


def join_edit(tx: Tx, edited: Incoming, *, besides: str = "") -> bool:
    """Whether the edit of a post is a question already: one that waits asks with its words now, one that is
    worked on does anyway, be it not the one under the key `besides`."""
    return change_waiting_edit(tx, edited) or any(
        says_the_same(asked, edited)
        for key, asked in list_asked(tx, edited.key)
        if key not in (edited.key, besides)
    )


def change_waiting_edit(tx: Tx, edited: Incoming) -> bool:
    """Whether an earlier edit of the post is a question that waits, and asks with these words now."""
    waiting = queries.list_keys(tx, edited.key, kind=MESSAGE, waiting=True)
    found = [key for key in waiting if key != edited.key and not replies.is_answered(tx, reply_id(key))]
    for key in found:
        change_question(tx, key, lambda asked: replace(edited, key=asked.key, asked_anew=True, edited=True))
    return bool(found)
