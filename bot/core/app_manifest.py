"""The app as Slack is told of it: manifest.yml, made to fit the settings and what the app has by now.

`parley connect` sends it to Slack (handlers/connect.py), the sandbox installs its app from it.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.core.errors import SetupError
from bot.core.settings import Settings

_BOT = Path(__file__).parents[1]
# In a wheel; in the repository.
_PLACES = (_BOT / "manifest.yml", _BOT.parent / "manifest.yml")
# What an operator may have chosen for the app on Slack's pages, which an update leaves as it is. Token
# rotation cannot be turned off again.
_THEIRS = (
    ("display_information", "name"),
    ("display_information", "background_color"),
    ("features", "bot_user", "display_name"),
    ("settings", "org_deploy_enabled"),
    ("settings", "token_rotation_enabled"),
)
# What tells one item of a list from another.
_NAMES = ("command", "callback_id", "title", "name")

Manifest = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ManifestChange:
    """A place in which two manifests differ; None where one of them has nothing there."""

    at: str
    before: Any
    after: Any

    def __str__(self) -> str:
        if self.before is None:
            return f"+ {self.at}: {_shown(self.after)}"
        if self.after is None:
            return f"- {self.at}: {_shown(self.before)}"
        return f"~ {self.at}: {_shown(self.before)} → {_shown(self.after)}"


def read_manifest() -> Manifest:
    """The manifest as it was released."""
    import yaml

    path = next(path for path in _PLACES if path.exists())
    manifest: Manifest = yaml.safe_load(path.read_text("utf-8"))
    return manifest


def wants_socket_mode(settings: Settings) -> bool:
    """How Slack is to reach the bot, before there are tokens: HTTP where that is asked for, or prepared."""
    if settings.transport:
        return settings.transport == "socket"
    return bool(settings.slack_app_token) or not settings.slack_signing_secret


def fit_to_settings(manifest: Mapping[str, Any], settings: Settings, *, events_path: str) -> Manifest:
    """The manifest with Socket Mode, or with the address at which Slack reaches PARLEY_HOST:PORT. SetupError
    where that is not known."""
    fitted: Manifest = copy.deepcopy(dict(manifest))
    if wants_socket_mode(settings):
        fitted["settings"]["socket_mode_enabled"] = True
        return fitted
    if not settings.public_url.startswith("https://"):
        wrong = f"PARLEY_PUBLIC_URL: {settings.public_url!r} is no https:// address"
        raise SetupError([f"{wrong}; in HTTP mode Slack reaches the bot there, at {events_path}"])
    url = settings.public_url.rstrip("/") + events_path
    fitted["settings"]["socket_mode_enabled"] = False
    fitted["settings"]["event_subscriptions"]["request_url"] = url
    fitted["settings"]["interactivity"]["request_url"] = url
    for command in fitted["features"]["slash_commands"]:
        command["url"] = url
    return fitted


def merge(existing: Mapping[str, Any], ours: Mapping[str, Any]) -> Manifest:
    """Ours for an app that is there: what it has beside ours, and what is its operator's choice, stays."""
    merged = _merge(copy.deepcopy(dict(existing)), ours)
    for *groups, name in _THEIRS:
        theirs, into = existing, merged
        for group in groups:
            theirs, into = theirs.get(group) or {}, into[group]
        if name in theirs:
            into[name] = theirs[name]
    if "agent_view" in merged["features"]:  # Slack takes one of the two
        merged["features"].pop("assistant_view", None)
    if merged["settings"]["socket_mode_enabled"]:
        for group in ("event_subscriptions", "interactivity"):
            merged["settings"][group].pop("request_url", None)
    return merged


def _merge(into: Manifest, ours: Mapping[str, Any]) -> Manifest:
    for name, value in ours.items():
        there = into.get(name)
        both = isinstance(there, dict) and isinstance(value, Mapping)
        into[name] = _merge(there, value) if both and there is not None else copy.deepcopy(value)
    return into


def list_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[ManifestChange]:
    """Every place in which they differ, in order of its name."""
    old, new = dict(_flatten(before, "")), dict(_flatten(after, ""))
    return [
        ManifestChange(at, old.get(at), new.get(at))
        for at in sorted(old.keys() | new.keys())
        if old.get(at) != new.get(at)
    ]


def _flatten(value: Any, at: str) -> Iterator[tuple[str, Any]]:
    """Every value with where it stands; items of a list by their names: their order does not count."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            if name != "_metadata":  # the form of the file, nothing of the app
                yield from _flatten(inner, f"{at}.{name}" if at else name)
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, Mapping):
                yield from _flatten(item, f"{at}[{next((item[n] for n in _NAMES if n in item), '')}]")
            else:
                yield f"{at}[{item}]", True
    else:
        yield at, value


def _shown(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = " ".join(str(value).split())
    return repr(text if len(text) <= 80 else f"{text[:79]}…")
