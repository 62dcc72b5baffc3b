"""Slack's methods for making and changing an app, which take a configuration token and no bot's.

The token lives twelve hours and can change every app of its person, so it is asked for each time and kept
nowhere. Source: docs.slack.dev/app-manifests/configuring-apps-with-app-manifests
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.core.errors import SetupError, SlackRefused, SlackRevoked, SlackUnavailable
from bot.core.settings import Settings
from handlers.slack.client import RAISED, error_from, open_slack

TOKEN_PAGE = "https://api.slack.com/apps"  # noqa: S105
REFUSED_TOKEN = "Slack says {code} of the configuration token; make another at {page}, it lives 12 hours"  # noqa: S105
# What Slack says of a token that is none, or of another kind.
WRONG_TOKEN = frozenset({"not_allowed_token_type", "no_permission", "access_denied"})
INVALID_MANIFEST = "invalid_manifest"


@dataclass(frozen=True, slots=True)
class AppConfiguration:
    """Makes, reads and changes apps. SetupError says what an operator can do about a refusal."""

    client: AsyncWebClient

    async def validate(self, manifest: dict[str, Any], app: str) -> None:
        """Has Slack look through a manifest. SetupError with each problem and its place."""
        named = {"app_id": app} if app else {}
        await self._call("apps.manifest.validate", manifest=json.dumps(manifest), **named)

    async def export(self, app: str) -> dict[str, Any]:
        """The manifest of an app as it is now."""
        manifest: dict[str, Any] = (await self._call("apps.manifest.export", app_id=app))["manifest"]
        return manifest

    async def create(self, manifest: dict[str, Any]) -> str:
        """Makes an app; its id."""
        return str((await self._call("apps.manifest.create", manifest=json.dumps(manifest)))["app_id"])

    async def update(self, app: str, manifest: dict[str, Any]) -> bool:
        """Changes an app as a whole; whether it has to be installed again for what it may do."""
        answer = await self._call("apps.manifest.update", app_id=app, manifest=json.dumps(manifest))
        return bool(answer.get("permissions_updated"))

    async def _call(self, method: str, **arguments: Any) -> dict[str, Any]:
        try:
            answer = await self.client.api_call(method, json=arguments)
        except RAISED as exc:
            raise _explain(method, exc) from None  # the request holds the token
        return answer.data  # type: ignore[return-value]


def _explain(method: str, exc: BaseException) -> SetupError | SlackUnavailable:
    error = error_from(exc)
    code = error.code if isinstance(error, SlackRefused | SlackRevoked) else ""
    if isinstance(error, SlackRevoked) or code in WRONG_TOKEN:
        return SetupError([REFUSED_TOKEN.format(code=code, page=TOKEN_PAGE)])
    if isinstance(error, SlackUnavailable):
        if method == "apps.manifest.create" and error.maybe_taken:
            return SetupError(
                [f"Slack did not say whether it made the app: look at {TOKEN_PAGE} before you try again"]
            )
        return error
    if code == INVALID_MANIFEST and isinstance(exc, SlackApiError):
        found = exc.response.get("errors") or [{}]
        return SetupError(
            [f"manifest: {one.get('pointer', '')}: {one.get('message', 'not valid')}" for one in found]
        )
    if code == "invalid_app_id":
        return SetupError(["Slack knows no such app in the workspace that the configuration token is of"])
    return SetupError([f"Slack refused {method} ({error})"])


@asynccontextmanager
async def open_configuration(settings: Settings, token: str) -> AsyncIterator[AppConfiguration]:
    """Asks Slack with this token until the block ends."""
    async with open_slack(settings.changed(slack_bot_token=token)) as client:
        yield AppConfiguration(client)
