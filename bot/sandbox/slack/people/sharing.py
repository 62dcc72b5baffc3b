"""What people pass on and what other apps post: pasted tables, forwarded messages, quotes of links, alerts.

The shapes are those that Slack delivers: a pasted table stands in an attachment that says nothing else, what
is forwarded in one that names its author and place, and alerts and workflows come from apps without a user.
Source: payloads quoted in github.com/vercel/chat issue 803 and in java-slack-sdk's json-logs.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from bot.sandbox.slack.api.chat import announce, note_change
from bot.sandbox.slack.people.acts import ActLog, act
from bot.sandbox.slack.people.directory import PeopleDirectory, find_message
from bot.sandbox.slack.people.forms import NotPossible
from bot.sandbox.slack.people.writing import tell_mention, write_message
from bot.sandbox.slack.state import Message, SlackChannel, Workspace

_LINK = re.compile(r"<https://[\w.-]+\.slack\.com/archives/(\w+)/p(\d{10})(\d{6})[^>]*>")
# Another tool's alert, as its own integration with Slack posts it: (name, attachment).
ALERTS: dict[str, dict[str, Any]] = {
    "Grafana": {
        "color": "#D63232",
        "fallback": "[FIRING:1] Disk usage high",
        "title": "[FIRING:1] Disk usage high",
        "title_link": "https://grafana.example/alerting/grafana/disk/view",
        "text": "*Firing*\n\nValue: A=91.2\nLabels:\n - alertname = Disk usage high\n - host = web-1\n",
        "fields": [{"title": "Runbook", "value": "Empty /var/cache first", "short": False}],
        "footer": "Grafana v12.1",
    },
    "GitHub": {
        "color": "24292f",
        "fallback": "[office/move] Pull request opened by octocat",
        "pretext": "Pull request opened by <https://github.example/octocat|octocat>",
        "author_name": "octocat",
        "title": "#42 Take the stairs into account",
        "title_link": "https://github.example/office/move/pull/42",
        "text": "The lift holds 300 kg, the safe weighs 420.",
        "footer": "<https://github.example/office/move|office/move>",
    },
}


class Sharing:
    """Acts that put somebody else's words, or a table, into a conversation."""

    def __init__(self, directory: PeopleDirectory, log: ActLog) -> None:
        self.log = log
        self._directory = directory

    @act
    async def paste_table(
        self,
        user: str,
        channel: str,
        text: str,
        rows: Sequence[Sequence[str]],
        *,
        thread_ts: str | None = None,
    ) -> str:
        """Write a message with a table in it, as one that was copied from a spreadsheet; its ts."""
        cells = [[{"type": "raw_text", "text": cell} for cell in row] for row in rows]
        table = {"type": "table", "block_id": "pasted", "rows": cells}
        pasted = {"id": 1, "blocks": [table], "fallback": "[no preview available]"}
        at = self._directory.find_place(user, channel)
        return write_message(at, text, thread_ts=thread_ts, more={"attachments": [pasted]})

    @act
    async def forward(
        self, user: str, channel: str, ts: str, to: str, text: str = "", *, thread_ts: str | None = None
    ) -> str:
        """Forward a message of one conversation to another, with a comment or without; the new one's ts."""
        ws, _, source = self._directory.find_place(user, channel)
        shared = _describe(ws, source, find_message(source, ts)) | {"is_share": True}
        at = self._directory.find_place(user, to)
        return write_message(at, text, thread_ts=thread_ts, more={"attachments": [shared]})

    @act
    async def show_quote(self, user: str, channel: str, ts: str) -> None:
        """Slack quotes under a message what the links in it lead to, a moment after it was posted."""
        ws, _, place = self._directory.find_place(user, channel)
        message = find_message(place, ts)
        before, quotes = dict(message), []
        for where, seconds, rest in _LINK.findall(message["text"]):
            source = ws.channels.get(where)
            if source and (found := source.messages.get(f"{seconds}.{rest}")):
                quotes.append(_describe(ws, source, found))
        if not quotes:
            raise NotPossible("there is no link to a message in it")
        message["attachments"] = quotes
        note_change(ws, place, message, before)

    @act
    async def alert(self, user: str, channel: str, app: str = "Grafana", question: str = "") -> str:
        """Another tool posts an alert, while `user` looks on; its ts. `question`: what it writes above it,
        "@parley why?" for example."""
        if app not in ALERTS:
            raise NotPossible(f"nobody has connected {app}")
        ws, _, place = self._directory.find_place(user, channel)
        posted = {"attachments": [{"id": 1, **ALERTS[app]}]}
        return _post_as_app(ws, place, app, question, {"app_id": f"A0{app.upper()}", **posted})

    @act
    async def run_workflow(
        self, user: str, channel: str, text: str, name: str = "Standup", *, thread_ts: str | None = None
    ) -> str:
        """A workflow that somebody built posts a message, while `user` looks on; its ts."""
        ws, _, place = self._directory.find_place(user, channel)
        app, bot = f"A0{name.upper()}", f"B0{name.upper()}{ws.number}"
        profile = {"id": bot, "app_id": app, "name": name, "deleted": False, "is_workflow_bot": True}
        thread = {"thread_ts": thread_ts} if thread_ts else {}
        return _post_as_app(ws, place, name, text, {"app_id": app, "bot_profile": profile, **thread})


def _post_as_app(ws: Workspace, place: SlackChannel, app: str, text: str, more: dict[str, Any]) -> str:
    """A message of an app without a user, under the name that it gives itself; its ts."""
    written, ts = ws.link_names(text), ws.ts()
    message: Message = {
        "type": "message",
        "subtype": "bot_message",
        "ts": ts,
        "text": written,
        "username": app,
        "bot_id": f"B0{app.upper()}{ws.number}",
        **more,
    }
    ws.apps[message["bot_id"]] = app
    ws.put(place, message)
    announce(ws, place, message)
    tell_mention(ws, place, message, set())
    return ts


def _describe(ws: Workspace, source: SlackChannel, message: Message) -> dict[str, Any]:
    """A message as an attachment of another one."""
    author = ws.people.get(message.get("user", ""))
    name = author.real_name if author else message.get("username", "")
    ts = message["ts"]
    return {
        "id": 1,
        "ts": ts,
        "is_msg_unfurl": True,
        "channel_id": source.id,
        "channel_name": source.name,
        "author_id": author.id if author else "",
        "author_name": name,
        "author_subname": author.name if author else name,
        "author_link": f"https://{ws.domain}.slack.com/team/{author.id}" if author else "",
        "from_url": f"https://{ws.domain}.slack.com/archives/{source.id}/p{ts.replace('.', '')}",
        "text": message["text"],
        "fallback": f"[{ts}] {name}: {message['text']}",
        "mrkdwn_in": ["text"],
        "message_blocks": [
            {
                "team": ws.team,
                "channel": source.id,
                "ts": ts,
                "message": {"blocks": message.get("blocks", [])},
            }
        ],
        **({"files": message["files"]} if message.get("files") else {}),
        **({"attachments": message["attachments"]} if message.get("attachments") else {}),
        "footer": f"Posted in #{source.name}" if source.name else "Direct message",
    }
