"""From where somebody asks, as documents see it: what may be found there at all.

A document of a channel is found in it alone, one of a person in their direct messages, one of the workspace
by its members. Where people of another company read along nothing is found, unless the operator opened that.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from bot.core.access import remembers
from bot.core.settings import Settings
from bot.core.values import Incoming
from storage.knowledge.audiences import Audience


async def find_audience(
    asked: Incoming, settings: Settings, is_outsider: Callable[[str], Awaitable[bool]]
) -> Audience:
    """What may be found to a question. `is_outsider`: whether somebody is a guest or of another company,
    asked of Slack now."""
    place = asked.conversation
    return Audience(
        place.team,
        place.channel,
        place.key,
        person=asked.user if asked.direct else "",
        workspace=not asked.external and not await is_outsider(asked.user),
        open=remembers(asked, settings),
    )
