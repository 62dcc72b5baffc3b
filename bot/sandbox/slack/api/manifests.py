"""The Web API's apps.manifest.create, export, update and validate: apps made by whoever has a configuration
token."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from bot.sandbox.slack import codes
from bot.sandbox.slack.api.blocks import SlackRefusal
from bot.sandbox.slack.manifest_schema import find_problems

Arguments = dict[str, Any]
Response = dict[str, Any]
Manifest = dict[str, Any]
# Observed: an export has these, whatever the manifest said.
_SAID_OF_EVERY_APP = {"is_hosted": False, "function_runtime": "remote"}


class AppManifests:
    """The apps that were made here, by id, and the one that is installed."""

    def __init__(self, installed: str, manifest: Manifest, changed: Callable[[Manifest], None]) -> None:
        """`changed` is told of the installed app's new manifest."""
        self._installed, self._changed = installed, changed
        self.apps: dict[str, Manifest] = {installed: manifest}

    def answer(self, method: str, a: Arguments) -> Response:
        """Carries out one of the methods."""
        acts: dict[str, Callable[[Arguments], Response]] = {
            "apps.manifest.create": self._create,
            "apps.manifest.export": self._export,
            "apps.manifest.update": self._update,
            "apps.manifest.validate": self._validate,
        }
        return acts[method](a)

    def _validate(self, a: Arguments) -> Response:
        if "app_id" in a:
            self._find(a["app_id"])
        _read(a["manifest"])
        return {"ok": True, "errors": []}

    def _create(self, a: Arguments) -> Response:
        manifest = _read(a["manifest"])
        id = f"A0MADE{len(self.apps):04}"
        self.apps[id] = manifest
        secrets = ("client_id", "client_secret", "verification_token", "signing_secret")
        scopes = ",".join(_scopes(manifest))
        return {
            "ok": True,
            "app_id": id,
            "credentials": {name: f"sandbox-{name}" for name in secrets},
            "oauth_authorize_url": f"https://slack.com/oauth/v2/authorize?client_id=1.2&scope={scopes}",
        }

    def _export(self, a: Arguments) -> Response:
        manifest = copy.deepcopy(self._find(a["app_id"]))
        manifest["settings"] = _SAID_OF_EVERY_APP | manifest.get("settings", {})
        return {"ok": True, "manifest": manifest}

    def _update(self, a: Arguments) -> Response:
        id, before, manifest = a["app_id"], self._find(a["app_id"]), _read(a["manifest"])
        if before.get("settings", {}).get("token_rotation_enabled") and not manifest["settings"].get(
            "token_rotation_enabled"
        ):
            message = "Token rotation cannot be turned off"
            raise _refuse({"message": message, "pointer": "/settings/token_rotation_enabled"})
        self.apps[id] = manifest
        if id == self._installed:
            self._changed(manifest)
        return {"ok": True, "app_id": id, "permissions_updated": {*_scopes(before)} != {*_scopes(manifest)}}

    def _find(self, id: str) -> Manifest:
        if id not in self.apps:
            raise SlackRefusal(codes.INVALID_APP_ID)
        return self.apps[id]


def _read(text: Any) -> Manifest:
    """The manifest, which comes as a text; SlackRefusal with every problem where it is none."""
    try:
        manifest = orjson.loads(text)
    except (orjson.JSONDecodeError, TypeError):
        raise _refuse({"message": "Must be JSON in a string", "pointer": "/"}) from None
    if problems := find_problems(manifest):
        raise _refuse(*problems)
    return dict(manifest)


def _refuse(*problems: dict[str, str]) -> SlackRefusal:
    return SlackRefusal(codes.INVALID_MANIFEST, errors=list(problems))


def _scopes(manifest: Manifest) -> Iterator[str]:
    scopes = manifest.get("oauth_config", {}).get("scopes", {})
    yield from (scope for kind in scopes.values() for scope in kind)
