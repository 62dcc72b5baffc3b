"""What a command or a menu answers says that this is an AI, to whoever was not told yet.

Replies to questions do so by themselves (bot/conversation/records.py).
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial, wraps
from typing import Any

from bot.welcome.disclosures import Disclosures
from handlers.slack.blocks import Block, context, ephemeral, section
from handlers.slack.mrkdwn import escape
from handlers.slack.payloads import channel_of, team_of, user_of

Listener = Callable[..., Awaitable[Any]]
# The kinds of listeners that may be the first to answer somebody. Buttons stand under what told them.
ANSWERING = frozenset({"command", "shortcut"})
TAKEN = 300  # status codes from here on are refusals


def disclosing(listener: Listener, disclosures: Disclosures) -> Listener:
    """The listener, wrapped: the first thing it says tells a person who was not told yet. Where it only opens
    a window, that is said by itself. Bolt reads its arguments' names."""

    @wraps(listener)
    async def telling(**given: Any) -> None:
        teller = _Teller(disclosures, given["body"])
        ways = {name: teller.telling(given[name]) for name in ("ack", "respond") if name in given}
        await listener(**given | ways)
        if "respond" in ways and not teller.said:
            await teller.tell(given["respond"])

    return telling


class _Teller:
    """One person's command or choice, and what is said to it."""

    def __init__(self, disclosures: Disclosures, body: dict[str, Any]) -> None:
        source = str(body.get("command") or body.get("callback_id") or "")
        self._saying = partial(
            disclosures.saying, team_of(body), user_of(body), channel=channel_of(body), source=source
        )
        self.said = False

    def telling(self, say: Listener) -> Listener:
        """`ack` or `respond`, with the sentence under what is said where it is due."""

        async def telling(text: str = "", blocks: Sequence[Block] = (), **more: Any) -> Any:
            if not (text or blocks):
                return await say(text=text, blocks=blocks, **more)
            self.said = True
            async with self._saying() as answer:
                if not answer.sentence:
                    return await say(text=text, blocks=blocks, **more)
                shown = [*(blocks or [section(text)]), context(answer.sentence)]
                said = await say(text=f"{text}\n{escape(answer.sentence)}", blocks=shown, **more)
                answer.shown = getattr(said, "status_code", 0) < TAKEN
                return said

        return telling

    async def tell(self, respond: Listener) -> None:
        """The sentence alone, where it is due."""
        async with self._saying() as answer:
            if answer.sentence:
                shown = [context(answer.sentence)]
                said = await respond(**ephemeral(escape(answer.sentence), shown))
                answer.shown = getattr(said, "status_code", 0) < TAKEN
