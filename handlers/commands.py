"""The slash command /parley: a word, then what it needs. Answers are for the asker's eyes only."""

from __future__ import annotations

import re
from typing import Any

from bot.app import Services
from bot.core.values import Conversation
from handlers.adapter import SlackChat
from handlers.channel.listeners import ChannelSettings
from handlers.costs import blocks as usage_blocks
from handlers.costs.commands import CostCommands
from handlers.slack import blocks
from handlers.slack.payloads import team_of
from handlers.slack.uploads import Upload, share_files

HELP = {
    "help": "what Parley does",
    "usage": "what this channel has used this month, and what it cost",
    "usage month by person csv": "a report with its picture: today, week, month or 2026-10; by channel, "
    "person, model, kind or day; csv for a file",
    "budget": "the budgets and what is left of them; `budget channel 20 per month` sets one",
    "estimate 2 hours": "what so much speech, or the text you write there, would cost on each model",
    "digest on": "every Monday what last week cost; `digest off` ends it",
    "owner @name": "who owns this channel; named by admins",
    "settings": "what this channel is for, what its guard did, and how voice clips are heard; for its owners",
    "keep 7": "after how many days what is said in this channel is erased; `keep off`: as everywhere",
    "forget thread": "forget your latest thread with Parley here (or: `forget thread LINK`)",
    "forget all": "forget everything of yours, in every thread",
    "export": "everything I keep of yours, as a file in your direct messages",
}
EXPORTED = "Everything I keep of yours. `/parley forget all` erases it."
EXPORT_SENT = "It is in your direct messages with me."
# A permalink's channel, message and thread. Source: chat.getPermalink's example responses.
PERMALINK = re.compile(r"/archives/(?P<channel>\w+)/p(?P<message>\d{7,})(?:\?thread_ts=(?P<thread>[\d.]+))?")


class Commands:
    """Listener for /parley."""

    def __init__(self, services: Services, chat: SlackChat, settings: ChannelSettings) -> None:
        self._services = services
        self._settings = settings
        self._chat = chat
        self._costs = CostCommands(services, chat)

    async def parley(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Answers within the acknowledgement where a read or one small write is enough, else after it."""
        word, _, rest = body.get("text", "").strip().partition(" ")
        match word.lower():
            case "usage" if not rest.strip():
                await ack(**await self._usage(body))
            case "usage" | "budget" | "owner" | "estimate" | "digest" as about:
                await ack()
                await self._costs.answer(body, about, rest.strip(), respond)
            case "settings":
                await ack()
                await self._settings.open_here(body)
            case "keep":
                await ack()
                await self._settings.set_retention(body, rest.strip(), respond)
            case "export":
                await ack()
                await self._export(body, respond)
            case "forget":
                await ack(**await self._forget(body, rest.strip()))
            case _:
                await ack(**blocks.ephemeral("What I do", blocks.help(HELP)))

    async def _usage(self, body: dict[str, Any]) -> dict[str, Any]:
        team, channel = team_of(body), body["channel_id"]
        used = await self._services.costs.this_month(team, channel=channel)
        self._services.access_log.note(team, body["user_id"], "usage", f"this month's total of {channel}")
        month = self._services.costs.parse("").span.label
        title = "This month in this channel"
        return blocks.ephemeral(title, usage_blocks.month_usage(title, month, used))

    async def _export(self, body: dict[str, Any], respond: Any) -> None:
        """What is kept of the asker goes where only they read it."""
        content = await self._services.forgetting.export_person(team_of(body), body["user_id"])
        direct = await self._chat.directory.open_direct(body["user_id"])
        file = Upload("parley-export.json", content, "What Parley keeps of you")
        await share_files(self._chat.slack, self._services.settings, [file], channel=direct, comment=EXPORTED)
        await respond(**blocks.ephemeral(EXPORT_SENT, [blocks.section(EXPORT_SENT)]))

    async def _forget(self, body: dict[str, Any], what: str) -> dict[str, Any]:
        team, user, forgetting = team_of(body), body["user_id"], self._services.forgetting
        if what == "all":
            sentence = blocks.forgotten(await forgetting.forget_person(team, user, by=user))
        elif link := PERMALINK.search(what):
            sentence = blocks.forgotten(await forgetting.forget_thread(read_permalink(team, link), user))
        elif what == "thread":
            sentence = blocks.forgotten(await forgetting.forget_latest_thread(team, body["channel_id"], user))
        else:
            return blocks.ephemeral("What shall I forget?", blocks.forget_question())
        return blocks.ephemeral(sentence, [blocks.section(sentence)])


def read_permalink(team: str, link: re.Match[str]) -> Conversation:
    """The conversation a permalink points into."""
    message = f"{link['message'][:-6]}.{link['message'][-6:]}"
    return Conversation(team, link["channel"], link["thread"] or message)
