"""`parley connect` against the fake Slack: an app is made or brought up to date, and no token shown."""

from __future__ import annotations

import asyncio
import copy
import io
import json
import os
import pty
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from bot.cli.main import main
from bot.sandbox.slack.manifest_schema import find_problems
from bot.sandbox.slack.server import FakeSlack
from bot.sandbox.slack.state import APP
from handlers import routes
from tests.support.workspace import MANIFEST

TOKEN = FakeSlack.configuration_token
EVENTS = "https://parley.example/slack/events"


@pytest.fixture
async def slack(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FakeSlack]:
    async with FakeSlack(manifest=copy.deepcopy(MANIFEST), rate_limits=False) as slack:
        for name in ("SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SLACK_SIGNING_SECRET", "OPENAI_API_KEY"):
            monkeypatch.delenv(name, raising=False)
        monkeypatch.setenv("SLACK_API_URL", slack.api_url)
        monkeypatch.setenv("SLACK_CONFIG_TOKEN", TOKEN)
        yield slack


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Any:
    async def connect(*words: str) -> tuple[int, str]:
        status = await asyncio.to_thread(main, ["connect", *words])
        shown = capsys.readouterr()
        assert TOKEN not in shown.out + shown.err
        assert "Traceback" not in shown.err
        return status, shown.out + shown.err

    return connect


def methods(slack: FakeSlack) -> list[str]:
    return [one.method.removeprefix("apps.manifest.") for one in slack.requests]


async def test_an_app_is_made_and_what_is_left_is_said_in_order(slack: FakeSlack, run: Any) -> None:
    status, said = await run()
    assert status == 0
    assert methods(slack) == ["validate", "create"]
    (made,) = set(slack.manifests.apps) - {APP}
    assert slack.manifests.apps[made] == MANIFEST
    first, *steps = said.splitlines()
    assert first == f"made the app {made}"
    named = ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "OPENAI_API_KEY", "parley serve", "invite"]
    assert len(steps) == len(named)
    for number, (step, name) in enumerate(zip(steps, named, strict=True), 1):
        assert step.startswith(f"{number}. ") and name in step
    assert f"https://api.slack.com/apps/{made}/install-on-team" in steps[0]
    assert "connections:write" in steps[1]


