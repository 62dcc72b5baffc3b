"""Guards in a story: channels that are for something, a model that judges, people who say that it was wrong.

Half of all questions do not belong. The judge fails like every model, and now and then talks nonsense instead
of judging. No policy has the five examples that a training takes: how one is learned is shown elsewhere, and
takes as long as a whole story.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.guard.model_judge import RULES
from bot.guard.policy import Policy
from bot.sandbox.slack.people.forms import NotPossible, find_elements
from handlers.slack.blocks import FEEDBACK, SHOULD_ANSWER, SHOULD_REFUSE
from storage.conversation import tombstones
from storage.guard import policies
from storage.place import Channel
from tests.simulator.clock import CLOCK
from tests.simulator.model import WHOLE, Asked
from tests.simulator.part import Doing, Part
from tests.simulator.people import EDITED, Post
from tests.simulator.plan import CHANNELS, Act
from tests.simulator.promises import joined, key_of, ours, replies_of, replies_to

PURPOSE = "our plans for the year"
NONSENSE = (
    "It belongs.",
    '{"belongs": "yes", "probability": 1}',
    '{"belongs": true, "probability": 0.1}',
    '{"belongs": true, "probability": 0.9, "why": "because"}',
    "[]",
    '{"belongs": tr',
)


class Subjects(Part):
    """Some stories have channels with a subject."""

    def environment(self) -> Mapping[str, str]:
        self.on = self.dice.random() < 0.35
        self._policies: dict[str, Policy] = {}  # by channel id
        self._nonsense = self.dice.choice((0.0, 0.0, 0.2)) if self.on else 0.0
        self.story.minds["guard"] = self._think
        if self.dice.random() < 0.5:
            self.story.minds["decision"] = self._decide
        return {}

    def furnish(self) -> None:
        for channel in CHANNELS if self.on else ():
            if self.dice.random() < 0.3:
                continue
            id = self.story.slack.dm("alice") if channel == "@parley" else self.story.slack.channel(channel)
            rules = self._policies[id] = self._policy()
            self.story.tell(f"{channel} is for something: {rules}")
            at = Channel(self.story.slack.team, id)
            policies.save_policy(self.story.tx, at, rules.as_json(), by="", now=CLOCK.wall())

    def _policy(self) -> Policy:
        return Policy(
            PURPOSE,
            belongs=self.dice.choice(((), ("when do we start with it", "who does what this year"))),
            action=self.dice.choice(("refuse", "refuse", "note", "ask")),
            contact="Carol",
            on_failure=self.dice.choice(("open", "closed")),
            shadow=self.dice.random() < 0.25,
        )

    # What the model thinks

    def belongs(self, number: int) -> bool:
        return random.Random(f"{number} of {self.story.outcome.seed}").random() < 0.5

    def _think(self, asked: Asked, body: Mapping[str, Any]) -> str:
        if self.story.dice.random() < self._nonsense:
            return self.story.dice.choice(NONSENSE)
        if not str(body["messages"][0]["content"]).startswith(RULES):
            return json.dumps({"belongs": ["when is it due", "who plans it"], "does_not": ["a recipe"]})
        share = self._share(asked)
        return json.dumps({"belongs": share >= 0.5, "probability": share})

    def _decide(self, asked: Asked, body: Mapping[str, Any]) -> dict[str, Any]:
        if self.story.dice.random() < self._nonsense:
            return {"answers": [{"type": "refusal"}]}
        return {"answers": [{"type": "predicate", "name": "belongs", "probability": self._share(asked)}]}

    def _share(self, asked: Asked) -> float:
        return 0.95 if asked.number is None or self.belongs(asked.number) else 0.05

    # What people do

    def acts(self) -> Iterable[Act]:
        asked = [act for act in self.story.plan.acts if act.kind in ("say", "follow")] if self.on else []
        for act in asked:
            for _ in range(self.dice.choice((0, 1, 1, 2))):
                kind = self.dice.choice(("overturn", "overturn", "overturn", "decide", "like"))
                yield Act(
                    act.at_s + self.dice.choice((3.0, 10.0, 80.0)) * self.dice.random(), kind, act.number
                )

    def does(self) -> Mapping[str, Doing]:
        return {"overturn": self._overturn, "decide": self._decide_appeal, "like": self._like}

    async def _overturn(self, act: Act) -> None:
        """Somebody presses "Should have answered": who may decide, who asked, or anybody."""
        await self._press(act, SHOULD_ANSWER, self.story.dice.choice(("alice", "alice", "bob", "carol")))

    async def _like(self, act: Act) -> None:
        await self._press(act, FEEDBACK, "bob")

    async def _press(self, act: Act, action: str, user: str) -> None:
        story = self.story
        if (post := story.posts.get(act.number)) is None:
            raise NotPossible("nobody asked that")
        if post.channel == "@parley":
            user = post.user
        place = story.slack.directory.find_place(user, post.channel)[2]
        for message in story.slack.thread(place.id, post.thread):
            if action in _buttons(message):
                story.tell(f"{user} presses {action} under {message['ts']}")
                story.beside(story.slack.press(user, post.channel, message["ts"], action))

    async def _decide_appeal(self, act: Act) -> None:
        """Who looks after the channels decides what was brought before her."""
        slack = self.story.slack
        for message in list(slack.workspace.channels[slack.dm("alice")].messages.values()):
            if "thread_ts" not in message and SHOULD_ANSWER in _buttons(message):
                action = self.story.dice.choice((SHOULD_ANSWER, SHOULD_REFUSE))
                if action in _buttons(message):
                    self.story.tell(f"alice decides: {action}")
                    self.story.beside(slack.press("alice", "@parley", message["ts"], action))

    # What must hold

    def broken(self) -> Iterator[str]:
        yield from self._refusals()
        yield from self._overturned()

    def _refusals(self) -> Iterator[str]:
        """Refused is what does not belong, or could not be judged; and nobody answered it all the same."""
        for number, replies in replies_to(self.story).items():
            post = self.story.posts[number]
            numbers = [each.number for each in self._list_together(post)]
            rules = self._policies.get(self.story.slack.directory.find_place(post.user, post.channel)[2].id)
            refused = [text for text in replies if PURPOSE in text]
            if not refused:
                continue
            self.story.outcome.counts["refused for the subject"] += 1
            if rules is None or rules.shadow or rules.action == "note":
                yield f"q{number} is refused where nothing is"
            elif all(self._surely_belongs(each, rules) for each in numbers):
                yield f"q{number} belongs and is refused"
            # The answer to one that was overturned goes with its question.
            if refused == replies and not (self.story.plan.busy or post.deleted) and self._paid(number):
                yield f"ANSWERED AND REFUSED: q{number}"

    def _surely_belongs(self, number: int, rules: Policy) -> bool:
        sure = self._nonsense == 0.0 and rules.on_failure == "open"
        return sure and self.belongs(number) and self.belongs(number + EDITED)

    def _paid(self, number: int) -> bool:
        return any(
            asked.number == number and asked.kind == "answer" and asked.end == WHOLE and not asked.life.killed
            for asked in self.story.asked
        )

    def _overturned(self) -> Iterator[str]:
        """Only who looks after a channel overturns; what was wrongly refused is then answered, once."""
        story, said = self.story, ours(self.story)
        posts = {id: post for post in story.posts.values() for id in replies_of(story, post)}
        for row in story.tx.all("select * from guard_verdicts where label is not null and label <> on_topic"):
            story.outcome.counts["overturned"] += 1
            if row["labelled_by"] not in (story.slack.user("alice"), ""):  # "": she wanted to be forgotten
                yield f"a verdict was overturned by {row['labelled_by']}"
            post = posts.get(row["reply"] or "")
            if post is None or post.deleted or post.taken_back:
                continue
            if tombstones.forgotten(story.tx, row["team"], row["channel"], post.ts):
                continue  # by a command that broke off, perhaps
            if not row["label"] or row["shadow"] or row["action"] == "note":
                continue
            ids = replies_of(story, post)
            again = said.get(ids[ids.index(row["reply"]) + 1], [])
            if not again:
                yield f"OVERTURNED and never answered: q{post.number}"
            elif not row[
                "labelled_by"
            ]:  # what she had said of it went with her words, perhaps before the answer
                continue
            elif PURPOSE in str(again) and not any(map(self._changed, self._list_together(post))):
                yield f"OVERTURNED and refused again: q{post.number}"

    def _list_together(self, post: Post) -> list[Post]:
        """A post, and those that were answered with it."""
        own, together = key_of(self.story, post), joined(self.story)
        posts = self.story.posts.values()
        return [post, *(each for each in posts if together.get(key_of(self.story, each)) == own)]

    def _changed(self, post: Post) -> bool:
        """Whether it was edited or deleted."""
        place = self.story.slack.directory.find_place(post.user, post.channel)[2]
        return "edited" in place.messages.get(post.ts, {"edited": {}})


def _buttons(message: Mapping[str, Any]) -> set[str]:
    return {element["action_id"] for _, element in find_elements(message.get("blocks") or [])}
