"""What is committed around a turn: the reply's row and id, both sides of the turn, a deletion."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace

from bot.conversation.account import dump_account, make_account
from bot.conversation.questions import (
    MESSAGE,
    OVERHEARD_CHARACTERS,
    is_deleted,
    read_question,
    takes_part,
)
from bot.conversation.turn_values import Turn
from bot.core.codec import decode, decode_files, encode, encode_files
from bot.core.ids import message_key, reply_id
from bot.core.values import Conversation, File, Incoming, Message, Reply, Source
from bot.jobs.inbox import Job
from bot.knowledge.attachments import remove_attached
from bot.knowledge.follow_up import make_standalone
from bot.text import marks
from bot.voice import message_clips
from storage import audit
from storage.conversation import messages, quiet_threads, replies, tombstones
from storage.conversation.replies import ReplyRow
from storage.engine import Tx
from storage.guard import verdicts
from storage.jobs import inbox, queries
from storage.knowledge import answer_examples, document_days
from storage.knowledge.answer_examples import AnswerExample
from storage.knowledge.document_days import Outcome
from storage.place import Channel
from storage.privacy import forget
from storage.unanswered import questions
from storage.voice import clips, recordings
from storage.welcome import disclosures


def begin_reply(
    tx: Tx, job: Job, incoming: Incoming, *, sending: bool, now: float
) -> tuple[ReplyRow, tuple[Incoming, ...], bool]:
    """The reply's row as an earlier attempt left it, the posts of the question as they are now, and whether
    it was deleted since.

    Where one was overheard before, and mentions us only now, it is remembered with its answer, not twice.
    """
    tx.lock(job.conversation)
    posts = read_question(tx, job, incoming)
    where = posts[0].conversation
    if posts[0].beside and tombstones.forgotten(tx, where.team, where.channel, where.thread):
        where = replace(where, thread=incoming.message)  # the question before it took its thread along
        posts = (replace(posts[0], conversation=where, beside=False),)
    row = replies.begin(tx, reply_id(job.key), job.seq, where, incoming.user, sending=sending, now=now)
    gone = tombstones.forgotten(tx, where.team, where.channel, incoming.message)
    if row.payload is None:
        messages.retract_unanswered(tx, where.team, where.channel, incoming.remembered_as)
    return row, posts, gone


def remember_turn(
    tx: Tx,
    posts: Sequence[Incoming],
    reply_id: str,
    turn: Turn,
    *,
    disclosure: str,
    kept: bool,
    day: str,
    now: float,
) -> Reply | None:
    """One transaction: the answer is ours to deliver, and both sides of the turn are remembered.

    Returns the answer as it is to be delivered; None, and nothing is remembered, when the question was
    deleted. A post that was added to it and deleted is no part of it any more. `kept` False: that there was a
    turn is counted, and no word of it stays. Posts that the model answered with the first one are done; where
    it was not asked, each still waits to be a question of its own.
    """
    tx.lock(posts[0].conversation.key)
    if turn.heard:
        posts = [
            replace(post, files=heard.add_names(post.files))
            for post, heard in zip(posts, turn.heard, strict=True)
        ]
    incoming = posts[0]
    posts = [post for post in posts if not is_deleted(tx, post)]
    if incoming not in posts:
        return None
    reply = disclose(tx, turn.reply, incoming, reply_id, disclosure=disclosure, now=now)
    replies.mark_answered(tx, reply_id, encode(reply), account=dump_account(make_account(turn)))
    remember_ruling(tx, posts, reply_id, turn, now=now)
    if outcome := find_outcome(turn):
        where = incoming.conversation
        document_days.count_outcome(tx, where.team, where.channel, day=day, outcome=outcome)
    remember_refusal(tx, posts, reply_id, turn, kept=kept, now=now)
    if kept:
        remember_answered(tx, posts[0], reply_id, turn, now=now)
    if turn.quiet is not None:
        quiet_threads.set_quiet(tx, incoming.conversation, turn.quiet, now=now)
    remember_words(tx, posts, reply_id, turn, kept=kept, now=now)
    if turn.completion is not None and len(posts) > 1:
        for post in posts[1:]:
            inbox.close_answered(tx, post.key, now=now)
        replies.amend_question(tx, reply_id, lambda _: encode(replace(incoming, added=tuple(posts[1:]))))
    return reply


def reopen_added(tx: Tx, reply_id: str) -> None:
    """An answer is taken back: what went with its question is a question of its own."""
    question = replies.find_question(tx, reply_id)
    for post in decode(question).added if question else ():
        inbox.reopen_answered(tx, post.key, encode(post))


def change_added(
    tx: Tx, team: str, channel: str, message: str, change: Callable[[Incoming], Incoming | None]
) -> None:
    """Changes a post where it went with a question that may be asked once more; None takes it out."""

    def changed(asked: Incoming) -> Incoming:
        added = (change(post) if post.message == message else post for post in asked.added)
        return replace(asked, added=tuple(filter(None, added)))

    for before in messages.list_before(tx, team, channel, message):
        for key in queries.list_keys(tx, message_key(team, channel, before), kind=MESSAGE):
            change_question(tx, key, changed)


def disclose(
    tx: Tx, reply: Reply, incoming: Incoming, reply_id: str, *, disclosure: str, now: float
) -> Reply:
    """The reply; a person's first one says that an AI gave it."""
    place = incoming.conversation
    first = disclosures.claim(tx, place.team, incoming.user, channel=place.channel, source=reply_id, now=now)
    return replace(reply, disclosure=disclosure if first else "")


