"""Every model that is asked for text here, and where it was chosen: for `parley check` and for the start."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from bot.channel.options import MODEL
from bot.core.settings import Settings, split_list
from storage.channel import preferences
from storage.channel.preferences import Wish
from storage.engine import Tx


class Chosen(NamedTuple):
    """A model, and where it was chosen in words for the operator. In Slack: in which workspace and channel
    ("": for all of them), and by whom."""

    where: str
    model: str
    team: str = ""
    channel: str = ""
    person: str = ""


def list_models(
    settings: Settings, given: Mapping[str, Mapping[str, str]], chosen: Iterable[Wish]
) -> list[Chosen]:
    """The operator's models by their settings, those of the operator's file, and those chosen in Slack."""
    found = [
        Chosen("PARLEY_MODEL", settings.model),
        Chosen("PARLEY_MIDDLE_MODEL", settings.middle_model),
        Chosen("PARLEY_SMALL_MODEL", settings.small_model),
        *(Chosen("PARLEY_ALLOWED_MODELS", model) for model in split_list(settings.allowed_models)),
        *(
            Chosen(f"{settings.policies}: {channel}", table.get(MODEL, ""))
            for channel, table in given.items()
        ),
        *(Chosen(_name_place(one), one.value, one.team, one.channel, one.person) for one in chosen),
    ]
    return [one for one in found if one.model]


def read_chosen(tx: Tx) -> list[Wish]:
    """The models that channels and workspaces chose in Slack."""
    return preferences.wishing(tx, MODEL)


def _name_place(wish: Wish) -> str:
    return f"channel {wish.channel} of {wish.team}" if wish.channel else f"workspace {wish.team}"
