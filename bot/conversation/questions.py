"""Which posts are questions to us, and which of them are one question; what is stored decides.

The words alone are read in bot/conversation/addressing.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from bot.conversation import addressing
from bot.core.codec import decode
from bot.core.ids import POST, is_earlier, message_key
from bot.core.settings import Settings
from bot.core.values import Incoming
from bot.jobs.inbox import Job
from bot.voice.listening_policy import read_policy
from storage.conversation import messages, passed_over, quiet_threads, tombstones
from storage.engine import Tx
from storage.jobs import queries

MESSAGE = "message"  # the kind of job that a question is
OVERHEARD = 20  # so many of the last posts are looked at for one that speaks to somebody else
MOST_POSTS = 20  # of one question
# So much is kept of a post that asks nothing of us, for everybody who asks later reads it, and pays for that.
OVERHEARD_CHARACTERS = 12_000
# So far apart may direct messages be that each begin a thread, to be one question.
QUICK_S = 10.0


def asks_for_answer(tx: Tx, settings: Settings, incoming: Incoming, answers: str) -> bool:
    """Whether a post that does not mention us is said to us, by what the channel and the thread want.

    `answers`: which messages are answered there, one of bot.core.settings.ANSWERED.

    Not if it mentions somebody else, goes on with what people say to each other, says no more than thanks,
    or holds nothing but clips that are not to be transcribed.
    """
    place = incoming.conversation
    first = incoming.message == place.thread
    if incoming.to_others or answers == "mentions" or (first and answers != "every"):
        return False
    if not first and (not takes_part(tx, incoming) or quiet_threads.is_quiet(tx, place.key)):
        return False
    if messages.is_kept(tx, place.team, place.channel, incoming.message):
        return False  # it was read with the thread, or is delivered once more
    if goes_on_among_people(tx, incoming):
        return False
    only_files = incoming.files and not (incoming.text or incoming.quoted)
    return not only_files or read_policy(tx, settings, place.team, place.channel).allows(incoming)


def takes_part(tx: Tx, post: Incoming) -> bool:
    """Whether we take part in a post's conversation, and did when it was written: what was said before we
    were called, and is delivered late, is read with the thread."""
    conversation = post.conversation.key
    waiting = queries.read_first(tx, conversation, MESSAGE, keys=POST)  # the first that was posted
    asked = None if waiting is None else decode(waiting).message
    if messages.recall(tx, conversation, limit=1).untouched:
        before = asked is not None and is_earlier(post.message, asked)
    else:
        first = messages.find_first(tx, conversation, role="human")
        before = first is not None and is_earlier(post.message, first)
    known = asked is not None or messages.knows_conversation(tx, conversation)
    return known and not before


def pass_over(tx: Tx, post: Incoming, *, now: float) -> None:
    """Notes a post of a thread in which we take no part: a mention before it may be delivered yet."""
    where = post.conversation
    if post.message != where.thread and not takes_part(tx, post):
        passed_over.note(tx, where, post.message, now=now)


def find_overtaken(tx: Tx, mention: Incoming) -> str:
    """The newest post of its thread that arrived before a mention and was written later; "" if none was."""
    newest = passed_over.find(tx, mention.conversation.key)
    called_at = f"{mention.sent_at.timestamp():.6f}"
    return newest if newest and is_earlier(called_at, newest) else ""


def goes_on_among_people(tx: Tx, incoming: Incoming) -> bool:
    """Whether people talk to each other: somebody was spoken to since we were, or these words say no more
    than thanks. A yes to a question of ours says more."""
    where = incoming.conversation
    asked = False
    for role, message, text in messages.list_latest(tx, where.key, limit=OVERHEARD):
        if role == "human" and not queries.list_keys(tx, message_key(where.team, where.channel, message)):
            if addressing.speaks_to_somebody(text):
                return True
            continue
        asked = role == "assistant" and addressing.ends_in_question(text)
        break
    return addressing.is_courtesy(incoming.text) and not asked and not incoming.files


def knows_post(tx: Tx, post: Incoming) -> bool:
    """Whether a post waits to be answered, or is remembered."""
    where = post.conversation
    waits = queries.read_payload(tx, post.key) is not None
    return waits or messages.is_kept(tx, where.team, where.channel, post.message)


def lacks_post(tx: Tx, post: Incoming) -> bool:
    """Whether a post of a thread in which we take part was never received: of any other something is kept."""
    where = post.conversation
    if post.message == where.thread or not takes_part(tx, post):
        return False
    return not (
        queries.list_keys(tx, post.key) or messages.is_kept(tx, where.team, where.channel, post.message)
    )


def read_question(tx: Tx, job: Job, incoming: Incoming) -> tuple[Incoming, ...]:
    """The posts of one question, as they are now: the one that a job is about, and what the same person
    wrote in the conversation since, if nothing else came between."""
    kept = queries.read_payload(tx, job.key)
    first = replace(decode(kept), conversation=incoming.conversation) if kept else incoming
    posts = [first, *first.added]
    behind = queries.list_behind(tx, job.conversation, job.seq, MESSAGE, limit=MOST_POSTS - 1)
    for payload in behind:
        post = decode(payload)
        if not goes_with(posts[0], post):
            break
        posts.append(post)
    return tuple(posts)


def list_deleted(tx: Tx, posts: Iterable[Incoming]) -> list[str]:
    """The keys of those that were deleted."""
    return [post.key for post in posts if is_deleted(tx, post)]


def is_deleted(tx: Tx, post: Incoming) -> bool:
    """Whether its author took a post back, or it was forgotten."""
    where = post.conversation
    return tombstones.forgotten(tx, where.team, where.channel, post.message)


def goes_with(first: Incoming, post: Incoming) -> bool:
    """Whether a post goes on with a question of the same person. What a button asks for, what is asked once
    more, a wish such as "stop" and what an app asks stand alone."""
    same = (post.conversation.key, post.user, post.external) == (
        first.conversation.key,
        first.user,
        first.external,
    )
    return same and all(_is_plain(each) for each in (first, post))


def follows_directly(first: Incoming, last: Incoming, post: Incoming) -> bool:
    """Whether a direct message that begins a thread goes on with the question that began another; what is
    asked once more does not."""
    where, there = first.conversation, post.conversation
    begin = first.message == where.thread and post.message == there.thread
    same = (where.team, where.channel, first.user) == (there.team, there.channel, post.user)
    after_s = (post.sent_at - last.sent_at).total_seconds()
    direct = first.direct and post.direct and _is_plain(post)
    return direct and begin and same and 0 <= after_s <= QUICK_S


def _is_plain(post: Incoming) -> bool:
    where = post.conversation
    own_key = post.key == message_key(where.team, where.channel, post.message)
    wishes = not post.direct and addressing.read_wish(post.text)
    return own_key and not post.by_app and not wishes
