"""`/parley fields`: the forms of a channel, described by words behind it, their rows, and the files."""

from __future__ import annotations

from typing import Any

from bot.app import Services
from bot.core.errors import NotUnderstood
from bot.fields.values import FieldForm
from bot.text.typed import find_nearest, read_keyword
from handlers.adapter import SlackChat
from handlers.fields.exports import ExportKind, send_rows
from handlers.fields.listeners import SENT, FieldActions
from handlers.fields.rights import FieldRights
from handlers.fields.tables import build_table, count_open
from handlers.slack import blocks
from handlers.slack.mrkdwn import escape
from handlers.slack.payloads import team_of

WORDS = (
    "I know `fields`, `fields NAME` for a table, `fields NAME csv` and `fields NAME jsonl` for a file, and "
    "`fields invoice: number, date, total` to describe some."
)
LIST = frozenset({"", "list", "show", "open"})
KINDS: dict[str, ExportKind] = {"csv": "csv", "jsonl": "jsonl", "json": "jsonl"}
NO_ROWS = "No document yielded any yet."


class FieldCommands:
    """Answers `/parley fields …`."""

    def __init__(
        self, services: Services, chat: SlackChat, actions: FieldActions, rights: FieldRights
    ) -> None:
        self._services = services
        self._chat = chat
        self._actions = actions
        self._rights = rights

    async def answer(self, body: dict[str, Any], words: str, respond: Any) -> None:
        """Opens a window, or answers for the asker's eyes only."""
        if read_keyword(words) in LIST:
            await self._actions.open_forms(body)
        elif ":" in words:
            await self._actions.open_described(body, words)
        else:
            await respond(**await self._answer(body, words))

    async def _answer(self, body: dict[str, Any], words: str) -> dict[str, Any]:
        team, channel, user = team_of(body), body["channel_id"], body["user_id"]
        await self._rights.require_see(team, channel, user)
        form, kind = _read(words, await self._services.fields.list_forms(team, channel))
        if kind:
            await send_rows(self._services, self._chat, form, user=user, kind=kind)
            return blocks.ephemeral(SENT, [blocks.section(SENT)])
        self._services.access_log.note(team, user, "fields", f"rows of {form.id} in {channel}")
        return await self._show_table(form)

    async def _show_table(self, form: FieldForm) -> dict[str, Any]:
        rows = await self._services.fields.rows(form)
        title = f"*{escape(form.name)}*: {blocks.count(len(rows), 'row')}"
        if not rows:
            return blocks.ephemeral(form.name, [blocks.section(f"{title}. {NO_ROWS}")])
        table, shown = build_table(form, rows, several=True)
        doubtful = count_open(rows)
        notes = [f"{blocks.count(doubtful, 'value')} to look at: `fields`, then Review."] if doubtful else []
        if shown < len(rows):
            notes.append(f"The first {shown}; `fields {form.name} csv` has all of them.")
        more = [blocks.context(*notes)] if notes else []
        return blocks.ephemeral(form.name, [blocks.section(title), table, *more])


def _read(words: str, forms: list[FieldForm]) -> tuple[FieldForm, ExportKind | None]:
    """The form that is meant, and as which file it is wanted. NotUnderstood."""
    by_name = {read_keyword(form.name): form for form in forms}
    asked = read_keyword(words)
    name, _, last = asked.rpartition(" ")
    name, kind = (name, KINDS[last]) if last in KINDS else (asked, None)
    name = name.removeprefix("export ").removeprefix("table ")
    if name in by_name:
        return by_name[name], kind
    nearest = [f"Did you mean `fields {near}`?" for near in find_nearest(name, by_name)]
    raise NotUnderstood(words, " ".join(nearest or [WORDS]))
