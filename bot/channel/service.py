"""How answers are made in each channel: what was chosen there, in the workspace and by the operator.

Choices are read for every turn and never kept in memory, so that a change holds with the next message. What
can be chosen is options.py, which place says it effective.py, what becomes of it system_text.py.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from bot.channel.effective import EffectiveSetting, Level, find_effective
from bot.channel.options import (
    DEFAULTS,
    DOCUMENTS,
    LENGTH,
    MODEL,
    OF_CHANNEL,
    OF_WORKSPACE,
    STYLE,
    TEXTS,
    OptionChecks,
    limit_tokens,
)
from bot.channel.system_text import write_system
from storage.channel import preferences
from storage.engine import Engine, Tx
from storage.place import Channel

EVERYWHERE = ""  # stands for a channel where the whole workspace is meant


@dataclass(frozen=True, slots=True)
class PlaceSettings:
    """The settings of a channel or a workspace as people are shown them, by name.

    `own`: what was chosen there, "" for what is as everywhere; `otherwise`: what holds without that.
    """

    own: Mapping[str, str]
    effective: Mapping[str, EffectiveSetting]
    otherwise: Mapping[str, EffectiveSetting]

    def find_changes(self, given: Mapping[str, str]) -> dict[str, str]:
        """What somebody filled in other than it stands."""
        return {name: value for name, value in given.items() if value != self.own[name]}

    @property
    def fingerprint(self) -> str:
        """The same for the same choices, so that a change in between is noticed."""
        return hashlib.sha256(json.dumps(sorted(self.own.items())).encode()).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """How answers are made in one channel, as a turn needs it."""

    system: str
    model: str
    style: str
    max_tokens: int
    documents: str = "first"  # what questions are answered from: bot.core.settings.DOCUMENT_MODES


class Preferences:
    """What channels and workspaces chose about answers, and what holds where they chose nothing.

    A workspace is `Channel(team, EVERYWHERE)`.
    """

    def __init__(
        self,
        engine: Engine,
        checks: OptionChecks,
        given: Mapping[str, Mapping[str, str]],
        *,
        clock: Callable[[], float],
    ) -> None:
        """`given`: the operator's choices for single channels; `clock` gives unix seconds."""
        self._engine, self.checks, self._given, self._clock = engine, checks, given, clock
        self._operator = checks.read_operator()

    async def resolve(self, at: Channel, rule: str = "") -> AnswerSettings:
        """How a question is answered there now. `rule`: what the channel is for, in the guard's words."""
        found = self._find(OF_WORKSPACE, *await self._read_levels(at))
        return AnswerSettings(
            write_system(found, rule),
            found[MODEL].value,
            found[STYLE].value,
            limit_tokens(found[LENGTH].value, most=self.checks.most_tokens),
            found[DOCUMENTS].value,
        )

    def read_choice(self, tx: Tx, at: Channel, name: str) -> str:
        """What holds there for one setting, as it stands in this transaction."""
        return self._find((name,), *self._list_levels(at, _read_chosen(tx, at=at)))[name].value

    async def read_place(self, at: Channel) -> PlaceSettings:
        """Each setting with its value and where it comes from."""
        names = OF_CHANNEL if at.channel else OF_WORKSPACE
        (source, own), *others = await self._read_levels(at)
        return PlaceSettings(
            {name: own.get(name, "") for name in names},
            self._find(names, (source, own), *others),
            self._find(names, *others),
        )

    async def list_choosing(self, team: str) -> list[str]:
        """The channels of a workspace that chose anything."""
        return await self._engine.read(partial(preferences.channels_wishing, team=team, names=OF_CHANNEL))

    async def save(self, at: Channel, checked: Mapping[str, str], *, by: str) -> Sequence[str]:
        """Keeps choices that were checked; the names of those that changed."""
        return await self._engine.write(partial(_keep, at=at, chosen=checked, by=by, now=self._clock()))

    async def _read_levels(self, at: Channel) -> list[Level]:
        """Every place that may say something, the nearest first: that one itself."""
        return self._list_levels(at, await self._engine.read(partial(_read_chosen, at=at)))

    def _list_levels(self, at: Channel, chosen: Mapping[str, Mapping[str, str]]) -> list[Level]:
        operators: list[Level] = [("operator", self._operator), ("default", DEFAULTS)]
        everywhere: list[Level] = [("workspace", chosen[EVERYWHERE]), *operators]
        if at.channel == EVERYWHERE:
            return everywhere
        return [("channel", chosen[at.channel]), ("operator", self._given.get(at.channel, {})), *everywhere]

    def _find(self, names: Iterable[str], *levels: Level) -> dict[str, EffectiveSetting]:
        return find_effective(names, levels, may_stay=self.checks.may_stay)


def _read_chosen(tx: Tx, *, at: Channel) -> dict[str, dict[str, str]]:
    return preferences.wishes_of(tx, at.team, at.channel, EVERYWHERE)


def _keep(tx: Tx, *, at: Channel, chosen: Mapping[str, str], by: str, now: float) -> list[str]:
    before = preferences.wishes(tx, at.team, at.channel)
    changed = [name for name, value in chosen.items() if value != before.get(name, "")]
    for name in changed:
        detail = _describe(name, chosen[name])
        preferences.wish(tx, at.team, at.channel, name, chosen[name], person=by, detail=detail, now=now)
    return changed


def _describe(name: str, value: str) -> str:
    """What may be written down of a choice: no sentence that anybody wrote."""
    if not value:
        return "as everywhere"
    return f"{len(value)} characters" if name in TEXTS else value
