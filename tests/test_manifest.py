"""manifest.yml against what Slack documents of app manifests: names, lengths, counts, and nothing unknown.

Slack's own schema (slackapi/manifest-schema, 2.0.0) accepts any scope and event; this one knows them.
Sources: https://docs.slack.dev/reference/app-manifest, https://docs.slack.dev/reference/scopes and
https://docs.slack.dev/reference/events.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft7Validator

MANIFEST = yaml.safe_load((Path(__file__).parent.parent / "manifest.yml").read_text("utf-8"))

SCOPES = [
    "app_mentions:read",
    "assistant:write",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "mpim:history",
    "mpim:read",
    "reactions:read",
    "reactions:write",
    "users:read",
    "team:read",
]
EVENTS = [
    "agent_session_stopped",
    "app_context_changed",
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "message.channels",
    "message.groups",
    "message.im",
    "message.mpim",
    "reaction_added",
    "tokens_revoked",
    "member_joined_channel",
    "file_deleted",
    "file_unshared",
    "file_change",
    "channel_archive",
    "channel_unarchive",
    "channel_shared",
    "channel_unshared",
    "group_archive",
    "group_unarchive",
    "channel_deleted",
    "channel_id_changed",
    "group_deleted",
    "user_change",
]


def text(most: int, least: int = 1) -> dict[str, Any]:
    return {"type": "string", "minLength": least, "maxLength": most}


def items(of: dict[str, Any], most: int) -> dict[str, Any]:
    return {"type": "array", "items": of, "maxItems": most, "uniqueItems": True}


def thing(required: dict[str, Any], optional: dict[str, Any] | None = None) -> dict[str, Any]:
    """An object with these members and no others."""
    return {
        "type": "object",
        "properties": required | (optional or {}),
        "required": list(required),
        "additionalProperties": False,
    }


YES_OR_NO = {"type": "boolean"}
PROMPT = thing({"title": text(75), "message": text(500)})
COMMAND = thing(
    {"command": {**text(32, 2), "pattern": "^/[a-z0-9_-]+$"}, "description": text(2000)},
    {"usage_hint": text(1000), "should_escape": YES_OR_NO, "url": {"type": "string", "pattern": "^https://"}},
)
SHORTCUT = thing(
    {
        "name": text(24),
        "type": {"enum": ["message", "global"]},
        "callback_id": text(255),
        "description": text(150),
    }
)
HOME = {"home_tab_enabled": YES_OR_NO, "messages_tab_enabled": YES_OR_NO}
SCHEMA = thing(
    {
        "_metadata": thing({"major_version": {"const": 2}, "minor_version": {"type": "integer"}}),
        "display_information": thing(
            {"name": text(35), "description": text(140)},
            {
                "long_description": text(4000, 175),
                "background_color": {"type": "string", "pattern": "^#[0-9a-f]{6}$"},
            },
        ),
        "features": thing(
            {
                "agent_view": thing(
                    {"agent_description": text(300)}, {"suggested_prompts": items(PROMPT, 4)}
                ),
                "app_home": thing({**HOME, "messages_tab_read_only_enabled": YES_OR_NO}),
                "bot_user": thing({"display_name": text(80)}, {"always_online": YES_OR_NO}),
            },
            {"shortcuts": items(SHORTCUT, 10), "slash_commands": items(COMMAND, 50)},
        ),
        "oauth_config": thing({"scopes": thing({"bot": items({"enum": SCOPES}, 255)})}),
        "settings": thing(
            {
                "event_subscriptions": thing({"bot_events": items({"enum": EVENTS}, 100)}),
                "interactivity": thing({"is_enabled": YES_OR_NO}),
                "org_deploy_enabled": YES_OR_NO,
                "socket_mode_enabled": YES_OR_NO,
                "token_rotation_enabled": YES_OR_NO,
            }
        ),
    }
)


def problems(manifest: Any) -> list[str]:
    return [f"{error.json_path}: {error.message}" for error in Draft7Validator(SCHEMA).iter_errors(manifest)]


def test_slack_takes_the_manifest() -> None:
    assert problems(MANIFEST) == []


@pytest.mark.parametrize(
    "spoil",
    [
        lambda m: m["features"]["shortcuts"][0].update(name="x" * 25),
        lambda m: m["features"]["slash_commands"][0].update(command="parley"),
        lambda m: m["features"].update(assistant_view={}),
        lambda m: m["oauth_config"]["scopes"]["bot"].append("chats:write"),
        lambda m: m["settings"]["event_subscriptions"]["bot_events"].append("message.channel"),
        lambda m: m["display_information"].update(description="x" * 141),
        lambda m: m["features"]["agent_view"].update(suggested_prompts=[{"title": "a", "message": "b"}] * 5),
    ],
)
def test_what_slack_would_refuse_is_noticed(spoil: Callable[[Any], None]) -> None:
    spoilt = copy.deepcopy(MANIFEST)
    spoil(spoilt)
    assert problems(spoilt)


def test_whoever_finds_the_app_reads_that_it_is_an_ai_whose_answers_can_be_wrong() -> None:
    shown, features = MANIFEST["display_information"], MANIFEST["features"]
    described = (shown["description"], shown["long_description"], features["agent_view"]["agent_description"])
    for text in described:
        assert re.search(r"\bAI\b", text), text
        assert "can be wrong" in text, text
