"""Has the turns of this process follow what other processes received: a message says where to look again.

What is found in the database is done as if it had come here: a stop, a deletion, an edit, more of a question.
What the turn knows already is done no second time.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.conversation.edits import says_the_same
from bot.conversation.posts import Posts
from bot.conversation.questions import list_deleted, read_question
from bot.conversation.running import Running, RunningTurns
from bot.core.ids import reply_id
from bot.core.values import Incoming
from bot.jobs.inbox import Job
from storage.conversation import replies
from storage.engine import Engine, Tx


@dataclass(frozen=True, slots=True)
class QuestionNow:
    """What the database knows of a question. `gone`: the keys of posts that were deleted."""

    posts: tuple[Incoming, ...]
    gone: tuple[str, ...]
    stopped: bool


class TurnFollower:
    """Of the turns that this process works on."""

    def __init__(self, engine: Engine, running: RunningTurns, posts: Posts) -> None:
        self._engine = engine
        self._running = running
        self._posts = posts

    async def hear(self, conversation: str) -> None:
        """Something came for the question that is worked on in a conversation of jobs."""
        await self._running.wait_begun(conversation)
        running = self._running.find_working(conversation)
        if running is not None:
            now = await self._engine.read(read_question_now, running.job, running.posts)
            await self._follow(running, now)

    async def end_team(self, team: str) -> None:
        """The app was removed from a workspace."""
        self._running.end_team(team)

    async def _follow(self, running: Running, now: QuestionNow) -> None:
        for key in now.gone:
            if any(post.key == key for post in running.posts):
                running.remove(key)
        if now.stopped:
            running.stop_once()
        known = {post.key: post for post in running.posts}
        for post in now.posts:
            before = known.get(post.key)
            if before is None:
                running.add()
            elif before != post:
                await self._change(running, before, post)

    async def _change(self, running: Running, before: Incoming, post: Incoming) -> None:
        """More of a post, or other words of its author's: the next question where the old ones have their
        answer already."""
        if running.answering and not (running.delivered or says_the_same(before, post)):
            await self._posts.ask_changed(before, post)
        else:
            running.change(post)


def read_question_now(tx: Tx, job: Job, posts: Sequence[Incoming]) -> QuestionNow:
    """A question as it is by now."""
    reply = replies.find(tx, reply_id(job.key))
    gone = list_deleted(tx, posts)
    return QuestionNow(read_question(tx, job, posts[0]), tuple(gone), bool(reply and reply.stopped))
