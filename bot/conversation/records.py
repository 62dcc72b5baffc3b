"""What is committed around a turn: the reply's row and id, both sides of the turn, an edit, a deletion."""

from __future__ import annotations

import json
from dataclasses import replace

from bot.conversation.account import dump_account, make_account
from bot.conversation.turn import Turn
from bot.core.codec import decode, encode
from bot.core.ids import reply_id
from bot.core.settings import Settings
from bot.core.values import Incoming, Reply
from bot.jobs.inbox import Job
from bot.voice import message_clips
from bot.voice.listening_policy import read_policy
from storage import audit
from storage.conversation import messages, replies
from storage.conversation.replies import ReplyRow
from storage.engine import Tx
from storage.guard import open_questions, verdicts
from storage.jobs import inbox
from storage.place import Channel
from storage.privacy import forget
from storage.voice import clips, recordings


def begin_reply(tx: Tx, job: Job, incoming: Incoming, *, now: float) -> tuple[ReplyRow, bool]:
    """The reply's row, and whether its question was deleted since it was asked."""
    where = incoming.conversation
    row = replies.begin(tx, reply_id(job.key), job.seq, where, incoming.user, now=now)
    return row, messages.forgotten(tx, where.team, where.channel, incoming.message)


def remember_turn(tx: Tx, incoming: Incoming, reply_id: str, turn: Turn, *, kept: bool, now: float) -> None:
    """One transaction: the answer is ours to deliver, and both sides of the turn are remembered.

    `kept` False: that there was a turn is counted, and no word of it stays.
    """
    incoming = replace(incoming, text=read_full_text(tx, incoming))
    replies.mark_answered(tx, reply_id, encode(turn.reply), account=dump_account(make_account(turn)))
    remember_ruling(tx, incoming, reply_id, turn, now=now)
    if turn.completion is None:
        return
    if not kept:
        messages.count_turn(tx, incoming.conversation, now=now)
        return
    usage, past = turn.completion.usage, turn.recollection
    of_all = past is None or not past.left_out
    remember_post(tx, incoming, now=now)
    messages.append(
        tx,
        incoming.conversation,
        role="assistant",
        message=reply_id,
        person=incoming.user,
        text=turn.completion.text or turn.reply.text,
        whole=turn.completion.finish == "stop",
        tokens=(usage.input_tokens + usage.output_tokens) * of_all,
        now=now,
    )


def remember_ruling(tx: Tx, incoming: Incoming, reply_id: str, turn: Turn, *, now: float) -> None:
    """What the guard had to do with the answer, where there is one."""
    if turn.verdict:
        verdicts.link_reply(tx, turn.verdict, reply_id)
    if turn.unanswered is not None:
        where = incoming.conversation
        open_questions.add_question(
            tx,
            Channel(where.team, where.channel),
            incoming.text,
            turn.unanswered,
            person=incoming.user,
            conversation=where.key,
            now=now,
        )


def remember_post(tx: Tx, incoming: Incoming, *, now: float) -> None:
    messages.append(
        tx,
        incoming.conversation,
        role="human",
        message=incoming.key if incoming.follow_up else incoming.message,
        person=incoming.user,
        text=incoming.text,
        whole=True,
        tokens=0,
        now=now,
    )


def edit_message(tx: Tx, key: str, team: str, channel: str, message: str, text: str, *, now: float) -> None:
    words = message_clips.add_spoken_words(tx, team, channel, message, text)

    def changed(payload: str) -> str:
        asked = decode(payload)  # without files, its text holds what was said in them
        return encode(replace(asked, text=text if asked.files else words))

    for clip in clips.of_message(tx, team, channel, message):
        clips.change_question(tx, clip.id, changed(clip.asked))
    for known in inbox.list_keys(tx, key):
        inbox.amend(tx, known, changed)
        replies.amend_question(tx, reply_id(known), changed)
    messages.edit(tx, team, channel, message, words, now=now)


def forget_message(tx: Tx, key: str, team: str, channel: str, message: str, *, now: float) -> bool:
    """Erases what is kept of a post, waiting or remembered; whether there was anything.

    An answer that is half in Slack is left to its job, which takes it back.
    """
    asked = inbox.list_keys(tx, key)
    begun = [known for known in asked if replies.in_the_making(tx, reply_id(known))]
    waited = [inbox.cancel(tx, known, now=now) for known in asked if known not in begun]
    for known in asked:
        replies.erase_question(tx, reply_id(known))
    judged = forget.forget_judged(tx, team, channel, message)
    there = messages.delete(tx, team, channel, message, now=now) or any(waited) or judged
    if there:
        audit.note(tx, "forgot message", f"{channel}:{message}", team=team, now=now)
    return there


def erase_words(tx: Tx, incoming: Incoming, key: str, reply_id: str) -> None:
    """The answer is final, or given up: what was said stays in Slack alone.

    That there was a turn, whose, and where its cards stand are kept, so that nothing is said twice and what
    is deleted can be taken away.
    """
    conversation = incoming.conversation.key
    inbox.blank_parked(tx, key)
    replies.blank(tx, reply_id)
    recordings.forget_conversation(tx, conversation)
    for clip in clips.of_conversation(tx, conversation):
        clips.change_question(tx, clip.id, encode(replace(decode(clip.asked), text="", files=())))


def takes_part(tx: Tx, conversation: str) -> bool:
    return inbox.knows_conversation(tx, conversation) or messages.knows_conversation(tx, conversation)


def asks_for_answer(settings: Settings, incoming: Incoming, tx: Tx) -> bool:
    """A post in a thread of ours with more in it than clips that are not to be transcribed."""
    place = incoming.conversation
    if not takes_part(tx, place.key):
        return False
    only_files = incoming.files and not incoming.text
    return not only_files or read_policy(tx, settings, place.team, place.channel).allows(incoming)


def read_full_text(tx: Tx, incoming: Incoming) -> str:
    """What the person said, in writing and in recordings."""
    if not incoming.files:
        return incoming.text
    place = incoming.conversation
    return message_clips.add_spoken_words(tx, place.team, place.channel, incoming.message, incoming.text)


def load_reply(payload: str) -> Reply:
    """A stored reply."""
    read = json.loads(payload)
    return Reply(**read | {name: tuple(read.get(name, ())) for name in ("notes", "follow_ups")})