def withdraw_reply(tx: Tx, incoming: Incoming, reply_id: str, *, now: float) -> None:
    """Nothing of the reply is left to be seen, nor what it told the person. What went with its question,
    which is gone, is a question of its own."""
    reopen_added(tx, reply_id)
    replies.mark_withdrawn(tx, reply_id, now=now)
    disclosures.take_back(tx, incoming.conversation.team, incoming.user, source=reply_id, now=now)


def remember_words(
    tx: Tx, posts: Sequence[Incoming], reply_id: str, turn: Turn, *, kept: bool, now: float
) -> None:
    """Both sides of a turn, where the model was asked and they may be `kept`."""
    incoming = posts[0]
    if turn.completion is None:
        if kept and (incoming.files or incoming.unreadable):
            remember_beside(tx, incoming, now=now)
        return
    if not kept:
        messages.count_turn(tx, incoming.conversation, now=now)
        return
    usage, past = turn.completion.usage, turn.recollection
    of_all = (past is None or not past.left_out) and not turn.read_more
    for post in posts:
        remember_post(tx, post, now=now)
    messages.append(
        tx,
        incoming.conversation,
        role="assistant",
        message=messages.answer_id(incoming.message, reply_id),
        person=incoming.user,
        text=turn.completion.text or turn.reply.text,
        whole=turn.completion.finish == "stop",
        tokens=(usage.input_tokens + usage.output_tokens) * of_all,
        now=now,
    )
    rewriting = turn.documents.rewriting if turn.documents else None
    if rewriting and rewriting.question and past:
        answer = messages.answer_id(incoming.message, reply_id)
        where, written = incoming.conversation.key, rewriting.question
        messages.set_searched(tx, where, answer, written, erasures=past.erasures)


def remember_ruling(tx: Tx, posts: Sequence[Incoming], reply_id: str, turn: Turn, *, now: float) -> None:
    """What the guard had to do with the answer, where there is one."""
    if turn.verdict:
        verdicts.link_reply(tx, turn.verdict, reply_id)


def remember_refusal(
    tx: Tx, posts: Sequence[Incoming], reply_id: str, turn: Turn, *, kept: bool, now: float
) -> None:
    """A question that nothing known was enough for waits for whoever looks after the channel, where its words
    may be `kept`; one that waited has its answer."""
    incoming = posts[0]
    where = incoming.conversation
    at = Channel(where.team, where.channel)
    question = marks.words_alone("\n\n".join(read_full_text(tx, post) for post in posts))
    if turn.unanswered is None:
        if turn.completion is not None and not incoming.follow_up:
            questions.note_answered(tx, at, incoming.message, question, now=now)
    elif kept:
        questions.add_question(
            tx,
            at,
            question,
            turn.unanswered,
            person=incoming.user,
            conversation=where.key,
            message=incoming.message,
            reply=reply_id,
            searched=_write_out(tx, where, turn, question),
            nearest_document=turn.documents.nearest_document if turn.documents else "",
            now=now,
        )


