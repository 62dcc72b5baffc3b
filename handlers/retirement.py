"""Tells people in Slack that a model ends: the operator, and the owners of channels that chose it themselves.

What is due is decided in bot/retirement/service.py and stays due until it was given, so a notice waits for a
Slack that is away.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from datetime import date

from bot.app import Services
from bot.core.errors import BotError
from bot.core.settings import split_list
from bot.costs.viewer import Viewer
from bot.retirement.service import DAY_S, DueNotice, Finding, describe_ending
from handlers.adapter import SlackChat
from handlers.slack import blocks
from handlers.slack.direct_notices import post_notice
from handlers.slack.mrkdwn import escape
from storage.place import Channel

log = logging.getLogger(__name__)

FIRST_CHECK_S = 2.0  # after the start, which loads nothing for this
CHECK_EVERY_S = 60.0
LOOKED_BACK_DAYS = 8  # for a notice of which nobody knows whether it was given
DUTY = "notices of models that end"
ON_HOME = 10  # models that are named there

HEADER = "Models that end"
ENDS = "ends on {day}, in {days} days"
ENDS_TOMORROW = "ends tomorrow"
ENDED = "ended on {day}"
THEN = "From then on `{then}` answers in its place."
INSTEAD = "`{then}` answers in its place."
NOBODY = "No other model follows it, so please choose another."
CHOOSE = "Another can be chosen with `/parley settings`."
CHOOSE_EVERYWHERE = "Another can be chosen under *Settings of the workspace* in my Home tab."


class EndingNotices:
    """Gives the notices of models that end."""

    def __init__(self, services: Services, chat: SlackChat) -> None:
        self._services = services
        self._chat = chat
        self._unsure = True  # whether something that is due was given already

    async def give_due(self) -> None:
        """Looks whether a model ends, and gives every notice that is due."""
        retirement = self._services.retirement
        await retirement.look()
        try:
            for due in await retirement.find_due():
                await self._give(due)
                await retirement.note_given(due)
        except BaseException:
            self._unsure = True
            raise
        self._unsure = False

    async def _give(self, due: DueNotice) -> None:
        notice = due.notice
        if not notice.team:
            log.warning("%s", describe_ending(due.finding))
        id = f"ending {notice.model} {notice.ends} {notice.days} {notice.channel}"
        since = self._services.calendar.now() - LOOKED_BACK_DAYS * DAY_S
        for person in await self._find_people(due):
            await post_notice(
                self._chat.slack, person, id, write_notice(due), [], since=since, look=self._unsure
            )

    async def _find_people(self, due: DueNotice) -> Sequence[str]:
        """Who is told: the operators; a channel's owners; for a workspace who chose, if they still may."""
        at, permissions = Channel(due.notice.team, due.notice.channel), self._chat.permissions
        if not at.team:
            return split_list(self._services.settings.operators.upper())
        if at.channel:
            named = await self._services.guard.list_owners(at)
            return await permissions.list_deciders(at.channel, named=named)
        chose = {one.person for one in due.finding.chosen if (one.team, one.channel) == (at.team, "")}
        return [one for one in chose if one and await permissions.may_decide_everywhere(one)]


def write_notice(due: DueNotice) -> str:
    """The notice in Slack's markup."""
    notice, finding = due.notice, due.finding
    if not notice.team:
        return f"{escape(describe_ending(finding))}."
    where = f"in <#{notice.channel}>" if notice.channel else "in this workspace"
    choose = CHOOSE if notice.channel else CHOOSE_EVERYWHERE
    return f"{describe(finding)} It was chosen {where}. {choose}"


def describe(finding: Finding) -> str:
    """`gpt-5` ends on 11 December 2026, in 12 days. From then on …"""
    ending, over = finding.ending, finding.days <= 0
    when = ENDED if over else ENDS_TOMORROW if finding.days == 1 else ENDS
    told = when.format(day=write_day(ending.ends), days=finding.days)
    then = (INSTEAD if over else THEN) if ending.then else NOBODY
    return f"`{escape(ending.model)}` {told}. {then.format(then=escape(ending.then))}"


def write_day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"


def show_on_home(findings: Iterable[Finding], team: str, viewer: Viewer) -> list[blocks.Block]:
    """The models that end and concern this person: all but other channels' for an admin, else those that a
    channel of theirs chose."""
    shown = [finding for finding in findings if _concerns(finding, team, viewer)]
    if not shown:
        return []
    lines = [f"• {describe(finding)}" for finding in shown[:ON_HOME]]
    return [blocks.header(HEADER), blocks.section("\n".join(lines))]


def _concerns(finding: Finding, team: str, viewer: Viewer) -> bool:
    for one in finding.chosen:
        if one.channel and one.team == team and one.channel in viewer.owns:
            return True
        if not one.channel and one.team in ("", team) and viewer.admin:
            return True
    return False


async def tell_endings(services: Services, chat: SlackChat) -> None:
    """Gives notices as they become due, for ever."""
    notices = EndingNotices(services, chat)
    await asyncio.sleep(FIRST_CHECK_S)
    while True:
        await services.duties.wait_for(DUTY)
        try:
            await notices.give_due()
        except BotError as exc:
            log.warning("notices of models that end wait: %s", exc)
        await asyncio.sleep(CHECK_EVERY_S)
