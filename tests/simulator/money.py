"""Budgets in a story: small caps for channels, people, kinds, so that some questions are refused.

A cap is a number of requests' upper bounds: below one nothing is answered, a little above it one request at a
time, and each whose end nobody saw uses up a whole one.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from storage.costs import budgets
from tests.simulator.clock import CLOCK
from tests.simulator.model import WHOLE
from tests.simulator.part import Doing, Part
from tests.simulator.people import EDITED
from tests.simulator.plan import Act
from tests.simulator.promises import replies_to
from tests.support.workspace import text_of

BOUND_NANO = 4_100_000  # what one answer of the model costs at most, about
CAPS = (0.9, 1.02, 1.1, 2.1, 3.0, 6.0)
# What a refusal for want of money says: all is spent, this is too dear for what is left, or others hold it.
USED_UP = re.compile(r"budget is used up|budget is left\. It starts|using what is left of the")
MODEL, SMALL_MODEL = "gpt-4.1-mini", "gpt-4.1-nano"
LEVELS = f"""select u.*, b.scope, b.team, b.target as whose, coalesce({budgets.RAISED}, b.cap) as cap, (
    select coalesce(sum(amount), 0) from budget_holds h where h.budget = u.budget and h.target = u.target
    and h.first = u.first) as held from budget_use u join budgets b on b.id = u.budget"""


class Money(Part):
    """Some stories have budgets. What they refuse costs nothing; what they hold is never above the cap."""

    def environment(self) -> Mapping[str, str]:
        self.on = self.story.notices = self.dice.random() < 0.35
        self._levels: dict[tuple[Any, ...], int] = {}
        self._caps: dict[int, int] = {}  # by budget, at the commit before
        return {"PARLEY_SMALL_MODEL": SMALL_MODEL} if self.on and self.dice.random() < 0.3 else {}

    def furnish(self) -> None:
        for _ in range(self.dice.choice((1, 1, 2)) if self.on else 0):
            scope = self.dice.choice(("workspace", "channel", "channel", "person", "person", "model", "kind"))
            target = self.dice.choice((budgets.EACH, self._one_of(scope))) if scope != "workspace" else ""
            cap, period = self.dice.choice(CAPS), self.dice.choice(("day", "week", "month"))
            self.story.tell(f"a budget of {cap} requests a {period} for {scope} {target}")
            budgets.put(
                self.story.tx,
                team=self.story.slack.team,
                scope=scope,
                target=target,
                period=period,
                cap=round(cap * BOUND_NANO),
                warn_percent=self.dice.choice((10, 80)),
                degrade=int(self.dice.random() < 0.3),
                owner=self.story.slack.user("carol"),
                by="",
                at=CLOCK.wall(),
            )

    def _one_of(self, scope: str) -> str:
        slack = self.story.slack
        named = {"channel": slack.channel("#general"), "person": slack.user("alice"), "kind": "answer"}
        return named.get(scope, MODEL)

    def acts(self) -> Iterable[Act]:
        """Admins change budgets while questions are asked; others would like to."""
        for _ in range(self.dice.choice((0, 0, 1, 3)) if self.on else 0):
            yield Act(self.dice.choice((5.0, 60.0)) * self.dice.random(), "budget")

    def does(self) -> Mapping[str, Doing]:
        return {"budget": self._change}

    async def _change(self, act: Act) -> None:
        cap_usd = self.dice.choice(CAPS) * BOUND_NANO / 1e9
        what = self.dice.choice(
            (
                f"channel {cap_usd:.4f} per day",
                f"person @bob {cap_usd:.4f} per week",
                f"each person {cap_usd:.4f} per month degrade",
                "remove 1",
                f"raise 1 to {cap_usd:.4f} for 2 days because of it",
            )
        )
        user = self.dice.choice(("alice", "alice", "bob"))
        self.story.tell(f"{user}: /parley budget {what}")
        self.story.beside(self.story.slack.command(user, "#general", "/parley", f"budget {what}"))

    def committed(self) -> Iterator[str]:
        """At no moment does what is spent or set aside rise above the cap, which may be lowered right after
        that, in the same commit."""
        if not self.on:
            return
        uses = self.story.tx.all(LEVELS, now=CLOCK.wall())
        for use in uses:
            level = use["spent"] + use["reserved"]
            key = (use["budget"], use["target"], use["first"])
            cap = max(use["cap"], self._caps.get(use["budget"], 0))
            if cap < level > self._levels.get(key, 0):
                yield f"OVER THE CAP at {CLOCK.passed_s:.3f}: {use}"
            if use["reserved"] != use["held"]:
                yield f"what is set aside is not what requests hold: {use}"
            self._levels[key] = level
        self._caps = {use["budget"]: use["cap"] for use in uses}

    def broken(self) -> Iterator[str]:
        yield from self._refusals()
        yield from self._spent()
        yield from self._warnings()
        admins = (self.story.slack.user("alice"), "")
        if any(row["person"] not in admins for row in self.story.tx.all("select person from budget_changes")):
            yield "a budget was changed by somebody who may not"

    def _refusals(self) -> Iterator[str]:
        """Without a budget nothing is refused; what is refused was asked of no model that answered it, save
        together with a question that was deleted, with which that answer went."""
        for number, replies in replies_to(self.story).items():
            if not all(USED_UP.search(text) and "voice" not in text for text in replies):
                continue
            self.story.outcome.counts["refused for money"] += 1
            if not self.on:
                yield f"q{number} is refused, and there is no budget"
            paid = [
                asked
                for asked in self.story.asked
                if asked.number == number and asked.kind == "answer" and asked.end == WHOLE
                if not any(self.story.posts[each % EDITED].deleted for each in asked.along)
            ]
            if not self.story.plan.busy and any(not asked.life.killed for asked in paid):
                yield f"PAID AND REFUSED: q{number}"

    def _spent(self) -> Iterator[str]:
        """Each budget knows exactly what the ledger says was spent on what it covers.

        Save for a budget of everybody whose place one of somebody's own takes.
        """
        own = {row["target"] for row in self.story.tx.all("select target from budgets")} - {budgets.EACH}
        for use in self.story.tx.all(LEVELS, now=CLOCK.wall()):
            if use["whose"] == budgets.EACH and use["target"] in own:
                continue
            if use["scope"] in ("person", "channel") and self.story.tx.one(
                "select 1 from audit where act = 'forgot person'"
            ):
                continue  # the ledger does not know any more who it was
            spent = self.story.tx.one(
                "select coalesce(sum(cost), 0) as n from ledger where team = :team and day >= :first "
                + budgets.COVERS[use["scope"]],
                **{name: use[name] for name in ("team", "first", "target")},
            )
            if spent and spent["n"] != use["spent"]:
                yield f"the ledger says {spent['n']} was spent of {use}"

    def _warnings(self) -> Iterator[str]:
        """The owner of a budget is warned, and once."""
        story = self.story
        if story.tx.one("select 1 as found from budget_use where warned = 1"):
            yield "somebody was not told that a budget is nearly used up"
        direct = story.slack.workspace.channels[story.slack.dm("carol")]
        warnings = Counter(text_of(message) for message in direct.messages.values())
        story.outcome.counts["warnings"] += warnings.total()
        most = 1 + story.outcome.counts["kills"]
        if not story.plan.slack.trouble and not story.plan.busy and any(n > most for n in warnings.values()):
            yield f"WARNED AGAIN AND AGAIN: {dict(warnings)}"