def _write_out(tx: Tx, where: Conversation, turn: Turn, question: str) -> str:
    """A follow-up as it was searched with, made of what was said before it; "" where it says all itself, or
    something of that was deleted or changed since."""
    past = turn.recollection
    if past is None or not messages.is_as_recalled(tx, where.key, erasures=past.erasures):
        return ""
    rewriting = turn.documents.rewriting if turn.documents else None
    if rewriting and rewriting.question:
        return rewriting.question
    asked = make_standalone([*past.messages, Message("human", question)])
    return asked[0] if len(asked) > 1 else ""


def find_outcome(turn: Turn) -> Outcome | None:
    """What became of a question to documents; None where they were not asked, or it was stopped."""
    if turn.unanswered is not None:
        return "refused"
    if turn.documents is None or turn.completion is None or not turn.reply.whole:
        return None
    return "general" if turn.documents.refused else "answered"


def remember_answered(tx: Tx, incoming: Incoming, reply_id: str, turn: Turn, *, now: float) -> None:
    """Which passages answered a question, for the channel's own head: where no outsider reads along."""
    found, where = turn.documents, incoming.conversation
    if not found or found.refused or not found.question or incoming.external or incoming.follow_up:
        return
    for passage in found.search.passages:
        if passage.quoted and passage.document:
            example = AnswerExample(
                where.team,
                where.channel,
                marks.words_alone(found.question),
                1,
                "answered",
                now,
                passage.document,
                passage.chunk,
                incoming.user,
                where.key,
                incoming.message,
                reply_id,
            )
            answer_examples.add(tx, example)


def remember_post(tx: Tx, incoming: Incoming, *, most: int | None = None, now: float) -> None:
    """Remembers a post; `most`: so many characters of it."""
    text = read_full_text(tx, incoming)
    messages.append(
        tx,
        incoming.conversation,
        role="human",
        message=incoming.remembered_as,
        person=incoming.user,
        text=text if most is None else marks.cut_rest(text, most),
        whole=True,
        tokens=0,
        files=encode_files(incoming.files),
        now=now,
    )


def remember_aside(tx: Tx, post: Incoming, *, now: float) -> None:
    """Remembers a post that asks nothing of us, where we take part, as far as it is kept."""
    tx.lock(post.conversation.key)
    if takes_part(tx, post):
        remember_post(tx, post, most=OVERHEARD_CHARACTERS, now=now)


def remember_beside(tx: Tx, incoming: Incoming, *, now: float) -> None:
    """Remembers a post that nothing was asked of the model about, in a conversation that is remembered.

    Any other is read from Slack, this post with it, when something is asked there.
    """
    if messages.recall(tx, incoming.conversation.key, limit=1).last_at is not None:
        remember_post(tx, incoming, now=now)


def lock_asked(tx: Tx, key: str, *conversations: str) -> None:
    """Nobody else begins, answers or changes meanwhile what was asked about a post."""
    for conversation in sorted({*conversations, *queries.list_conversations(tx, key)}):
        tx.lock(conversation)


def list_asked(tx: Tx, key: str) -> list[tuple[str, Incoming]]:
    """What was asked about a post and is not done yet, with its key."""
    found = [(each, queries.read_payload(tx, each)) for each in queries.list_keys(tx, key, kind=MESSAGE)]
    return [(each, decode(payload)) for each, payload in found if payload]


def add_to_post(tx: Tx, later: Incoming) -> Incoming | None:
    """Adds what another event tells of a post to the question that it is, until that is answered.

    The question as it is then, in its newest words; None when there is none, or nothing new.
    """
    waiting = list_asked(tx, later.key)
    if not waiting:
        return None
    _, asked = waiting[-1]
    joined = join_posts(asked, later)
    if joined == asked:
        return None
    change_question(tx, asked.key, lambda _: joined)
    return joined


def add_to_question(tx: Tx, later: Incoming) -> Incoming | None:
    """As `add_to_post`, for whoever holds no lock."""
    lock_asked(tx, later.key)
    return add_to_post(tx, later)


def extend_remembered(tx: Tx, later: Incoming) -> None:
    """What is remembered of a post gets what Slack added to it since."""
    where = later.conversation
    later = know_files(tx, later, later.message)
    text = message_clips.read_in_full(tx, where.team, where.channel, later)
    if not queries.list_keys(tx, later.key, kind=MESSAGE):
        text = marks.cut_rest(text, OVERHEARD_CHARACTERS)
    messages.extend(tx, where.team, where.channel, later.message, text)
    messages.set_files(tx, where.team, where.channel, later.message, encode_files(later.files))


