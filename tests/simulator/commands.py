"""Slash commands in a story while things run: forget, export, usage, settings, and what only shows something.

What was forgotten stays forgotten: whatever comes after it, no word of it is stored again.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from handlers.slack.blocks import FORGET_ALL
from storage.privacy.forget import BLANKED, RECORDED
from tests.simulator.part import Doing, Part
from tests.simulator.people import Post
from tests.simulator.plan import CHANNELS, Act
from tests.simulator.promises import key_of, replies_of

SHOWING = (
    "usage",
    "budget",
    "budget log",
    "owner",
    "estimate 2 hours",
    "digest on",
    "export",
    "settings",
    "help",
)
TABLES = ("messages", "summaries", *BLANKED, *RECORDED)  # with words of people or ours


class Commands(Part):
    """Some stories have people who use /parley."""

    def environment(self) -> Mapping[str, str]:
        self.on = self.dice.random() < 0.35
        self._forgotten: set[int] = set()
        self._pressed: list[tuple[str, str, list[int]]] = []  # who, which question of ours, what it is about
        return {}

    def acts(self) -> Iterable[Act]:
        asked = [act for act in self.story.plan.acts if act.kind in ("say", "follow")] if self.on else []
        for act in asked:
            at_s = act.at_s + self.dice.choice((1.0, 8.0, 60.0)) * self.dice.random()
            if self.dice.random() < 0.5:
                yield Act(at_s, self.dice.choice(("forget", "forget", "forget_all")), act.number)
            if self.dice.random() < 0.4:
                yield Act(at_s, "show", act.number, self.dice.choice(CHANNELS))

    def does(self) -> Mapping[str, Doing]:
        return {"forget": self._forget, "forget_all": self._forget_all, "show": self._show}

    async def _show(self, act: Act) -> None:
        what, user = self.story.dice.choice(SHOWING), "alice" if act.channel == "@parley" else "bob"
        self.story.tell(f"{user}: /parley {what}")
        self.story.beside(self.story.slack.command(user, act.channel, "/parley", what))

    async def _forget(self, act: Act) -> None:
        """The thread of a question, by its link."""
        if post := self.story.posts.get(act.number):
            place = self.story.slack.directory.find_place(post.user, post.channel)[2]
            link = f"https://sandbox.slack.com/archives/{place.id}/p{post.thread.replace('.', '')}"
            meant = [p for p in self.story.posts.values() if p.thread == post.thread]
            self.story.beside(self._ask(post, f"forget thread {link}", meant))

    async def _forget_all(self, act: Act) -> None:
        """Everything of the person who asked a question."""
        if post := self.story.posts.get(act.number):
            self.story.beside(self._ask_all(post))

    async def _ask_all(self, post: Post) -> None:
        """The command asks first; whatever has arrived when its button is pressed is gone in the end, also
        what has no answer yet."""
        slack = self.story.slack
        delivery = await slack.command(post.user, post.channel, "/parley", "forget all")
        if FORGET_ALL not in str(delivery.response):
            return
        asked = slack.ephemerals(post.user)[-1]
        meant = [p for p in self.story.posts.values() if p.user == post.user]
        arrived = [p.number for p in meant if self._has_arrived(p)]
        self.story.tell(f"{post.user} presses {FORGET_ALL}: {arrived}")
        for each in meant:
            each.forgotten = True
            each.taken_back |= not self._has_arrived(each)
        self._pressed.append((post.user, asked["ts"], arrived))
        await slack.press(post.user, post.channel, asked["ts"], FORGET_ALL)

    async def _ask(self, post: Post, what: str, meant: list[Post]) -> None:
        over = [p.number for p in meant if self._is_over(p)]
        self.story.tell(f"{post.user}: /parley {what}: {over}")
        for each in meant:
            each.forgotten = True
            # What was read in its thread and never delivered is refused when it comes at last.
            each.taken_back |= not self._has_arrived(each)
        delivery = await self.story.slack.command(post.user, post.channel, "/parley", what)
        if str(delivery.response.get("text", "")).startswith("Forgotten"):  # else it was said why not
            self.story.tell(f"forgotten: {over}")
            self._forgotten.update(over)

    def _has_arrived(self, post: Post) -> bool:
        found = "select 1 as found from inbox where key = :key"
        return self.story.tx.one(found, key=key_of(self.story, post)) is not None

    def _is_over(self, post: Post) -> bool:
        """Answered, and nothing of it waits: what is asked again later is another question."""
        going_on = (
            "select 1 as found from inbox where (key = :key or key like :key || ':%') and state = 'new'"
        )
        if self.story.tx.one(going_on, key=key_of(self.story, post)):
            return False
        sent = "select 1 as found from replies where id = :id and sent_at is not null"
        return self.story.tx.one(sent, id=replies_of(self.story, post)[0]) is not None

    def _note_told(self) -> None:
        """What people were told is forgotten."""
        for user, ts, numbers in self._pressed:
            told = [shown["text"] for shown in self.story.slack.ephemerals(user) if shown["ts"] == ts]
            if str(told).startswith("['Forgotten"):
                self.story.tell(f"forgotten: {numbers}")
                self._forgotten.update(numbers)

    def broken(self) -> Iterator[str]:
        self._note_told()
        self.story.outcome.counts["forgotten"] += len(self._forgotten)
        for number in self._forgotten:
            if len(replies := self._asked_again(number)) > 1:
                self.story.tell(f"q{number} was asked again: {replies}")
                continue
            for table in TABLES:
                rows = str(self.story.tx.all(f"select * from {table}"))
                if f"q{number} " in rows or f"w{number}n" in rows:
                    yield f"NOT FORGOTTEN: q{number} is in {table}"

    def _asked_again(self, number: int) -> list[str]:
        ids = replies_of(self.story, self.story.posts[number])
        found = (self.story.tx.one("select id from replies where id = :id", id=id) for id in ids)
        return [row["id"] for row in found if row]
