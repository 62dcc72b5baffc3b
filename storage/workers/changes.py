"""Which of what processes keep in memory was changed: noted in the transaction that changes it, so that each
reads it anew (bot/workers/caches.py)."""

from __future__ import annotations

from storage.engine import Tx
from storage.workers import mailbox

CHANGED = "changed"  # the topic
POLICIES, MODELS, TRAITS, ENDINGS = "policies", "guard models", "model traits", "model endings"
ANSWER_MODELS = "answer models"


def note(tx: Tx, what: str) -> None:
    """Has every process read one of the above anew."""
    mailbox.put_to_all(tx, CHANGED, what)
