"""What the operator changed between two starts, for the list of storage/audit.py. Secrets are never in it."""

from __future__ import annotations

import hashlib
import re

from bot.core.settings import Settings, table
from bot.text.redact import REDACTED, redact
from storage import audit
from storage.engine import Tx

ACT = "setting"
SHOWN = 80  # characters of a value; of a longer one a digest tells whether it changed
OF_ONE = ("port", "ops_port")  # of several processes on one machine each has its own
_PASSWORD = re.compile(r"(?<=password=)[^&\s]+")  # as a database's URL may hold it


def note_changes(tx: Tx, settings: Settings, *, shared: bool = False, now: float) -> None:
    """Notes every setting that is not as it was at the last start, or not at its default at the first.

    `shared`: by several processes, which have the same settings, but for what each listens on.
    """
    tx.lock(audit.LOCK)  # processes of one version start together
    before = audit.latest(tx, ACT)
    for row in table():
        given = getattr(settings, row.name)
        if row.secret or (shared and row.name in OF_ONE) or (given == row.default and row.env not in before):
            continue
        value = shown_value(given)
        if value != before.get(row.env, shown_value(row.default)):
            audit.note(tx, ACT, row.env, detail=value, now=now)


def shown_value(value: object) -> str:
    """A setting's value as it may be written down."""
    text = redact(_PASSWORD.sub(REDACTED, str(value)))
    if len(text) <= SHOWN:
        return text
    return f"{text[:SHOWN]}… {hashlib.sha256(text.encode()).hexdigest()[:12]}"
