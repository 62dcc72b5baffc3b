"""Questions that end the process whenever the model is asked about them, and innocent ones beside them."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from bot.core.ids import reply_id
from tests.simulator.life import current_life
from tests.simulator.model import Asked
from tests.simulator.part import Part
from tests.simulator.plan import Act
from tests.simulator.promises import key_of, ours

if TYPE_CHECKING:
    from tests.simulator.story import Story

KILLING = 700  # the number of such a question
SHARE = float(os.environ.get("PARLEY_KILLING", "0.06"))  # of all stories
MAX_CRASHES = 5
MOST_DEATHS = 15  # it may take, beside those of others


class Crashes(Part):
    """No job is parked for a death that was another's, and one that always kills is, and told."""

    def __init__(self, story: Story) -> None:
        super().__init__(story)
        self._killing = self.dice.random() < SHARE
        self._deaths = 0

    def acts(self) -> Iterable[Act]:
        if self._killing:
            yield Act(self.dice.uniform(0, 60), "say", KILLING, "#general")

    def made(self, asked: Asked) -> Iterator[str]:
        life = current_life()
        if asked.number == KILLING and asked.kind == "answer" and life is not None:
            self._deaths += 1
            life.kill("the model is asked what kills")
        return iter(())

    def broken(self) -> Iterator[str]:
        post = self.story.posts.get(KILLING)
        key = key_of(self.story, post) if post else ""
        parked = self.story.tx.all("select key, crashes, error from inbox where state = 'parked'")
        for row in parked:
            if row["error"].startswith("the process died") and row["key"] != key:
                yield f"INNOCENT: {row['key']} was parked after {row['crashes']} deaths"
        if self._deaths > MOST_DEATHS:
            yield f"NOT FOUND: what kills did so {self._deaths} times"
        if self._deaths >= MAX_CRASHES and post and not (post.deleted or post.forgotten or post.taken_back):
            self.story.outcome.counts["killing questions that ended"] += 1
            if reply_id(key) not in ours(self.story):  # it was given up, or there was no money left for it
                yield f"NOT ENDED: what kills did so {self._deaths} times, parked: {parked}"
