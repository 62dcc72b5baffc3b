"""The fake's payloads have the fields that real ones have.

The lists hold field names only, noted from the payloads that Slack's Python framework tests itself with
(slackapi/bolt-python at a2f21ae4, MIT, tests/scenario_tests_async and tests/adapter_tests/socket_mode) and,
for what is newer, from the type definitions of slackapi/node-slack-sdk. `a.b` is b within a, or within each
of the list a. What only an Enterprise Grid sends (enterprise_id of a team) is left out: the fake is none.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack.api.views import new_trigger
from bot.sandbox.slack.server import FakeSlack

ENVELOPE = (
    "token team_id api_app_id event type event_id event_time authorizations is_ext_shared_channel "
    "event_context"
)
AUTHORIZATION = "enterprise_id team_id user_id is_bot is_enterprise_install"
BLOCKS = (
    "blocks.type blocks.block_id blocks.elements.type blocks.elements.elements.type "
    "blocks.elements.elements.text"
)
MESSAGE = f"client_msg_id type text user ts team channel event_ts channel_type {BLOCKS}"
SHAPES = {
    "message": MESSAGE,
    "reply": f"{MESSAGE} thread_ts parent_user_id",
    "app_mention": f"client_msg_id type text user ts team channel event_ts {BLOCKS}",
    "guest": f"{MESSAGE} user_team source_team user_profile",
    "file_share": (
        "type text files upload user display_as_bot ts client_msg_id channel subtype event_ts channel_type"
    ),
    "message_changed": (
        "type subtype channel hidden ts event_ts channel_type message.type message.text message.user "
        "message.team message.edited.user message.edited.ts message.blocks.elements.elements.text message.ts "
        "previous_message.type previous_message.text previous_message.user previous_message.ts "
        "previous_message.team"
    ),
    "message_deleted": (
        "type subtype channel hidden deleted_ts event_ts ts channel_type previous_message.type "
        "previous_message.text previous_message.user previous_message.ts previous_message.team"
    ),
    "reaction_added": "type user item.type item.channel item.ts reaction item_user event_ts",
    "app_home_opened": "type user channel tab event_ts",
    "app_context_changed": "type user channel context event_ts",
    "agent_session_stopped": "type user channel thread_ts streaming_message_ts event_ts",
    "member_joined_channel": "type user channel channel_type team event_ts",
    "tokens_revoked": "type tokens.oauth tokens.bot",
    "app_uninstalled": "type",
}
FILE = (
    "id created timestamp name title mimetype filetype pretty_type user editable size mode is_external "
    "external_type is_public public_url_shared display_as_bot username url_private url_private_download "
    "media_display_type permalink permalink_public has_rich_preview"
)
CLIP = f"{FILE} subtype duration_ms transcription file_access"
COMMAND = (
    "token team_id team_domain channel_id channel_name user_id user_name command text api_app_id "
    "response_url trigger_id"
)
PLACE = "user.id user.username user.name user.team_id team.id team.domain"
BLOCK_ACTIONS = (
    f"type api_app_id token container trigger_id response_url actions {PLACE} channel.id channel.name"
)
ACTION = "action_id block_id text.type text.text value type action_ts"
CONTAINER = "type message_ts channel_id is_ephemeral"
VIEW_SUBMISSION = f"type api_app_id token trigger_id view response_urls {PLACE}"
VIEW = (
    "id team_id type private_metadata callback_id state.values hash title.type title.text clear_on_close "
    "notify_on_close close submit.type submit.text previous_view_id root_view_id app_id external_id "
    "app_installed_team_id bot_id blocks.type blocks.block_id blocks.label.text blocks.element.type "
    "blocks.element.action_id"
)
VIEW_CLOSED = f"type api_app_id token view.id view.callback_id {PLACE}"
MESSAGE_ACTION = (
    "type token action_ts callback_id trigger_id message_ts response_url message.type message.text "
    "message.user message.ts user.id user.name team.id team.domain channel.id channel.name"
)
SHORTCUT = (
    "type token action_ts callback_id trigger_id is_enterprise_install enterprise user.id user.username "
    "user.team_id team.id team.domain"
)


def has(payload: dict[str, Any], names: str) -> None:
    missing = set(names.split()) - fields(payload)
    assert not missing, missing


def fields(value: Any, within: str = "") -> set[str]:
    """The paths of all fields, those in lists without a number."""
    if isinstance(value, list):
        return set().union(*(fields(each, within) for each in value))
    if not isinstance(value, dict):
        return set()
    found = {f"{within}{name}" for name in value}
    return found.union(*(fields(each, f"{within}{name}.") for name, each in value.items()))


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack(rate_limits=False, retry_delays_s=(), ack_deadline_s=0.2) as fake:
        yield fake


@pytest.fixture
def client(slack: FakeSlack) -> AsyncWebClient:
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)


def last(slack: FakeSlack, kind: str, subtype: str | None = None) -> dict[str, Any]:
    """The newest event of a kind."""
    for delivery in reversed(slack.deliveries):
        event = delivery.payload.get("event", {})
        if event.get("type") == kind and event.get("subtype") == subtype:
            return dict(event)
    raise AssertionError(kind)


async def test_every_event_has_the_fields_of_a_real_one(slack: FakeSlack, client: AsyncWebClient) -> None:
    ts = await slack.say("alice", "#general", "@parley hi")
    has(last(slack, "message"), SHAPES["message"])
    has(last(slack, "app_mention"), SHAPES["app_mention"])
    has(slack.deliveries[0].payload, ENVELOPE)
    has(slack.deliveries[0].payload["authorizations"][0], AUTHORIZATION)
    await slack.say("bob", "#general", "reply", thread_ts=ts)
    has(last(slack, "message"), SHAPES["reply"])
    await slack.edit("alice", "#general", ts, "changed")
    has(last(slack, "message", "message_changed"), SHAPES["message_changed"])
    own = await slack.say("alice", "#general", "oops")
    await slack.delete("alice", "#general", own)
    has(last(slack, "message", "message_deleted"), SHAPES["message_deleted"])
    await slack.react("bob", "#general", ts, "eyes")
    has(last(slack, "reaction_added"), SHAPES["reaction_added"])
    await slack.open_home("bob", "messages")
    has(last(slack, "app_home_opened"), SHAPES["app_home_opened"])
    await slack.look_at("bob", ["#support"])
    has(last(slack, "app_context_changed"), SHAPES["app_context_changed"])
    await slack.join("carol", "#leads")
    has(last(slack, "member_joined_channel"), SHAPES["member_joined_channel"])
    await client.agents_sessions_setStatus(channel_id="C0GENERAL1", thread_ts=ts, status="processing")
    await slack.stop("alice", "#general", ts)
    has(last(slack, "agent_session_stopped"), SHAPES["agent_session_stopped"])
    slack.uninstall()
    has(last(slack, "tokens_revoked"), SHAPES["tokens_revoked"])
    has(last(slack, "app_uninstalled"), SHAPES["app_uninstalled"])


async def test_a_guests_message_shows_where_it_comes_from(slack: FakeSlack) -> None:
    await slack.say("dana", "#partners", "@parley hi")
    event = last(slack, "message")
    has(event, SHAPES["guest"])
    assert event["user_team"] == event["source_team"] == "T0PARTNER1"
    assert slack.deliveries[-1].payload["is_ext_shared_channel"]
    assert slack.deliveries[-1].payload["team_id"] == slack.team
    await slack.say("alice", "#general", "hi")
    assert not slack.deliveries[-1].payload["is_ext_shared_channel"]


async def test_a_voice_clip_is_a_file_share_without_text(slack: FakeSlack) -> None:
    await slack.upload("alice", "@parley", "audio_message.webm", b"x", voice=True, duration_s=1.5)
    event = last(slack, "message", "file_share")
    has(event, SHAPES["file_share"])
    has(event["files"][0], CLIP)
    assert event["text"] == ""
    assert (event["files"][0]["subtype"], event["files"][0]["duration_ms"]) == ("slack_audio", 1500)


async def test_direct_messages_carry_what_the_person_looks_at(slack: FakeSlack) -> None:
    await slack.look_at("alice", ["#finance", "#general"])
    await slack.say("alice", "@parley", "what is this about?")
    entities = last(slack, "message")["app_context"]["entities"]
    assert entities[0] == {
        "type": "slack#/types/channel_id",
        "value": "C0FINANCE1",
        "team_id": slack.team,
    }


async def test_what_the_app_writes_comes_back_to_it_as_its_own(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    await client.chat_postMessage(channel="C0GENERAL1", text="me")
    event = last(slack, "message")
    has(event, "bot_id app_id bot_profile user team ts channel channel_type event_ts")
    assert event["user"] == slack.bot


async def test_another_apps_bot_writes_as_a_bot(slack: FakeSlack, client: AsyncWebClient) -> None:
    await slack.say("zapbot", "#general", "@parley build failed")
    event = last(slack, "app_mention")
    assert (event["user"], event["bot_id"], event["app_id"]) == ("U0ZAPBOT01", "B0ZAPBOT01", "A0ZAPBOT01")
    assert (await client.bots_info(bot=event["bot_id"]))["bot"]["name"] == "zapbot"


async def test_a_mention_added_by_an_edit_is_told_once(slack: FakeSlack) -> None:
    ts = await slack.say("alice", "#general", "hi")
    for text, mentions in (("@parley hi", 1), ("@parley hi!", 1), ("hi", 1)):
        await slack.edit("alice", "#general", ts, text)
        events = [d.payload["event"]["type"] for d in slack.deliveries]
        assert events.count("app_mention") == mentions
    assert "edited" in last(slack, "app_mention")


async def test_text_becomes_rich_text(slack: FakeSlack) -> None:
    await slack.say("alice", "#general", "@bob see #support, https://a.b/?x=1&y=2 & <b> @here")
    event = last(slack, "message")
    assert event["text"] == (
        "<@U0BOB00001> see <#C0SUPPORT1|support>, <https://a.b/?x=1&amp;y=2> &amp; &lt;b&gt; <!here>"
    )
    kinds = [e["type"] for e in event["blocks"][0]["elements"][0]["elements"]]
    assert kinds == ["user", "text", "channel", "text", "link", "text", "broadcast"]


# -- interactions


async def pushed(slack: FakeSlack, act: Any) -> dict[str, Any]:
    """The payload of an act that nobody acknowledges."""
    return dict((await act).payload)


async def test_a_command_has_the_fields_of_a_real_one(slack: FakeSlack) -> None:
    payload = await pushed(slack, slack.command("alice", "#general", "/parley", "help"))
    has(payload, COMMAND)
    assert payload["channel_name"] == "general"
    payload = await pushed(slack, slack.command("alice", "@parley", "/parley"))
    assert payload["channel_name"] == "directmessage"


BUTTON = {"type": "button", "action_id": "go", "text": {"type": "plain_text", "text": "Go"}, "value": "7"}


async def test_a_button_in_a_message_has_the_fields_of_a_real_one(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    blocks = [{"type": "actions", "elements": [BUTTON]}]
    ts = (await client.chat_postMessage(channel="C0GENERAL1", text="x", blocks=blocks))["ts"]
    payload = await pushed(slack, slack.press("alice", "#general", ts, "go"))
    has(payload, BLOCK_ACTIONS)
    has(payload["actions"][0], ACTION)
    has(payload["container"], CONTAINER)
    assert payload["message"]["ts"] == ts
    shown = await client.chat_postEphemeral(channel="C0GENERAL1", user="U0ALICE001", text="x", blocks=blocks)
    payload = await pushed(slack, slack.press("alice", "#general", shown["message_ts"], "go"))
    assert payload["container"]["is_ephemeral"]
    assert "message" not in payload
    with pytest.raises(ValueError, match="sees no message"):
        await slack.press("bob", "#general", shown["message_ts"], "go")


async def test_feedback_and_hidden_buttons(slack: FakeSlack, client: AsyncWebClient) -> None:
    def side(text: str) -> dict[str, Any]:
        return {"text": {"type": "plain_text", "text": text}, "value": text.lower()}

    feedback = {
        "type": "feedback_buttons",
        "action_id": "vote",
        "positive_button": side("Good"),
        "negative_button": side("Bad"),
    }
    hidden = BUTTON | {"visible_to_user_ids": ["U0BOB00001"]}
    blocks = [
        {"type": "context_actions", "elements": [feedback]},
        {"type": "actions", "elements": [hidden]},
    ]
    ts = (await client.chat_postMessage(channel="C0GENERAL1", text="x", blocks=blocks))["ts"]
    for value, expected in (("bad", "bad"), (None, "good")):
        payload = await pushed(slack, slack.press("alice", "#general", ts, "vote", value=value))
        assert payload["actions"][0]["value"] == expected
    with pytest.raises(ValueError, match="only others"):
        await slack.press("alice", "#general", ts, "go")


async def test_a_message_shortcut_carries_the_message(slack: FakeSlack) -> None:
    ts = await slack.say("bob", "#general", "look")
    payload = await pushed(slack, slack.shortcut("alice", "ask_message", channel="#general", ts=ts))
    has(payload, MESSAGE_ACTION)
    assert payload["message"]["text"] == "look"
    has(await pushed(slack, slack.shortcut("alice", "anything")), SHORTCUT)


def field(action_id: str, **more: Any) -> dict[str, Any]:
    label = {"type": "plain_text", "text": action_id}
    return {"type": "input", "label": label, "element": {"action_id": action_id, **more}}


async def opened(slack: FakeSlack, client: AsyncWebClient, **more: Any) -> None:
    option = {"text": {"type": "plain_text", "text": "A"}, "value": "a"}
    view = {
        "type": "modal",
        "callback_id": "form",
        "title": {"type": "plain_text", "text": "T"},
        "submit": {"type": "plain_text", "text": "Go"},
        "blocks": [
            field("name", type="plain_text_input"),
            field("pick", type="static_select", options=[option], initial_option=option),
            field("where", type="channels_select") | {"optional": True},
        ],
        **more,
    }
    await client.views_open(trigger_id=new_trigger(slack.workspace, "U0ALICE001"), view=view)


async def test_a_submitted_modal_has_the_fields_of_a_real_one(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    await opened(slack, client)
    with pytest.raises(ValueError, match="name needs an answer"):
        await slack.submit("alice")
    with pytest.raises(ValueError, match="does not ask for size"):
        await slack.submit("alice", {"name": "x", "size": "y"})
    payload = await pushed(slack, slack.submit("alice", {"name": "x"}))
    has(payload, VIEW_SUBMISSION)
    has(payload["view"], VIEW)
    answers = {k: v for block in payload["view"]["state"]["values"].values() for k, v in block.items()}
    assert answers["name"] == {"type": "plain_text_input", "value": "x"}
    assert answers["pick"]["selected_option"]["value"] == "a"
    assert answers["where"]["selected_channel"] is None


async def test_a_closed_modal_tells_an_app_that_wants_to_know(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    await opened(slack, client, notify_on_close=True)
    await slack.close_modal("alice")
    closed = slack.deliveries[-1].payload
    assert closed["type"] == "view_closed"
    has(closed, VIEW_CLOSED)


async def test_a_modal_follows_the_response_action(slack: FakeSlack, client: AsyncWebClient) -> None:
    url = str((await client.apps_connections_open(app_token=slack.app_token))["url"])
    async with aiohttp.ClientSession() as session, session.ws_connect(url) as ws:
        await ws.receive_json()

        async def submitted(answer: dict[str, Any]) -> list[dict[str, Any]]:
            pending = asyncio.create_task(slack.submit("alice", {"name": "x"}))
            envelope = await ws.receive_json(timeout=2)
            await ws.send_json({"envelope_id": envelope["envelope_id"], "payload": answer})
            assert (await pending).acked
            return slack.modals("alice")

        await opened(slack, client)
        views = await submitted({"response_action": "errors", "errors": {"v0": "no"}})
        assert views[0]["errors"] == {"v0": "no"}
        done = {"type": "modal", "title": {"type": "plain_text", "text": "Done"}, "blocks": []}
        views = await submitted({"response_action": "push", "view": done})
        assert [v["title"]["text"] for v in views] == ["T", "Done"]
        await slack.close_modal("alice")
        assert await submitted({}) == []


# -- response_url


async def test_a_response_url_works_five_times_within_thirty_minutes() -> None:
    now = 1_795_000_000.0

    async with FakeSlack(clock=lambda: now, retry_delays_s=(), ack_deadline_s=0.05) as slack:
        delivery = await slack.command("alice", "#general", "/parley")
        url = delivery.payload["response_url"]
        async with aiohttp.ClientSession() as session:
            for n in range(6):
                async with session.post(url, json={"text": f"{n}"}) as answer:
                    assert answer.status == (200 if n < 5 else 404)
            assert (await slack.until(lambda: slack.ephemerals("alice")))[-1]["text"] == "4"
            url = (await slack.command("alice", "#general", "/parley")).payload["response_url"]
            now += 1801
            async with session.post(url, json={"text": "late"}) as answer:
                assert (await answer.json())["error"] == "expired_url"
