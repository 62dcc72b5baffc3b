"""What an operator is told of the settings that is not wrong, and may not be meant."""

from __future__ import annotations

from pathlib import Path

from bot.core.settings import Settings
from bot.ops.volume import is_volume_encrypted

# Each kind of word that may be kept for ever, by its setting.
KEPT = {
    "PARLEY_KEEP_MESSAGES_DAYS": ("keep_messages_days", "messages, answers and summaries are"),
    "PARLEY_KEEP_RECORDINGS_DAYS": ("keep_recordings_days", "what was heard in recordings is"),
    "PARLEY_KEEP_VERDICTS_DAYS": (
        "keep_verdicts_days",
        "what the guard ruled, with the words it was about, is",
    ),
}
WHY_AN_END = "Slack's developer policy and the laws on personal data ask for no more than is needed"
UNSEEN = "what a disk or a cloud encrypts by itself is not to be seen from here"


def find_endless(settings: Settings) -> list[str]:
    """A sentence for each kind of word that is never erased for its age."""
    return [
        f"{env}=0: {what} never erased; {WHY_AN_END}"
        for env, (name, what) in KEPT.items()
        if not getattr(settings, name)
    ]


def find_unencrypted(settings: Settings) -> list[str]:
    """A sentence where nobody here can tell that the database stands on an encrypted volume."""
    scheme, _, path = settings.database.partition(":///")
    if scheme != "sqlite" or not path or is_volume_encrypted(Path(path)):
        return []
    return [f"database {path}: cannot tell that its volume is encrypted, as Slack's policy asks; {UNSEEN}"]