def know_files(tx: Tx, post: Incoming, remembered_as: str) -> Incoming:
    """A post with its files as they are remembered: which of them were read."""
    where = post.conversation
    _, kept = messages.find_files(tx, where.team, where.channel, remembered_as)
    return replace(post, files=join_files(decode_files(kept), post.files))


def change_question(tx: Tx, key: str, change: Callable[[Incoming], Incoming]) -> None:
    """Changes what waits under a key, and what of it may be asked again."""

    def changed(payload: str) -> str:
        return encode(change(decode(payload)))

    inbox.amend(tx, key, changed)
    replies.amend_question(tx, reply_id(key), changed)


def join_posts(asked: Incoming, later: Incoming) -> Incoming:
    """A post as two events tell of it together: either may lack files, a pasted table, a quote.

    Once its author has edited it, a delivery of what it was before adds no word.
    """
    joined = replace(
        asked,
        files=join_files(asked.files, later.files),
        direct=asked.direct or later.direct,
        mentioned=asked.mentioned or later.mentioned,
        external=asked.external or later.external,
        unfinished=asked.unfinished and later.unfinished,
    )
    if asked.edited and later.text != asked.text:
        return joined
    return replace(
        joined,
        text=max(asked.text, later.text, key=len),
        quoted=max(asked.quoted, later.quoted, key=len),
        unreadable=max(asked.unreadable, later.unreadable, key=len),
    )


def join_files(known: tuple[File, ...], more: tuple[File, ...]) -> tuple[File, ...]:
    """All of them, each once; one whose address is known stands for one that is only promised."""
    files = {file.id: file for file in known}
    for file in more:
        if file.id not in files or not files[file.id].url:
            files[file.id] = file
    return tuple(files.values())


def forget_message(tx: Tx, key: str, team: str, channel: str, message: str, *, now: float) -> bool:
    """Erases what is kept of a post, waiting or remembered; whether there was anything.

    An answer that is half in Slack is left to its job, which takes it back. It may be part of a
    question that began with a post before it, under whose name the guard judged it; one that came to no
    answer is not remembered, so all such verdicts go.
    """
    lock_asked(tx, key)
    tombstones.lock(tx, team, channel, message)
    forget_files(tx, key, team, channel, message, now=now)
    asked = queries.list_keys(tx, key, kind=MESSAGE)
    begun = [known for known in asked if replies.in_the_making(tx, reply_id(known))]
    waited = [inbox.cancel(tx, known, now=now) for known in asked if known not in begun]
    for known in begun:
        reopen_added(tx, reply_id(known))
    for known in asked:
        replies.erase_question(tx, reply_id(known))
    messages.delete_wordings(tx, team, channel, key)
    together = (message, *messages.list_before(tx, team, channel, message))
    judged = [forget.forget_judged(tx, team, channel, each) for each in together]
    judged.append(forget.forget_unanswered(tx, team, channel, key))
    change_added(tx, team, channel, message, lambda _: None)
    there = messages.delete(tx, team, channel, message, now=now) or any((*waited, *judged))
    if there:
        audit.note(tx, "forgot message", f"{channel}:{message}", team=team, now=now)
    return there


def forget_files(tx: Tx, key: str, team: str, channel: str, message: str, *, now: float) -> None:
    """Documents that were attached to a post, waiting or remembered."""
    for _, asked in list_asked(tx, key):
        remove_attached(tx, asked.conversation.key, asked.files, now=now)
    conversation, kept = messages.find_files(tx, team, channel, message)
    if kept:
        remove_attached(tx, conversation, decode_files(kept), now=now)


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
        bare = replace(decode(clip.asked), text="", quoted="", files=(), unreadable=())
        clips.change_question(tx, clip.id, encode(bare))


def read_full_text(tx: Tx, incoming: Incoming) -> str:
    """What the person said, in writing and in recordings, with all that came along."""
    if not incoming.files:  # where it was corrected, its text holds what is said in its files
        return message_clips.SpokenWords().in_full(incoming)
    place = incoming.conversation
    return message_clips.read_in_full(tx, place.team, place.channel, incoming)


def load_reply(payload: str) -> Reply:
    """A stored reply."""
    read = json.loads(payload)
    sources = tuple(Source(**source) for source in read.get("sources", ()))
    lists = {name: tuple(read.get(name, ())) for name in ("notes", "follow_ups")}
    return Reply(**read | lists | {"sources": sources})
