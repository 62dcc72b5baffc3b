"""What people do with the bot in every story, and what operators do to it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bot.sandbox.slack.people.forms import NotPossible
from handlers.slack import blocks
from tests.simulator.clock import CLOCK
from tests.simulator.part import Doing, Part
from tests.simulator.plan import Act

EDITED = 1_000  # an edited question's number is so much higher


def question(number: int) -> str:
    return f"what about q{number} in our plans ?"


@dataclass(slots=True)
class Post:
    """A question as it stands in Slack."""

    number: int
    user: str
    channel: str
    ts: str
    thread: str
    mentions: bool  # asks for an answer in any case
    deleted: bool = False
    forgotten: bool = False  # somebody wanted it forgotten, whatever came of that
    taken_back: bool = False  # forgotten before there was anything to answer


class People(Part):
    """Asking, following up, editing, deleting, stopping, trying again; archiving, restarting, clocks."""

    def acts(self) -> Iterable[Act]:
        return self.story.plan.acts

    def does(self) -> Mapping[str, Doing]:
        return {
            "say": self._say,
            "follow": self._follow,
            "edit": self._edit,
            "delete": self._delete,
            "stop": self._stop,
            "again": self._again,
            "archive": self._archive,
            "restart": self._restart,
            "clock": self._clock,
        }

    async def _say(self, act: Act) -> None:
        """A question in a thread of its own, or in the one a person has with the bot."""
        await self._post(act, thread="", mention=act.channel != "@parley")

    async def _follow(self, act: Act) -> None:
        """A question in a thread that is there, half of them without a mention."""
        story = self.story
        before = story.posts.get(story.dice.randrange(1, act.number))
        if before is None or before.deleted:
            return
        mention = story.dice.random() < 0.5
        await self._post(act, thread=before.thread, mention=mention, channel=before.channel)

    async def _post(self, act: Act, *, thread: str, mention: bool, channel: str = "") -> None:
        story = self.story
        where, user = channel or act.channel, story.dice.choice(("alice", "bob"))
        if where == "@parley":
            user = "alice"
        if story.plan.disorder:
            self._disturb()
        text = f"{'@parley ' if mention else ''}{question(act.number)}"
        ts = await story.slack.say(user, where, text, thread_ts=thread or None)
        story.tell(f"{user} asks q{act.number} in {where} {ts} (thread {thread or ts})")
        sure = mention or where == "@parley"
        story.posts[act.number] = Post(act.number, user, where, ts, thread or ts, sure)

    def _disturb(self) -> None:
        dice = self.story.dice
        delay_s = dice.choice((0.0, 0.0, 0.5, 3.0))
        order = {
            "copies": dice.choice((0, 0, 1, 3)),
            "lose_acks": dice.choice((0, 0, 1, 2)),
            "delay_s": delay_s,
        }
        self.story.slack.faults.deliver(dice.choice(("message", "app_mention", "*")), **order)

    async def _edit(self, act: Act) -> None:
        post = self._asked(act)
        mention = "@parley " if post.mentions and post.channel != "@parley" else ""
        self.story.tell(f"{post.user} edits q{act.number}")
        text = f"{mention}{question(act.number + EDITED)}"
        await self.story.slack.edit(post.user, post.channel, post.ts, text)

    async def _delete(self, act: Act) -> None:
        post = self._asked(act)
        self.story.tell(f"{post.user} deletes q{act.number}")
        post.deleted = True
        await self.story.slack.delete(post.user, post.channel, post.ts)

    async def _stop(self, act: Act) -> None:
        post = self._asked(act)
        self.story.tell(f"{post.user} stops the thread of q{act.number}")
        await self.story.slack.stop(post.user, post.channel, post.thread)

    async def _again(self, act: Act) -> None:
        """Presses "Try again" under every answer that has it."""
        post = self._asked(act)
        place = self.story.slack.directory.find_place(post.user, post.channel)[2]
        for message in self.story.slack.thread(place.id, post.thread):
            if f'"{blocks.RETRY}"' in str(message.get("blocks")).replace("'", '"'):
                self.story.tell(f"{post.user} tries again under {message['ts']}")
                pressing = self.story.slack.press(post.user, post.channel, message["ts"], blocks.RETRY)
                self.story.beside(pressing)

    async def _archive(self, act: Act) -> None:
        self.story.tell(f"{act.channel} is archived")
        await self.story.slack.archive("alice", act.channel)

    async def _restart(self, act: Act) -> None:
        self.story.tell("the operator stops the bot")
        self.story.lives.stop_one()

    async def _clock(self, act: Act) -> None:
        self.story.tell(f"the clock of the machine is set by {act.jump_s:+.0f} s")
        CLOCK.wall_off_s += act.jump_s

    def _asked(self, act: Act) -> Post:
        post = self.story.posts.get(act.number)
        if post is None or post.deleted:
            raise NotPossible("nobody asked that")
        return post
