"""Hours above Slack's limits: the bot was away while many asked, a history that lags, mentions overtaken."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from tests.simulator.part import Doing, Part
from tests.simulator.people import Post, question
from tests.simulator.plan import CHANNELS, Act
from tests.simulator.promises import key_of

if TYPE_CHECKING:
    from tests.simulator.story import Story

FIRST = 500  # numbers of what is asked here begin
LATE = 600  # the number of a mention that comes late
BACKLOGS, OVERTAKEN = 0.08, 0.1  # shares of all stories
LAGS = float(os.environ.get("PARLEY_LAGS", "0.25"))  # likewise, in which Slack's history is behind


class BusyHours(Part):
    """`away_s`: so late the first process starts."""

    def __init__(self, story: Story) -> None:
        super().__init__(story)
        dice = self.dice
        self.backlog = dice.randint(8, 30) if dice.random() < BACKLOGS else 0
        self.away_s = dice.choice((0.0, dice.uniform(1, 40), dice.uniform(40, 110))) if self.backlog else 0.0
        self.overtaken = dice.random() < OVERTAKEN
        self.lag_s = dice.uniform(1, 5) if dice.random() < LAGS else 0.0

    def furnish(self) -> None:
        slack = self.story.slack
        slack.history_lag_s = self.lag_s
        self.story.away_s = self.away_s
        slack.rates.enabled = slack.rates.enabled or bool(self.backlog)

    def acts(self) -> Iterable[Act]:
        dice = self.dice
        for number in range(FIRST, FIRST + self.backlog):
            kind = "follow_up" if number > FIRST and dice.random() < 0.2 else "say"
            yield Act(dice.uniform(0, 20), kind, number, dice.choice(CHANNELS))
        if self.overtaken:
            at_s = dice.uniform(0, 60)
            yield Act(at_s, "late_mention", LATE, dice.choice(("#general", "#support")))
            yield Act(at_s + dice.uniform(0.5, 20), "overtakes", LATE)

    def does(self) -> Mapping[str, Doing]:
        return {
            "follow_up": self._follow_up,
            "late_mention": self._late_mention,
            "overtakes": self._overtakes,
        }

    async def _follow_up(self, act: Act) -> None:
        """Asks with a mention in a thread of the backlog."""
        there = [post for number, post in self.story.posts.items() if number >= FIRST and not post.deleted]
        if there:
            before = self.dice.choice(there)
            await self._post(act.number, before.channel, before.thread, before.user, mention=True)

    async def _late_mention(self, act: Act) -> None:
        """Slack gets its events through only later."""
        delay_s = self.dice.uniform(5, 90)
        for event in ("message", "app_mention"):
            self.story.slack.faults.deliver(event, delay_s=delay_s)
        await self._post(act.number, act.channel, "", "alice", mention=True)

    async def _overtakes(self, act: Act) -> None:
        """Who asked goes on in the thread, without a mention."""
        first = self.story.posts.get(act.number)
        if first is not None and not first.deleted:
            await self._post(act.number + 1, first.channel, first.thread, first.user, mention=False)

    def broken(self) -> Iterator[str]:
        """What overtook its mention is a question all the same, or was read with one, if Slack was told that
        we have both."""
        first, later = self.story.posts.get(LATE), self.story.posts.get(LATE + 1)
        if not (self.overtaken and first and later and self._stand(first, later)):
            return
        self.story.outcome.counts["overtaken mentions"] += 1
        known = {row["key"] for row in self.story.tx.all("select key from inbox")}
        read = {row["message"] for row in self.story.tx.all("select message from messages")}
        asked = key_of(self.story, later) in known or later.ts in read
        if key_of(self.story, first) in known and not asked:
            yield f"LOST: q{later.number} overtook its mention and was never asked"

    def _stand(self, *posts: Post) -> bool:
        """Whether all of them are there, and were acknowledged."""
        acked = {
            d.payload["event"].get("ts")
            for d in self.story.slack.deliveries
            if d.acked and "event" in d.payload
        }
        gone = any(post.deleted or post.forgotten or post.taken_back for post in posts)
        return not gone and acked.issuperset(post.ts for post in posts)

    async def _post(self, number: int, channel: str, thread: str, user: str, *, mention: bool) -> None:
        story = self.story
        words = f"{'@parley ' if mention and channel != '@parley' else ''}{question(number)}"
        ts = await story.slack.say(user, channel, words, thread_ts=thread or None)
        story.tell(f"{user} asks q{number} in {channel} {ts} (thread {thread or ts})")
        sure = mention or channel == "@parley"
        story.posts[number] = Post(number, user, channel, ts, thread or ts, sure)
