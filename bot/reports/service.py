"""What people may know and decide about money: the reports, budgets, owners and digests of one bot.

The handlers ask here and never the ledger itself. Who somebody is in Slack (admin, member of what) comes in
as a `Viewer`; what they may see and do is decided in bot/reports/usage.py and bot/costs/budget_syntax.py.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import urlencode

from bot.core.calendar import Calendar
from bot.core.errors import Missing, NotPermitted, NotUnderstood
from bot.core.model_tiers import model_of
from bot.core.settings import Settings
from bot.costs import budget_syntax
from bot.costs.budget_syntax import Order, Put, Raise, Remove
from bot.costs.budgets import EACH, Budget, Budgets, Change, Standing
from bot.costs.estimate import MODELS, Estimator
from bot.costs.model_names import find_model, list_configured, list_named
from bot.costs.pricing import Prices
from bot.costs.viewer import OPERATOR, Viewer
from bot.pages import signed_links
from bot.reports import chart_images
from bot.reports.chart_images import Picture
from bot.reports.charts import Chart, over_time, share
from bot.reports.page import PageData, burn_down_of
from bot.reports.usage import BYS, By, Span, UsageQuery, UsageRow, parse, permitted_standings, total, usage
from storage.channel import owners
from storage.costs import ledger
from storage.engine import Engine

PAGE_PATH = "/usage"
NO_SMALLER = "There is no smaller model here; whoever runs me sets one as PARLEY_SMALL_MODEL."


CANNOT_HOLD = "It cannot hold what {models} costs: no price is known for that."


@dataclass(frozen=True, slots=True)
class CostReports:
    """Every question about money that somebody in Slack can ask."""

    settings: Settings
    engine: Engine
    calendar: Calendar
    prices: Prices
    budgets: Budgets
    page_secret: bytes
    # Drawing takes 150 MB for a second: more at once would starve the answers.
    drawing: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    # Reports

    def parse(self, words: str) -> UsageQuery:
        """`[today|week|month|2026-10] [by …] [csv]`, or NotUnderstood."""
        return parse(words, self.calendar.today())

    async def rows(self, team: str, span: Span, viewer: Viewer, *by: By) -> list[UsageRow]:
        """What the viewer may see, per combination of `by`."""
        return await usage(self.engine, team, span, viewer, by=by)

    async def this_month(self, team: str, *, channel: str = "", person: str = "") -> UsageRow:
        """This month's use of a channel, of a person, or of the whole workspace."""
        where = {name: value for name, value in (("channel", channel), ("person", person)) if value}
        month = self.parse("").span
        return total(await usage(self.engine, team, month, OPERATOR, by=(), where=where))

    async def details(self, team: str, span: Span, viewer: Viewer) -> list[UsageRow]:
        """The same told apart by everything, for a spreadsheet."""
        return await self.rows(team, span, viewer, *BYS)

    async def picture(
        self, team: str, question: UsageQuery, viewer: Viewer, names: Mapping[str, str]
    ) -> Picture | None:
        """The report as a chart: by kind its shares, else its days; None where nothing can be drawn."""
        if not chart_images.available():
            return None
        chart = await self._chart(team, question, viewer, names)
        return (await self.draw([chart]))[0] if chart.shows_something else None

    async def _chart(
        self, team: str, question: UsageQuery, viewer: Viewer, names: Mapping[str, str]
    ) -> Chart:
        span = question.span
        if question.by == ("kind",) or span.first == span.last:
            return share(await self.rows(team, span, viewer, "kind"), span)
        return over_time(await self.rows(team, span, viewer, "day", "channel"), span, names)

    async def over_days(
        self, team: str, span: Span, viewer: Viewer, names: Mapping[str, str]
    ) -> Picture | None:
        """Cost per channel and day as a picture; None where nothing can be drawn."""
        return await self.picture(team, UsageQuery(span), viewer, names)

    def link(self, team: str, user: str) -> str:
        """The usage page for this person for a quarter of an hour; '' where no page is served."""
        if not self.settings.public_url:
            return ""
        token = signed_links.sign(self.page_secret, team, user, now=self.calendar.now())
        return f"{self.settings.public_url.rstrip('/')}{PAGE_PATH}?{urlencode({'token': token})}"

    def reader_of(self, token: str) -> tuple[str, str]:
        """(team, user) of a link that is still good, or NotPermitted."""
        return signed_links.verify(self.page_secret, token, now=self.calendar.now())

    def page_data(
        self, team: str, viewer: Viewer, names: Callable[[Iterable[str]], Awaitable[Mapping[str, str]]]
    ) -> PageData:
        """What the usage page is made at."""
        draw = self.draw if chart_images.available() else None
        return PageData(self.engine, self.budgets, team, viewer, self.calendar.today(), names, draw)

    async def draw(self, charts: Sequence[Chart]) -> list[Picture]:
        """Pictures, one after the other."""
        async with self.drawing:
            return await chart_images.draw(charts)

    # Budgets

    async def standings(self, team: str, viewer: Viewer) -> list[Standing]:
        """The budgets this person may see; an admin also those that hold for each channel or person."""
        every = await self.budgets.standings(team)
        rules = [s for s in every if s.budget.target == EACH] if viewer.admin else []
        return [*permitted_standings(every, viewer), *rules]

    async def order(self, team: str, order: Order, viewer: Viewer) -> str:
        """Carries out what was ordered and says so. NotPermitted, or Missing for an unknown number."""
        every = {s.budget.id: s for s in await self.budgets.standings(team)}
        budget_syntax.check(order, viewer, every.values())
        if isinstance(order, Put):
            if order.budget.degrade and model_of("small", self.settings) == self.settings.model:
                raise NotUnderstood("degrade", NO_SMALLER)
            budget = await self._with_known_model(order.budget)
            done = f"Budget {await self.budgets.put(budget, by=viewer.user)} is set."
            gaps = self._list_gaps(budget)
            return f"{done} {CANNOT_HOLD.format(models=', '.join(gaps))}" if gaps else done
        if order.id not in every:
            raise Missing(f"budget {order.id}")
        if isinstance(order, Remove):
            await self.budgets.remove(team, order.id, by=viewer.user)
            return f"Budget {order.id} is removed."
        assert isinstance(order, Raise)
        until = datetime.fromtimestamp(self.calendar.now(), UTC) + order.length
        ends = until.astimezone(self.calendar.zone)
        await self.budgets.override(order.id, order.cap_usd, until=until, by=viewer.user, reason=order.reason)
        return f"Budget {order.id} is raised until {ends:%A}, {ends.day} {ends:%B %H:%M}."

    async def _with_known_model(self, budget: Budget) -> Budget:
        """The budget with its model named as requests name it. NotUnderstood when nobody knows it."""
        if budget.scope != "model" or budget.target == EACH:
            return budget
        known = list_configured(self.settings) | set(await self.engine.read(ledger.models, budget.team))
        at = datetime.fromtimestamp(self.calendar.now(), UTC)
        return replace(budget, target=find_model(budget.target, prices=self.prices, at=at, known=known))

    def _list_gaps(self, budget: Budget) -> list[str]:
        """The models in use here that a budget covers and cannot hold, because they have no price."""
        at = datetime.fromtimestamp(self.calendar.now(), UTC)
        named = budget.scope == "model" and budget.target != EACH
        models = [budget.target] if named else list_named(self.settings)
        return [model for model in models if not self.prices.lists(model, at=at)]

    async def changes(self, team: str, viewer: Viewer) -> list[Change]:
        """Who changed which budget; for admins."""
        if not viewer.admin:
            raise NotPermitted("the list of changes is for admins")
        return await self.budgets.changes(team)

    async def standing(self, team: str, id: int, viewer: Viewer) -> Standing:
        """The budget of that number; Missing when there is none that the viewer may see."""
        seen = permitted_standings(await self.budgets.standings(team), viewer)
        for standing in seen:
            if standing.budget.id == id:
                return standing
        raise Missing(f"budget {id}")

    async def burn_down(self, standing: Standing, names: Mapping[str, str]) -> Picture | None:
        """How a budget the viewer may see is used up; None where nothing can be drawn."""
        if not chart_images.available():
            return None
        chart = await burn_down_of(self.engine, standing, self.calendar.today(), names=names)
        return (await self.draw([chart]))[0]

    # Owners

    async def owned_by(self, team: str, person: str) -> frozenset[str]:
        """The channels this person was named an owner of."""
        return frozenset(await self.engine.read(owners.of_person, team, person))

    async def owners(self, team: str, channel: str) -> Sequence[str]:
        """The people who were named owners of a channel, beside its creator."""
        return await self.engine.read(owners.of_channel, team, channel)

    async def name_owner(self, team: str, channel: str, person: str, viewer: Viewer) -> None:
        """Makes a person an owner of a channel. For admins."""
        self._only_admins(viewer)
        at = self.calendar.now()
        await self.engine.write(owners.name, team, channel, person, by=viewer.user, at=at)

    async def dismiss_owner(self, team: str, channel: str, person: str, viewer: Viewer) -> None:
        """Takes that back. For admins; Missing when the person was not named."""
        self._only_admins(viewer)
        at = self.calendar.now()
        if not await self.engine.write(owners.dismiss, team, channel, person, by=viewer.user, at=at):
            raise Missing(f"owner {person} of {channel}")

    def _only_admins(self, viewer: Viewer) -> None:
        if not viewer.admin:
            raise NotPermitted("owners are named by the workspace's admins")

    # Estimates

    def estimator(self, model: str) -> Estimator:
        """Prices of now for the model that answers and some to compare."""
        models = tuple(dict.fromkeys((model, *MODELS)))
        now = datetime.fromtimestamp(self.calendar.now(), UTC)
        return Estimator(self.prices, now, models, in_use=(model, self.settings.speech_model))


def page_secret(settings: Settings) -> bytes:
    """What signs links: the same in all processes of the bot, and nobody else's to know."""
    known = settings.slack_signing_secret or settings.slack_bot_token
    return hmac.digest(known.encode(), b"links to the usage page", "sha256")
