"""Rows of fields as a file, where only the asker reads it: in their direct messages with the app."""

from __future__ import annotations

import re
from typing import Literal

from bot.app import Services
from bot.fields.values import FieldForm
from handlers.adapter import SlackChat
from handlers.slack.uploads import Upload, share_files

ExportKind = Literal["csv", "jsonl"]


async def send_rows(
    services: Services, chat: SlackChat, form: FieldForm, *, user: str, kind: ExportKind
) -> None:
    """Every row of a form. The look is noted."""
    fields = services.fields
    text = await (fields.export_csv(form) if kind == "csv" else fields.export_jsonl(form))
    services.access_log.note(form.team, user, "fields", f"rows of {form.id} in {form.channel} as {kind}")
    name = re.sub(r"[^\w-]+", "-", form.name).strip("-") or "fields"
    file = Upload(f"{name}.{kind}", text.encode(), form.name)
    direct = await chat.directory.open_direct(user)
    comment = f"Rows of {form.name}"
    await share_files(chat.slack, services.settings, [file], channel=direct, comment=comment)
