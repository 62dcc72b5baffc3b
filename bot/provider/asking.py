"""How a question is put in each completion style: its endpoint, its parameters and its stop sequences."""

from __future__ import annotations

import json
from dataclasses import dataclass

from bot.core.settings import Settings
from bot.provider.parameters import NOT_TAKEN, Parameters, read_parameters, read_stop_rules
from bot.provider.prompt_formats import STYLES, Style
from bot.provider.stop_sequences import StopRules


@dataclass(frozen=True, slots=True)
class Asking:
    """All that a request for text in one style needs beside its prompt."""

    style: Style
    parameters: Parameters
    rules: StopRules


def read_askings(settings: Settings) -> dict[str, Asking]:
    """One for each style, as the operator set it up. SetupError says what is wrong with the settings."""
    read_parameters(settings)  # complete for the operator's own style
    return {name: _read_asking(_as_style(settings, name)) for name in STYLES}


def _read_asking(settings: Settings) -> Asking:
    return Asking(STYLES[settings.style], read_parameters(settings), read_stop_rules(settings))


def _as_style(settings: Settings, style: str) -> Settings:
    """The settings for a style that a channel chose; without further parameters that it does not take."""
    if style == settings.style:
        return settings
    extra = json.loads(settings.extra_parameters or "{}")
    taken = {name: value for name, value in extra.items() if name not in NOT_TAKEN[style]}
    return settings.changed(style=style, extra_parameters=json.dumps(taken))
