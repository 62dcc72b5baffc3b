"""`parley knowledge learning --channel C… --json`: versions of channels' own heads over answers.

A list of {team, channel, version, in_use, trained_at, report}, newest first; `report` has `gain` over the
shipped head, the errors of both (`own`, `shipped`), and `curve`. It only reads.
"""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

from bot.cli.access_notes import note_access
from bot.core.settings import Settings
from bot.knowledge.answer_learning import RULE
from bot.learning.versions import Version, read_version
from storage.database import open_engine
from storage.knowledge import answer_models
from storage.place import Channel


async def run(args: Namespace, settings: Settings) -> int:
    """0 also where nothing was trained."""
    named, _, channel = args.channel.rpartition(":")
    team = args.team or named
    async with open_engine(settings.database, read_only=True) as engine:
        places = await engine.read(answer_models.list_channels, team=team, channel=channel)
        found = [
            (at, read_version(row))
            for at in places
            for row in await engine.read(answer_models.list_models, at)
        ]
    await note_access(settings, "answer learning", channel or "every channel", team=team)
    if args.json:
        print(json.dumps([as_json(at, version) for at, version in found], indent=1))
    else:
        print("\n".join(describe(at, version) for at, version in found) or f"nothing is trained yet. {RULE}")
    return 0


def as_json(at: Channel, version: Version) -> dict[str, Any]:
    """What `--json` promises of each."""
    return {
        **at.key,
        "version": version.version,
        "in_use": version.in_use,
        "trained_at": version.trained_at,
        "report": version.report,
    }


def describe(at: Channel, version: Version) -> str:
    """A version in two lines: its gain, and both errors beside the shipped head's."""
    report = version.report
    gain, used = report["gain"], " (in use)" if version.in_use else ""
    errors = [
        f"{words} {_rate(report['own'][name])} (shipped {_rate(report['shipped'][name])})"
        for name, words in (("refused", "refused although answerable"), ("answered", "answered although not"))
    ]
    return (
        f"{at.channel} ({at.team}) version {version.version}{used}: gain {gain['mean']:+.3f} "
        f"({gain['low']:+.3f} to {gain['high']:+.3f}) on {gain['rows']} pairs\n    {', '.join(errors)}"
    )


def _rate(rate: dict[str, Any]) -> str:
    return f"{rate['part']} of {rate['whole']}"
