"""Notices sent without a request: a budget is nearly used up; on Mondays, what the week before cost.

What is due is decided in bot/costs/budgets.py and bot/reports/digest.py and stands in the database until it
was given, so a notice waits for a Slack that is away. Each carries an id: where an earlier process or a
request whose answer was lost may have given it already, the direct messages are read first.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import date, timedelta
from typing import Any

from bot.app import Services
from bot.core.errors import BotError, SlackRefused
from bot.costs.budgets import EACH, BudgetGap, BudgetScope, BudgetWarning
from bot.costs.viewer import Viewer
from bot.reports import digest
from bot.reports.usage import PRIVATE_CHANNELS
from handlers.adapter import SlackChat
from handlers.costs import blocks as usage_blocks
from handlers.slack import blocks
from handlers.slack.direct_notices import post_notice
from handlers.slack.uploads import Upload, share_files

log = logging.getLogger(__name__)

CHECK_EVERY_S = 2.0  # one read of an index
PAUSE_S = 60.0  # after something went wrong
DUTY = "notices about costs"


class Notices:
    """Gives the notices of one workspace."""

    def __init__(self, services: Services, chat: SlackChat) -> None:
        self._services = services
        self._chat = chat
        self._unsure = True  # whether something that is due was given already

    async def give_due(self) -> None:
        """Gives every notice that is due; one that could not be given stays due."""
        try:
            await self._give_due()
        except BaseException:
            self._unsure = True
            raise
        self._unsure = False

    async def _give_due(self) -> None:
        costs = self._services.costs
        for warning in await costs.budgets.due_warnings():
            if warning.owner:
                await self._warn(warning)
            await costs.budgets.note_warned(warning)
        for gap in await costs.budgets.due_gaps():
            log.warning("budget %d cannot hold %s: it has no known price", gap.budget.id, gap.model)
            if gap.budget.owner:
                await self._tell_gap(gap)
            await costs.budgets.note_gap_told(gap)
        for team, person in await digest.due_readers(costs):
            await self._digest(team, person)
            await digest.mark_sent(costs, team, person)

    async def _warn(self, warning: BudgetWarning) -> None:
        viewer = await self._find_viewer(warning.team, warning.owner)
        if viewer is None:
            return
        names = await self._find_target(viewer, warning.scope, warning.target)
        id = f"warning {warning.budget} {warning.target} {warning.first}"
        since = date.fromisoformat(warning.first)
        await self._post(warning.owner, id, usage_blocks.warning(warning, names), [], since=since)

    async def _tell_gap(self, gap: BudgetGap) -> None:
        budget = gap.budget
        viewer = await self._find_viewer(budget.team, budget.owner)
        if viewer is None:
            return
        text = usage_blocks.gap_of_budget(gap, await self._find_target(viewer, budget.scope, budget.target))
        await self._post(budget.owner, f"gap {budget.id} {gap.model}", text, [], since=gap.first)

    async def _find_target(self, viewer: Viewer, scope: BudgetScope, target: str) -> dict[str, str]:
        """What a budget is about, by the name under which its owner may know it."""
        names = dict(await self._chat.directory.find_names([target]))
        if scope == "channel" and target != EACH and not viewer.knows(target):
            names[target] = PRIVATE_CHANNELS
        return names

    async def _digest(self, team: str, person: str) -> None:
        viewer = await self._find_viewer(team, person)
        if viewer is None:
            return
        costs = self._services.costs
        found = await digest.make_digest(costs, team, viewer)
        ids = {row.channel for row in found.rows} | {one.budget.target for one in found.standings}
        names = await self._chat.directory.find_names(ids)
        title = f"Your costs, {found.span.label}"
        shown = usage_blocks.digest(found, names, viewer.gap)
        monday = found.span.last + timedelta(days=1)
        direct, there = await self._post(person, f"digest {found.span.first}", title, shown, since=monday)
        if direct:
            self._services.access_log.note(team, person, "digest", f"{found.span.label}; {viewer.sees}")
        if not (found.rows and direct) or any(_has_file(message, title) for message in there):
            return
        if picture := await costs.over_days(team, found.span, viewer, names):
            await self._share(Upload("week.png", picture.png, title, picture.alt), direct)

    async def _share(self, picture: Upload, direct: str) -> None:
        """The picture under a digest, unless Slack refuses it: the digest is given all the same."""
        slack, settings = self._chat.slack, self._services.settings
        try:
            await share_files(slack, settings, [picture], channel=direct, comment=picture.title)
        except SlackRefused as exc:
            log.warning("the picture of a digest was refused: %s", exc.code)

    async def _find_viewer(self, team: str, person: str) -> Viewer | None:
        """What the person may see now; None when Slack does not know them any more."""
        named = await self._services.costs.owned_by(team, person)
        try:
            return await self._chat.directory.find_viewer(team, person, named=named)
        except SlackRefused as exc:
            log.warning("a notice about costs has nobody to go to: %s", exc.code)
            return None

    async def _post(
        self, person: str, id: str, text: str, shown: list[blocks.Block], *, since: date
    ) -> tuple[str, list[dict[str, Any]]]:
        after = self._services.costs.calendar.midnight(since).timestamp()
        return await post_notice(self._chat.slack, person, id, text, shown, since=after, look=self._unsure)


def _has_file(message: dict[str, Any], title: str) -> bool:
    return any(file.get("title") == title for file in message.get("files") or ())


async def give_notices(services: Services, chat: SlackChat) -> None:
    """Gives notices as they become due, for ever."""
    notices = Notices(services, chat)
    while True:
        wait_s = CHECK_EVERY_S
        await services.duties.wait_for(DUTY)
        try:
            await notices.give_due()
        except BotError as exc:
            log.warning("notices about costs wait: %s", exc)
            wait_s = PAUSE_S
        await asyncio.sleep(wait_s)
