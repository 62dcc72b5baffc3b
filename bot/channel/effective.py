"""What holds in a channel, and where it comes from: the nearest place that says something.

From near to far: the channel's own choice in Slack, what the operator's file says of the channel, the choice
for the whole workspace, the operator's settings, their defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

Source = Literal["channel", "workspace", "operator", "default"]
Level = tuple[Source, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class EffectiveSetting:
    """One setting as it holds now. `value` "": nothing is set."""

    name: str
    value: str
    source: Source

    @property
    def from_slack(self) -> bool:
        """Whether somebody chose it in Slack; else whoever runs the bot did."""
        return self.source in ("channel", "workspace")


def find_effective(
    names: Iterable[str], levels: Iterable[Level], *, may_stay: Callable[[str, str], bool]
) -> dict[str, EffectiveSetting]:
    """Each setting by name, from the first level that has it; what was chosen in Slack and may not stay is
    passed over."""
    in_order = tuple(levels)

    def find(name: str) -> EffectiveSetting:
        for source, given in in_order:
            setting = EffectiveSetting(name, given.get(name, ""), source)
            if setting.value and (not setting.from_slack or may_stay(name, setting.value)):
                return setting
        return EffectiveSetting(name, "", "default")

    return {name: find(name) for name in names}
