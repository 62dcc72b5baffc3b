"""What the operator changed between two starts, for the list of storage/audit.py. Secrets are never in it."""

from __future__ import annotations

import hashlib
from dataclasses import fields

from bot.core.settings import Settings
from bot.text.redact import redact
from storage import audit
from storage.engine import Tx

ACT = "setting"
SHOWN = 80  # characters of a value; of a longer one a digest tells whether it changed


def note_changes(tx: Tx, settings: Settings, *, now: float) -> None:
    """Notes every setting that is not as it was at the last start, or not at its default at the first."""
    before = audit.latest(tx, ACT)
    for f in fields(settings):
        if f.metadata["secret"]:
            continue
        env, value = f.metadata["env"], shown_value(getattr(settings, f.name))
        if value != before.get(env, shown_value(f.default)):
            audit.note(tx, ACT, env, detail=value, now=now)


def shown_value(value: object) -> str:
    """A setting's value as it may be written down."""
    text = redact(str(value))
    if len(text) <= SHOWN:
        return text
    return f"{text[:SHOWN]}… {hashlib.sha256(text.encode()).hexdigest()[:12]}"
