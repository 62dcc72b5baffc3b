"""What is written of a question that is asked again: in one commit each, and read back where it goes on.

An answer is committed together with its question's end (repair.py tells it afterwards).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile

from bot.conversation.account import dump_account, make_account
from bot.conversation.recollection import Recollection, recollection_from
from bot.conversation.records import remember_answered
from bot.conversation.turn_values import Turn
from bot.core.codec import encode
from bot.core.errors import Missing
from bot.core.ids import reply_id
from bot.core.values import Conversation, Incoming, Reply
from bot.jobs.inbox import Job
from bot.unanswered.asking_again import ask_question, ask_topic
from storage import audit
from storage.conversation import messages, replies, tombstones
from storage.conversation.replies import ReplyRow
from storage.engine import Tx
from storage.place import Channel
from storage.unanswered import questions
from storage.unanswered.questions import OpenQuestion


def find_place(tx: Tx, team: str, question: OpenQuestion) -> Conversation:
    """The thread in which a question was asked."""
    refusal = replies.find(tx, question.reply) if question.reply else None
    begins = f"{team}:{question.channel}:"
    named = question.conversation.removeprefix(begins)
    thread = refusal.thread if refusal else named or question.message
    return Conversation(team, question.channel, thread, whole=not named)


def recall_before(tx: Tx, asked: Incoming) -> Recollection:
    """What had been said when a question was asked: a follow-up leans on that."""
    recalled = messages.recall(tx, asked.conversation.key)
    said = [one.message for one in recalled.messages]
    if asked.message not in said:
        return Recollection()
    before = tuple(takewhile(lambda one: one.message != asked.message, recalled.messages))
    return recollection_from(replace(recalled, messages=before))


def commit(
    tx: Tx, job: Job, asked: Incoming, question: OpenQuestion, *, turn: Turn, now: float
) -> ReplyRow | None:
    """The answer is ours to tell, and the question is closed with it; None where it is open no more."""
    where, id = asked.conversation, reply_id(job.key)
    tx.lock(where.key)
    if tombstones.forgotten(tx, where.team, where.channel, asked.message):
        return None
    if not questions.close(tx, Channel(where.team, where.channel), [question.id], "answered", now=now):
        return None
    replies.begin(tx, id, job.seq, where, asked.user, sending=False, now=now)
    replies.erase_question(tx, id)
    replies.mark_answered(tx, id, encode(turn.reply), account=dump_account(make_account(turn)))
    messages.append(
        tx,
        where,
        role="assistant",
        message=messages.answer_id(asked.message, id),
        person=asked.user,
        text=turn.completion.text if turn.completion else turn.reply.text,
        now=now,
    )
    remember_answered(tx, asked, id, turn, now=now)
    return replies.get(tx, id)


def ask_again(tx: Tx, at: Channel, topic: int, *, by: str, now: float) -> int:
    """Has the open questions of a topic asked again, as somebody wants it; how many."""
    asked = ask_topic(tx, at, topic, f"{now:.6f}", now=now)
    audit.note(
        tx, "questions asked again", at.channel, team=at.team, person=by, detail=f"topic {topic}", now=now
    )
    return asked


def tell(tx: Tx, at: Channel, id: int, answer: Reply, *, by: str, now: float) -> None:
    """Has whoever asked told an answer that somebody gave. Missing: it is not open."""
    question = questions.find(tx, at.team, id)
    if question is None or question.channel != at.channel or question.closed_at is not None:
        raise Missing(f"no open question {id}")
    ask_question(tx, at, question, f"{now:.6f}", answer=encode(answer), now=now)
    audit.note(tx, "question answered", at.channel, team=at.team, person=by, detail=f"question {id}", now=now)


def want(tx: Tx, at: Channel, question: int, *, by: str, now: float) -> bool:
    """Notes that somebody says a question should be answered; False when that is known."""
    wanted = questions.want(tx, at, question)
    if wanted:
        detail = f"question {question}"
        audit.note(tx, "question wanted", at.channel, team=at.team, person=by, detail=detail, now=now)
    return wanted
