"""Tells the process that works on a question what came for it elsewhere: Slack delivers to any of them.

Whoever receives an edit, a deletion, more of a question or a stop writes it into the database and leaves word
there, in the same transaction, with the process at work in that conversation. It names the conversation
alone: what is new is read from the database (follower.py). So it may come late, or twice; if that process
dies, whoever goes on reads the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Concatenate

from bot.conversation.questions import MESSAGE, follows_directly, read_question
from bot.core.codec import decode
from bot.core.values import Conversation, Incoming
from storage.conversation import replies
from storage.engine import Engine, P, T, Tx
from storage.workers import at_work, mailbox
from storage.workers.at_work import AtWork

TURN, REMOVED = "turn", "workspace removed"  # topics: the text is a conversation of jobs, a team


class TurnSignals:
    """Of this process to the others. Where there are none, nothing is looked up."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def tell(self, tx: Tx, conversation: str) -> None:
        """Whoever works in a conversation, elsewhere, is to look again. After a lock on it."""
        if self._engine.shared:
            found = at_work.find_in(tx, conversation, me=self._engine.worker)
            _leave(tx, [found] if found else [])

    async def write_about(
        self, key: str, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kw: P.kwargs
    ) -> T:
        """A write about a post, by its key, of which is told whoever is at work where it was asked. It locks
        the conversations that it is about."""
        if not self._engine.shared:
            return await self._engine.write(fn, *args, **kw)

        def write(tx: Tx) -> T:
            value = fn(tx, *args, **kw)
            self.tell_about(tx, key)
            return value

        return await self._engine.write(write)

    def tell_about(self, tx: Tx, key: str) -> None:
        """Whoever works, elsewhere, in a conversation where a post was asked is to look again."""
        if self._engine.shared:
            _leave(tx, at_work.list_on_post(tx, key, me=self._engine.worker))

    def stop(self, tx: Tx, place: Conversation) -> bool:
        """Ends what is answered in a thread and this process does not work on; whether there was anything.

        An answer that waits for its place in Slack ends as soon as somebody goes on with it.
        """
        stopped = replies.mark_stopped(tx, place)
        if stopped and self._engine.shared:
            _leave(tx, at_work.list_on_replies(tx, place, me=self._engine.worker))
        return stopped

    async def finds_in(self, place: Conversation) -> bool:
        """Whether another process works on a question in a thread."""
        if not self._engine.shared:
            return False
        found = await self._engine.read(at_work.list_on_replies, place, me=self._engine.worker)
        return bool(found)

    async def find_begun(self, incoming: Incoming) -> Conversation | None:
        """The question of another thread with which a direct message goes on, where another process works on
        it and shows nothing of an answer yet."""
        begins = incoming.direct and incoming.message == incoming.conversation.thread
        if not (self._engine.shared and begins):
            return None
        return await self._engine.read(_find_begun, incoming, me=self._engine.worker)

    async def tell_removed(self, team: str) -> None:
        """All others are to end the turns of a workspace."""
        if self._engine.shared:
            await self._engine.write(mailbox.put_to_all, REMOVED, team)


def _leave(tx: Tx, found: Iterable[AtWork]) -> None:
    for one in found:
        mailbox.put(tx, one.worker, TURN, one.conversation)


def _find_begun(tx: Tx, incoming: Incoming, *, me: int) -> Conversation | None:
    where = incoming.conversation
    jobs = at_work.list_unshown(
        tx,
        where.team,
        incoming.user,
        conversations=f"{where.team}:{where.channel}:",
        kind=MESSAGE,
        me=me,
    )
    for job in jobs:
        posts = read_question(tx, job, decode(job.payload))
        if follows_directly(posts[0], posts[-1], incoming):
            return posts[0].conversation
    return None