async def test_http_mode_gives_the_app_its_request_urls(
    slack: FakeSlack, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_TRANSPORT", "http")
    monkeypatch.setenv("PARLEY_PUBLIC_URL", "https://parley.example/")
    status, said = await run()
    assert status == 0
    (made,) = set(slack.manifests.apps) - {APP}
    manifest = slack.manifests.apps[made]
    assert manifest["settings"]["socket_mode_enabled"] is False
    assert manifest["settings"]["event_subscriptions"]["request_url"] == EVENTS
    assert manifest["settings"]["interactivity"]["request_url"] == EVENTS
    assert {command["url"] for command in manifest["features"]["slash_commands"]} == {EVENTS}
    assert "SLACK_SIGNING_SECRET" in said and "SLACK_APP_TOKEN" not in said
    assert "sandbox-signing_secret" not in said, "a secret is not printed"
    assert said.index("parley serve") < said.index("Request URL"), "it answers only while it runs"


@pytest.mark.parametrize("url", ["", "http://parley.example"])
async def test_http_mode_needs_an_address_that_slack_takes(
    slack: FakeSlack, run: Any, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("PARLEY_TRANSPORT", "http")
    monkeypatch.setenv("PARLEY_PUBLIC_URL", url)
    status, said = await run()
    assert (status, methods(slack)) == (2, [])
    assert said.startswith(f"parley: PARLEY_PUBLIC_URL: '{url}' is no https:// address")


def outdated(slack: FakeSlack) -> dict[str, Any]:
    """The installed app as somebody once made it, and changed it since."""
    manifest = slack.manifests.apps[APP]
    manifest["oauth_config"]["scopes"]["bot"].remove("files:read")
    manifest["features"]["slash_commands"][0]["usage_hint"] = "help"
    manifest["features"]["shortcuts"].pop()
    manifest["display_information"]["name"] = "Polly"
    manifest["settings"]["org_deploy_enabled"] = True
    manifest["oauth_config"]["redirect_urls"] = ["https://polly.example/install"]
    return manifest


async def test_an_app_is_changed_only_after_it_was_shown_what_would(slack: FakeSlack, run: Any) -> None:
    before = copy.deepcopy(outdated(slack))
    status, said = await run("--app", APP)
    assert status == 1
    assert methods(slack) == ["export", "validate"]
    assert slack.manifests.apps[APP] == before
    changes = [line for line in said.splitlines() if line[:2] in ("+ ", "- ", "~ ")]
    assert changes == sorted(changes, key=lambda line: line[2:])
    assert "+ oauth_config.scopes.bot[files:read]: yes" in changes
    assert any(
        line.startswith("~ features.slash_commands[/parley].usage_hint: 'help' → ") for line in changes
    )
    assert {line.split("]")[0] for line in changes if "shortcuts" in line} == {"+ features.shortcuts[why"}
    assert not [line for line in changes if "Polly" in line or "org_deploy" in line or "polly" in line]

    status, said = await run("--app", APP, "--yes")
    assert status == 0
    assert methods(slack)[2:] == ["export", "validate", "update"]
    after = slack.manifests.apps[APP]
    assert set(after["oauth_config"]["scopes"]["bot"]) == set(routes.SCOPES)
    assert after["display_information"]["name"] == "Polly", "the operator's choice"
    assert after["settings"]["org_deploy_enabled"] is True
    assert after["oauth_config"]["redirect_urls"] == ["https://polly.example/install"]

    assert (await run("--app", APP))[1].startswith(f"the app {APP} is as it should be\n")
    assert methods(slack)[5:] == ["export"]


async def test_new_permissions_want_the_app_installed_again(
    slack: FakeSlack, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", slack.bot_token)
    monkeypatch.setenv("SLACK_APP_TOKEN", f"xapp-1-{APP}-1-secret")
    outdated(slack)
    _, said = await run("--yes")
    assert f"1. Install it again, for what it may do has changed: https://api.slack.com/apps/{APP}/" in said
    slack.manifests.apps[APP]["features"]["app_home"]["home_tab_enabled"] = False
    _, said = await run("--yes")
    assert "+" not in said and "~ features.app_home.home_tab_enabled: no → yes" in said
    assert "Install it again" not in said


async def test_the_app_is_found_by_the_token_of_its_bot(
    slack: FakeSlack, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SLACK_BOT_TOKEN", slack.bot_token)
    assert f"the app {APP} is as it should be" in (await run())[1]
    assert "made the app" in (await run("--new"))[1]
    monkeypatch.setenv("SLACK_BOT_TOKEN", "xoxb-wrong")
    status, said = await run()
    assert status == 2 and "--app" in said


async def test_socket_mode_and_http_follow_each_other(
    slack: FakeSlack, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PARLEY_TRANSPORT", "http")
    monkeypatch.setenv("PARLEY_PUBLIC_URL", "https://parley.example")
    _, said = await run("--app", APP, "--yes")
    assert f"+ settings.event_subscriptions.request_url: '{EVENTS}'" in said
    monkeypatch.setenv("PARLEY_TRANSPORT", "socket")
    _, said = await run("--app", APP, "--yes")
    assert f"- settings.event_subscriptions.request_url: '{EVENTS}'" in said
    assert "~ settings.socket_mode_enabled: no → yes" in said
    assert f"- features.slash_commands[/parley].url: '{EVENTS}'" in said


@pytest.mark.parametrize(
    ("token", "said"),
    [
        ("", "SLACK_CONFIG_TOKEN is not set, and there is no terminal"),
        ("xoxe-1-My0xLTEy", "that is the refresh token"),
        ("xoxb-1-2", "a configuration token begins with xoxe.xoxp-"),
        ("xoxe.xoxp-1-old", "Slack says invalid_auth of the configuration token; make another"),
    ],
)
async def test_a_wrong_token_is_told_without_being_repeated(
    slack: FakeSlack, run: Any, monkeypatch: pytest.MonkeyPatch, token: str, said: str
) -> None:
    monkeypatch.setenv("SLACK_CONFIG_TOKEN", token)
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    status, found = await run()
    assert status == 2 and said in found
    assert not token or token not in found
    assert set(slack.manifests.apps) == {APP}


async def test_slack_s_problems_with_a_manifest_are_told_with_their_places(
    slack: FakeSlack, run: Any
) -> None:
    outdated(slack)["settings"]["event_subscriptions"]["user_events"] = ["message.moon"]
    status, said = await run("--app", APP, "--yes")
    assert status == 2
    assert (
        "parley: manifest: /settings/event_subscriptions/user_events/0: Unknown value: message.moon" in said
    )
    assert "update" not in methods(slack)


async def test_an_app_that_is_not_there_is_told(slack: FakeSlack, run: Any) -> None:
    assert await run("--app", "A0NOBODY") == (
        2,
        "parley: Slack knows no such app in the workspace that the configuration token is of\n",
    )


@pytest.mark.parametrize("lost", [{"lose_response": True}, {"status": 500, "accepted": True}])
async def test_an_app_that_may_have_been_made_is_not_made_twice(
    slack: FakeSlack, run: Any, lost: dict[str, Any]
) -> None:
    slack.faults.add("apps.manifest.create", **lost)
    status, said = await run()
    assert status == 2
    assert "did not say whether it made the app" in said
    assert methods(slack).count("create") == 1


async def test_the_token_is_asked_for_without_being_shown(slack: FakeSlack, tmp_path: Path) -> None:
    ours, theirs = pty.openpty()
    environ = {"PATH": os.environ["PATH"], "SLACK_API_URL": slack.api_url, "PARLEY_ENV_FILE": ""}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", "connect"),
        env=environ | {"PYTHONPATH": os.getcwd()},
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    shown = ""
    while "): " not in shown:
        shown += await asyncio.to_thread(lambda: os.read(ours, 4096).decode())
    os.write(ours, f"{TOKEN}\n".encode())
    try:
        while part := await asyncio.to_thread(lambda: os.read(ours, 4096).decode()):
            shown += part
    except OSError:  # the other end is closed
        pass
    assert await process.wait() == 0
    os.close(ours)
    assert "made the app" in shown and TOKEN not in shown


# The fake Slack's own strictness


async def ask(slack: FakeSlack, token: str, method: str, given: dict[str, Any]) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    async with ClientSession() as http, http.post(slack.api_url + method, json=given, headers=headers) as got:
        return dict(await got.json())


PROMPT = {"title": "a", "message": "b"}
SHORTCUT = {"name": "x" * 25, "type": "message", "callback_id": "x", "description": "x"}


@pytest.mark.parametrize(
    ("path", "value", "where"),
    [
        ("display_information.name", "x" * 36, ""),
        ("display_information.long_description", "short", ""),
        ("display_information.colour", "red", ""),
        ("display_information", None, ""),
        ("features.agent_view.suggested_prompts", [PROMPT] * 5, ""),
        ("features.slash_commands", [{"command": "parley", "description": "x"}], "/0/command"),
        ("features.shortcuts", [SHORTCUT], "/0/name"),
        ("oauth_config.scopes.bot", ["chat:wirte"], "/0"),
        ("oauth_config.scopes.bot", ["chat:write", "chat:write"], ""),
        ("settings.event_subscriptions.bot_events", ["app_mentioned"], "/0"),
        ("settings.event_subscriptions.request_url", "http://parley.example", ""),
        ("settings.socket_mode_enabled", "yes", ""),
        ("settings.interactivity", {}, "/is_enabled"),
        ("settings.interactivity", [], ""),
    ],
)
def test_what_slack_refuses_in_a_manifest_is_refused_with_its_place(
    path: str, value: Any, where: str
) -> None:
    manifest = copy.deepcopy(MANIFEST)
    assert find_problems(manifest) == []
    *groups, name = path.split(".")
    at = manifest
    for group in groups:
        at = at[group]
    at[name] = value
    assert [one["pointer"] for one in find_problems(manifest)] == ["/" + path.replace(".", "/") + where]


def test_what_hangs_together_in_a_manifest_is_looked_at_too() -> None:
    manifest = copy.deepcopy(MANIFEST)
    manifest["settings"]["socket_mode_enabled"] = False
    manifest["features"]["assistant_view"] = {"assistant_description": "x"}
    assert [one["pointer"] for one in find_problems(manifest)] == [
        "/features/agent_view",
        "/settings/event_subscriptions",
        "/settings/interactivity",
        "/settings/interactivity",
        "/features/slash_commands/0",
    ]


@pytest.mark.parametrize("manifest", ["", "nonsense", "[]", "{}", None, {"display_information": {}}])
async def test_what_is_no_manifest_at_all_is_refused(slack: FakeSlack, manifest: Any) -> None:
    given = {} if manifest is None else {"manifest": manifest}
    answer = await ask(slack, TOKEN, "apps.manifest.validate", given)
    assert answer["ok"] is False
    assert answer["error"] in ("invalid_manifest", "invalid_arguments")


async def test_each_method_takes_its_own_kind_of_token(slack: FakeSlack) -> None:
    given = {"manifest": json.dumps(MANIFEST)}
    for token, code in ((slack.bot_token, "not_allowed_token_type"), ("", "not_authed")):
        answer = await ask(slack, token, "apps.manifest.create", given)
        assert answer["error"] == code
    answer = await ask(slack, TOKEN, "auth.test", {})
    assert answer["error"] == "not_allowed_token_type"
