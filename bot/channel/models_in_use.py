"""Every model that is asked for text here, and where it was chosen: for `parley check` and for the start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.channel.options import MODEL
from bot.core.settings import Settings, split_list
from storage.channel import preferences
from storage.channel.preferences import Wish
from storage.engine import Tx

# Where a model was chosen, in words for the operator, and its name.
Chosen = tuple[str, str]


def list_models(
    settings: Settings, given: Mapping[str, Mapping[str, str]], chosen: Iterable[Wish]
) -> list[Chosen]:
    """The operator's models by their settings, those of the operator's file, and those chosen in Slack."""
    found = [
        ("PARLEY_MODEL", settings.model),
        ("PARLEY_MIDDLE_MODEL", settings.middle_model),
        ("PARLEY_SMALL_MODEL", settings.small_model),
        *(("PARLEY_ALLOWED_MODELS", model) for model in split_list(settings.allowed_models)),
        *((f"{settings.policies}: {channel}", table.get(MODEL, "")) for channel, table in given.items()),
        *((_name_place(wish), wish.value) for wish in chosen),
    ]
    return [(where, model) for where, model in found if model]


def read_chosen(tx: Tx) -> list[Wish]:
    """The models that channels and workspaces chose in Slack."""
    return preferences.wishing(tx, MODEL)


def _name_place(wish: Wish) -> str:
    return f"channel {wish.channel} of {wish.team}" if wish.channel else f"workspace {wish.team}"
