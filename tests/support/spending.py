"""Money spent in a running workspace, and commands with what somebody is shown for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bot.core.calendar import Calendar
from bot.core.values import RequestKind, Scope, Usage
from bot.costs.ledger import Ledger
from tests.support.workspace import Workspace

MODEL = "gpt-4.1-mini"  # a million tokens of output are $1.60
MILLION = 1_000_000


async def spend(
    team: Workspace,
    channel: str,
    user: str,
    millions: int,
    *,
    kind: RequestKind = "answer",
    model: str = MODEL,
    clock: Callable[[], float] | None = None,
) -> None:
    """A request of so many million tokens of output, now or when the clock says."""
    services = team.bot.services
    calendar = Calendar(services.calendar.zone, clock=clock) if clock else services.calendar
    ledger = Ledger(services.engine, services.costs.prices, calendar)
    place = team.slack.channel(channel) if channel.startswith("#") else channel
    scope = Scope(team.slack.team, place, team.slack.user(user), "", kind)
    used = Usage(output_tokens=millions * MILLION)
    await ledger.settle(await ledger.open(scope, model, upper_bound=used, attempt=1), used, outcome="ok")


async def run_command(team: Workspace, user: str, words: str, channel: str = "#general") -> dict[str, Any]:
    """Sends /parley with these words; what the person is shown, beside the sentence that tells them of an
    AI."""
    told = team.bot.services.disclosures.sentence
    before = len(team.slack.ephemerals(user))
    delivery = await team.slack.command(user, channel, "/parley", words)
    assert delivery.acked

    def answers() -> list[dict[str, Any]]:
        return [one for one in team.slack.ephemerals(user)[before:] if one["text"] != told]

    return dict((await team.slack.until(answers))[0])
