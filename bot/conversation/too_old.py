"""Questions that waited until they were too old: one notice stands for those of a thread, or of a channel."""

from __future__ import annotations

from bot.conversation.questions import MESSAGE
from bot.conversation.records import disclose
from bot.core.codec import encode
from bot.core.ids import message_key, read_message
from bot.core.values import Incoming, Reply
from bot.text.ages import format_age
from storage.conversation import replies
from storage.engine import Tx
from storage.jobs import inbox, queries

MANY = 3  # other threads of a channel whose questions are too old as well: then the channel is told
IN_THREAD = (
    "I was away when you wrote this ({age} ago) and {more}, so I leave them. Ask me again what you still "
    "need."
)
IN_CHANNEL = (
    "I was away, and {count} questions here got too old for me to answer; the first of them was asked {age} "
    "ago. Ask me again what you still need."
)


def close_too_old(
    tx: Tx, incoming: Incoming, reply_id: str, *, limit_s: float, disclosure: str, now: float
) -> Reply | None:
    """One transaction: the notice is the answer, and the questions that it speaks of are done. None, and
    nothing is done, where this question is the only one of its kind."""
    place = incoming.conversation
    waiting = [
        job
        for job in queries.list_waiting(tx, message_key(place.team, place.channel, ""), MESSAGE)
        if now - float(read_message(job.key) or now) > limit_s
    ]
    elsewhere = {job.conversation for job in waiting} - {place.key}
    if len(elsewhere) < MANY:
        waiting = [job for job in waiting if job.conversation == place.key]
    if not waiting:
        return None
    for job in waiting:
        inbox.close_told(tx, job.key, now=now)
    age_s = now - incoming.sent_at.timestamp()
    if len(elsewhere) >= MANY:
        text = IN_CHANNEL.format(count=len(waiting) + 1, age=format_age(age_s))
    else:
        more = "1 more message" if len(waiting) == 1 else f"{len(waiting)} more messages"
        text = IN_THREAD.format(age=format_age(age_s), more=more)
    notice = Reply(text, whole=False, to_channel=len(elsewhere) >= MANY)
    reply = disclose(tx, notice, incoming, reply_id, disclosure=disclosure, now=now)
    replies.mark_answered(tx, reply_id, encode(reply))
    return reply
