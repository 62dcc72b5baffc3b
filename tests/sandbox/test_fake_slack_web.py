"""The fake Slack's Web API is as strict as Slack, however slack-sdk sends a request."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.slack import limits
from bot.sandbox.slack.api.server import HANDLERS
from bot.sandbox.slack.server import FakeSlack


class Clock:
    def __init__(self) -> None:
        self.now = 1_795_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def slack(clock: Clock) -> AsyncIterator[FakeSlack]:
    async with FakeSlack(clock=clock, rate_limits=False, retry_delays_s=()) as fake:
        yield fake


@pytest.fixture
def client(slack: FakeSlack) -> AsyncWebClient:
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])


async def refused(call: Any) -> dict[str, Any]:
    """Slack's answer to a call that it refuses."""
    with pytest.raises(SlackApiError) as caught:
        await call
    return dict(caught.value.response.data)


async def raw(slack: FakeSlack, method: str, token: str | None = None, **kw: Any) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {token or slack.bot_token}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(slack.api_url + method, **kw) as answer,
    ):
        return dict(await answer.json())


# -- tokens and arguments


def test_every_method_has_arguments_and_a_handler() -> None:
    of_bots = {name for name, method in limits.METHODS.items() if method.token == limits.BOT_TOKEN}
    assert HANDLERS.keys() == of_bots


async def test_unknown_methods_are_refused_and_recorded(slack: FakeSlack) -> None:
    assert (await raw(slack, "chat.postMesage"))["error"] == "unknown_method"
    assert slack.requests[-1].method == "chat.postMesage"


async def test_unknown_arguments_are_refused_by_name(client: AsyncWebClient, slack: FakeSlack) -> None:
    answer = await refused(client.chat_postMessage(channel="C0GENERAL1", text="hi", treadts="1"))
    assert answer["error"] == "invalid_arguments"
    assert "treadts" in answer["response_metadata"]["messages"][0]
    assert slack.requests[-1].arguments["treadts"] == "1"


async def test_missing_arguments_are_refused_by_name(slack: FakeSlack) -> None:
    answer = await raw(slack, "chat.update", json={"channel": "C0GENERAL1", "text": "x"})
    assert answer["response_metadata"]["messages"] == ["[ERROR] missing required field: ts"]


async def test_arguments_are_read_from_query_form_and_json(slack: FakeSlack) -> None:
    given = {"channel": "C0GENERAL1", "text": "one"}
    assert (await raw(slack, "chat.postMessage", params=given))["ok"]
    assert (await raw(slack, "chat.postMessage", data=given))["ok"]
    assert (await raw(slack, "chat.postMessage", json=given))["ok"]
    blocks = '[{"type": "divider"}]'
    answer = await raw(slack, "chat.postMessage", params=given | {"blocks": blocks})
    assert answer["message"]["blocks"][0]["type"] == "divider"


@pytest.mark.parametrize(
    ("token", "error"),
    [("xoxb-other", "invalid_auth"), ("xapp-1-sandbox", "not_allowed_token_type")],
)
async def test_wrong_tokens_are_refused(slack: FakeSlack, token: str, error: str) -> None:
    assert (await raw(slack, "auth.test", token))["error"] == error


async def test_sockets_open_with_the_app_token_only(slack: FakeSlack) -> None:
    assert (await raw(slack, "apps.connections.open"))["error"] == "not_allowed_token_type"
    assert (await raw(slack, "apps.connections.open", slack.app_token))["url"].startswith("ws://")


async def test_a_revoked_token_says_so(slack: FakeSlack) -> None:
    slack.uninstall()
    assert (await raw(slack, "auth.test"))["error"] == "token_revoked"


async def test_a_missing_scope_is_named() -> None:
    manifest: dict[str, Any] = {**limits.MANIFEST, "oauth_config": {"scopes": {"bot": ["chat:write"]}}}
    async with FakeSlack(manifest=manifest) as slack:
        answer = await raw(slack, "conversations.history", json={"channel": "D0ALICE001"})
        assert (answer["error"], answer["needed"]) == ("missing_scope", "im:history")
        answer = await raw(slack, "users.info", json={"user": "U0ALICE001"})
        assert (answer["error"], answer["provided"]) == ("missing_scope", "chat:write")


async def test_two_teams_do_not_see_each_other() -> None:
    async with FakeSlack(teams=2, rate_limits=False) as slack:
        second = slack.workspaces[1]
        answer = await raw(slack, "auth.test", second.bot_token)
        assert answer["team_id"] == second.team
        answer = await raw(slack, "conversations.info", second.bot_token, json={"channel": "C0GENERAL1"})
        assert answer["error"] == "channel_not_found"


# -- how often


async def test_rate_limits_hold_per_method_and_say_when_to_come_back(clock: Clock) -> None:
    async with FakeSlack(clock=clock) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        for _ in range(limits.TIER_2):
            await client.users_list()
        with pytest.raises(SlackApiError) as caught:
            await client.users_list()
        assert caught.value.response.status_code == 429
        assert caught.value.response["error"] == "ratelimited"
        assert caught.value.response.headers["Retry-After"] == "60"
        await client.users_info(user="U0ALICE001")
        clock.now += 60
        await client.users_list()


async def test_one_message_a_second_and_channel(clock: Clock) -> None:
    async with FakeSlack(clock=clock) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        await client.chat_postMessage(channel="C0GENERAL1", text="one")
        assert (await refused(client.chat_postMessage(channel="C0GENERAL1", text="two")))[
            "error"
        ] == "ratelimited"
        await client.chat_postMessage(channel="C0SUPPORT1", text="elsewhere")
        clock.now += 1
        await client.chat_postMessage(channel="C0GENERAL1", text="two")


async def test_statuses_are_limited_as_posts_are(clock: Clock) -> None:
    async with FakeSlack(clock=clock) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        ts = await slack.say("alice", "#general", "hello")
        at = {"channel_id": "C0GENERAL1", "thread_ts": ts}
        await client.assistant_threads_setStatus(**at, status="thinks")
        assert (await refused(client.assistant_threads_setStatus(**at, status="")))["error"] == "ratelimited"
        clock.now += 1
        await client.assistant_threads_setStatus(**at, status="")


async def test_a_workspace_takes_several_hundred_posts_a_minute_whatever_the_channel(clock: Clock) -> None:
    async with FakeSlack(clock=clock, rate_figures={"chat.postMessage": 3}) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        for channel in ("C0GENERAL1", "C0SUPPORT1", "C0FINANCE1"):
            await client.chat_postMessage(channel=channel, text="one")
        clock.now += 1
        with pytest.raises(SlackApiError) as caught:
            await client.chat_postMessage(channel="C0GENERAL1", text="two")
        assert caught.value.response.headers["Retry-After"] == "59"


async def test_what_was_refused_is_counted_by_method(clock: Clock) -> None:
    async with FakeSlack(clock=clock, rate_figures={"users.list": 1}) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        await client.users_list()
        for _ in range(2):
            await refused(client.users_list())
        await client.users_info(user="U0ALICE001")
        assert slack.refused == {"users.list": 2}
        assert slack.counts["users.list"] == 3


def test_every_method_of_this_fake_has_a_limit() -> None:
    assert not [name for name, method in limits.METHODS.items() if not method.per_minute]
    assert set(limits.ONE_A_SECOND_AND_CHANNEL) <= set(limits.METHODS)


async def test_what_was_just_posted_cannot_be_read_back_yet_but_changed(clock: Clock) -> None:
    async with FakeSlack(clock=clock, rate_limits=False) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        root = await slack.say("alice", "#general", "hello")
        clock.now += 10
        slack.history_lag_s = 3.0
        at: dict[str, Any] = {"channel": "C0GENERAL1", "ts": root}
        ts = (await client.chat_postMessage(channel="C0GENERAL1", thread_ts=root, text="one"))["ts"]
        assert len((await client.conversations_replies(**at))["messages"]) == 1
        await client.chat_update(channel="C0GENERAL1", ts=ts, text="two")
        new = await slack.say("alice", "#general", "again")
        shown = (await client.conversations_history(channel="C0GENERAL1"))["messages"]
        assert [m["ts"] for m in shown] == [root]
        answer = await refused(client.conversations_replies(channel="C0GENERAL1", ts=new))
        assert answer["error"] == "thread_not_found"
        clock.now += 4
        assert [m["text"] for m in (await client.conversations_replies(**at))["messages"]] == ["hello", "two"]
        assert len((await client.conversations_history(channel="C0GENERAL1"))["messages"]) == 2


async def test_a_session_is_at_work_until_the_app_says_otherwise(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    threads = [await slack.say("alice", "#general", f"{n}") for n in range(3)]
    for ts in threads:
        await client.agents_sessions_setStatus(channel_id="C0GENERAL1", thread_ts=ts, status="processing")
        await client.chat_postMessage(channel="C0GENERAL1", thread_ts=ts, text="an answer")
    assert slack.processing == [("C0GENERAL1", ts) for ts in threads]
    await client.agents_sessions_setStatus(channel_id="C0GENERAL1", thread_ts=threads[0], status="active")
    stream = await client.chat_startStream(
        channel="C0GENERAL1", thread_ts=threads[1], recipient_team_id=slack.team,
        recipient_user_id="U0ALICE001", markdown_text="x",
    )  # fmt: skip
    await client.chat_stopStream(channel="C0GENERAL1", ts=stream["ts"], session_status="active")
    assert slack.processing == [("C0GENERAL1", threads[2])]


async def test_distributed_apps_read_fifteen_messages_a_minute() -> None:
    async with FakeSlack(distributed=True) as slack:
        for n in range(20):
            await slack.say("alice", "#general", f"{n}")
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        answer = await client.conversations_history(channel="C0GENERAL1", limit=100)
        assert len(answer["messages"]) == limits.DISTRIBUTED_PAGE
        assert (await refused(client.conversations_history(channel="C0GENERAL1")))["error"] == "ratelimited"


# -- messages


@pytest.mark.parametrize(
    ("given", "error"),
    [
        ({"text": "a", "markdown_text": "b"}, "markdown_text_conflict"),
        ({"markdown_text": "x" * 12_001}, "msg_too_long"),
        ({"text": ""}, "no_text"),
        ({"blocks": [{"type": "divider"}] * 51}, "invalid_blocks"),
        ({"blocks": [{"type": "sektion"}]}, "invalid_blocks"),
        ({"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3001}}]}, "invalid_blocks"),
        ({"blocks": [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}]}, "invalid_blocks"),
        ({"blocks": [{"type": "markdown", "text": "x" * 6_001}] * 2}, "msg_blocks_too_long"),
        ({"blocks": "[{"}, "invalid_blocks_format"),
        ({"text": "a", "metadata": {"event_type": "turn"}}, "invalid_metadata_schema"),
        (
            {"text": "a", "metadata": {"event_type": "t", "event_payload": {"x": "y" * 9000}}},
            "metadata_too_large",
        ),
        ({"text": "a", "thread_ts": "1.000000"}, "thread_not_found"),
        ({"text": "a", "channel": "C0NOWHERE"}, "channel_not_found"),
    ],
)
async def test_messages_slack_would_refuse(client: AsyncWebClient, given: dict[str, Any], error: str) -> None:
    given = {"channel": "C0GENERAL1", **given}
    assert (await refused(client.api_call("chat.postMessage", json=given)))["error"] == error


async def test_the_app_writes_only_where_it_is(slack: FakeSlack, client: AsyncWebClient) -> None:
    await slack.join("parley", "#general", leave=True)
    assert (await refused(client.chat_postMessage(channel="C0GENERAL1", text="x")))[
        "error"
    ] == "not_in_channel"
    await slack.archive("alice", "#support")
    assert (await refused(client.chat_postMessage(channel="C0SUPPORT1", text="x")))["error"] == "is_archived"


async def test_long_text_is_cut_with_a_warning(client: AsyncWebClient) -> None:
    answer = await client.chat_postMessage(channel="C0GENERAL1", text="x" * 40_001)
    assert len(answer["message"]["text"]) == limits.POST_TEXT_CHARS
    assert answer["warning"] == "message_truncated"


async def test_an_update_counts_bytes_after_escaping(client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel="C0GENERAL1", text="x"))["ts"]
    await client.chat_update(channel="C0GENERAL1", ts=ts, text="x" * 4000)
    for text in ("x" * 4001, "ä" * 2001, "<" * 1001):
        answer = await refused(client.chat_update(channel="C0GENERAL1", ts=ts, text=text))
        assert answer["error"] == "msg_too_long"


async def test_an_update_with_text_alone_drops_the_blocks(slack: FakeSlack, client: AsyncWebClient) -> None:
    metadata = {"event_type": "turn", "event_payload": {}}
    answer = await client.chat_postMessage(
        channel="C0GENERAL1", text="x", blocks=[{"type": "divider"}], metadata=metadata
    )
    at: dict[str, Any] = {"channel": "C0GENERAL1", "ts": answer["ts"]}
    await client.chat_update(**at, markdown_text="*z*")
    message = slack.thread("#general", at["ts"])[0]
    assert message["blocks"] == [{"type": "markdown", "text": "*z*"}]
    await client.chat_update(**at, blocks=[{"type": "divider"}], text="y")
    assert message["blocks"][0]["type"] == "divider"
    await client.chat_update(**at, text="plain")
    assert "blocks" not in message
    assert message["edited"]["user"] == slack.bot
    assert message["metadata"] == metadata


async def test_the_app_changes_only_its_own_messages(slack: FakeSlack, client: AsyncWebClient) -> None:
    ts = await slack.say("alice", "#general", "mine")
    update = client.chat_update(channel="C0GENERAL1", ts=ts, text="x")
    assert (await refused(update))["error"] == "cant_update_message"
    delete = client.chat_delete(channel="C0GENERAL1", ts=ts)
    assert (await refused(delete))["error"] == "cant_delete_message"


async def test_text_is_kept_escaped(slack: FakeSlack, client: AsyncWebClient) -> None:
    ts = (await client.chat_postMessage(channel="C0GENERAL1", text="a & b <c> &lt;d <@U0BOB00001>"))["ts"]
    assert slack.thread("#general", ts)[0]["text"] == "a &amp; b &lt;c&gt; &lt;d <@U0BOB00001>"


async def test_a_deleted_root_with_replies_leaves_a_tombstone(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    root = await slack.say("alice", "#general", "root")
    await client.chat_postMessage(channel="C0GENERAL1", text="reply", thread_ts=root)
    await slack.delete("alice", "#general", root)
    thread = slack.thread("#general", root)
    assert [m.get("subtype") for m in thread] == ["tombstone", None]
    await client.chat_postMessage(channel="C0GENERAL1", text="still possible", thread_ts=root)


async def test_ephemeral_messages_are_for_one_person(slack: FakeSlack, client: AsyncWebClient) -> None:
    await client.chat_postEphemeral(channel="C0GENERAL1", user="U0BOB00001", text="psst")
    assert [m["text"] for m in slack.ephemerals("bob")] == ["psst"]
    assert slack.ephemerals("alice") == []
    assert (await client.conversations_history(channel="C0GENERAL1"))["messages"] == []
    call = client.chat_postEphemeral(channel="C0FINANCE1", user="U0BOB00001", text="psst")
    assert (await refused(call))["error"] == "user_not_in_channel"


async def test_a_message_to_a_persons_id_arrives_in_their_dm(client: AsyncWebClient) -> None:
    answer = await client.chat_postMessage(channel="U0BOB00001", text="hi")
    assert answer["channel"] == "D0BOB00001"


# -- reading


async def test_replies_come_in_pages_with_the_root_first(slack: FakeSlack, client: AsyncWebClient) -> None:
    root = await slack.say("alice", "#general", "root")
    for n in range(5):
        await slack.say("bob", "#general", f"reply {n}", thread_ts=root)
    seen: list[str] = []
    async for page in await client.conversations_replies(channel="C0GENERAL1", ts=root, limit=4):
        seen += [m["text"] for m in page["messages"]]
    assert seen == ["root", *(f"reply {n}" for n in range(5))]
    first = (await client.conversations_replies(channel="C0GENERAL1", ts=root))["messages"][0]
    assert (first["reply_count"], first["reply_users"]) == (5, ["U0BOB00001"])


async def test_metadata_is_shown_on_request_only(slack: FakeSlack, client: AsyncWebClient) -> None:
    metadata = {"event_type": "turn", "event_payload": {"id": "7"}}
    root = await slack.say("alice", "#general", "root")
    await client.chat_postMessage(channel="C0GENERAL1", text="x", thread_ts=root, metadata=metadata)
    plain = await client.conversations_replies(channel="C0GENERAL1", ts=root)
    full = await client.conversations_replies(channel="C0GENERAL1", ts=root, include_all_metadata=True)
    assert "metadata" not in plain["messages"][1]
    assert full["messages"][1]["metadata"] == metadata


async def test_history_has_roots_only_newest_first(slack: FakeSlack, client: AsyncWebClient) -> None:
    first = await slack.say("alice", "#general", "first")
    await slack.say("alice", "#general", "reply", thread_ts=first)
    second = await slack.say("alice", "#general", "second")
    messages = (await client.conversations_history(channel="C0GENERAL1"))["messages"]
    assert [m["ts"] for m in messages] == [second, first]
    newer = (await client.conversations_history(channel="C0GENERAL1", oldest=first))["messages"]
    assert [m["ts"] for m in newer] == [second]


async def test_the_guest_belongs_to_another_company(slack: FakeSlack, client: AsyncWebClient) -> None:
    guest = (await client.users_info(user="U0DANA0001"))["user"]
    assert guest["team_id"] == "T0PARTNER1"
    assert "is_stranger" not in guest, "the app shares a channel with her"
    del slack.workspace.channels["C0SHARED01"].members["U0DANA0001"]
    assert (await client.users_info(user="U0DANA0001"))["user"]["is_stranger"]
    shared = (await client.conversations_info(channel="C0SHARED01"))["channel"]
    assert shared["is_ext_shared"]
    assert shared["connected_team_ids"] == ["T0PARTNER1"]


async def test_lists_hide_what_the_app_is_not_in(slack: FakeSlack, client: AsyncWebClient) -> None:
    await slack.join("parley", "#leads", leave=True)
    both = await client.conversations_list(types="public_channel,private_channel")
    assert "leads" not in [c["name"] for c in both["channels"]]
    info = client.conversations_info(channel="C0LEADS001")
    assert (await refused(info))["error"] == "channel_not_found"
    members = await client.conversations_members(channel="C0FINANCE1")
    assert members["members"] == ["U0ALICE001", "U0CAROL001", slack.bot]
    mine = await client.users_conversations(user="U0CAROL001")
    assert [c["name"] for c in mine["channels"]] == ["general", "support", "finance"]


async def test_reactions_count_once_per_person(slack: FakeSlack, client: AsyncWebClient) -> None:
    ts = await slack.say("alice", "#general", "hi")
    await client.reactions_add(channel="C0GENERAL1", timestamp=ts, name="eyes")
    again = client.reactions_add(channel="C0GENERAL1", timestamp=ts, name="eyes")
    assert (await refused(again))["error"] == "already_reacted"
    await client.reactions_remove(channel="C0GENERAL1", timestamp=ts, name="eyes")
    assert slack.thread("#general", ts)[0]["reactions"] == []


# -- files


async def test_files_go_up_in_three_steps_and_come_down_with_the_token(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    await client.files_upload_v2(channel="C0GENERAL1", content="a,b\n1,2\n", filename="t.csv", title="T")
    message = next(iter(slack.workspace.channels["C0GENERAL1"].messages.values()))
    file = message["files"][0]
    assert (file["title"], file["size"], file["filetype"]) == ("T", 8, "csv")
    async with aiohttp.ClientSession() as session:
        headers = {"Authorization": f"Bearer {slack.bot_token}"}
        async with session.get(file["url_private_download"], headers=headers) as answer:
            assert await answer.read() == b"a,b\n1,2\n"
        async with session.get(file["url_private_download"]) as answer:
            assert answer.status == 200
            assert (await answer.text()).startswith("<!DOCTYPE html>")


async def test_a_file_from_elsewhere_is_a_stub_until_asked_for(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    ts = await slack.upload("dana", "#partners", "a.txt", b"hi")
    stub = slack.thread("#partners", ts)[0]["files"][0]
    assert "url_private" not in stub
    assert (await client.files_info(file=stub["id"]))["file"]["size"] == 2


# -- streams


async def started(slack: FakeSlack, client: AsyncWebClient, channel: str = "D0ALICE001") -> dict[str, Any]:
    root = await slack.say("alice", channel, "question")
    more: dict[str, Any] = (
        {} if channel[0] == "D" else {"recipient_user_id": "U0ALICE001", "recipient_team_id": slack.team}
    )
    ts = (await client.chat_startStream(channel=channel, thread_ts=root, **more))["ts"]
    return {"channel": channel, "ts": ts}


async def test_a_stream_grows_and_ends(slack: FakeSlack, client: AsyncWebClient) -> None:
    at = await started(slack, client)
    await client.chat_appendStream(**at, markdown_text="Hel")
    await client.chat_appendStream(**at, chunks=[{"type": "markdown_text", "text": "lo"}])
    reply = slack.thread("D0ALICE001", slack.workspace.streams[at["channel"], at["ts"]].thread)[1]
    assert (reply["text"], reply["streaming"]) == ("Hello", True)
    metadata = {"event_type": "turn", "event_payload": {}}
    await client.chat_stopStream(**at, blocks=[{"type": "divider"}], metadata=metadata)
    assert "streaming" not in reply
    assert [b["type"] for b in reply["blocks"]] == ["markdown", "divider"]
    again = client.chat_appendStream(**at, markdown_text="x")
    assert (await refused(again))["error"] == "message_not_in_streaming_state"


async def test_streams_in_channels_need_a_recipient(slack: FakeSlack, client: AsyncWebClient) -> None:
    root = await slack.say("alice", "#general", "question")
    call = client.chat_startStream(channel="C0GENERAL1", thread_ts=root)
    assert (await refused(call))["error"] == "missing_recipient_team_id"
    call = client.chat_startStream(channel="C0GENERAL1", thread_ts=root, recipient_team_id=slack.team)
    assert (await refused(call))["error"] == "missing_recipient_user_id"
    call = client.api_call("chat.startStream", json={"channel": "C0GENERAL1"})
    assert "thread_ts" in (await refused(call))["response_metadata"]["messages"][0]


async def test_a_stream_dies_after_five_minutes_and_can_then_be_updated(
    slack: FakeSlack, client: AsyncWebClient, clock: Clock
) -> None:
    at = await started(slack, client)
    busy = client.chat_update(**at, text="x")
    assert (await refused(busy))["error"] == "streaming_state_conflict"
    clock.now += limits.STREAM_LIFE_S
    for call in (client.chat_appendStream(**at, markdown_text="x"), client.chat_stopStream(**at)):
        assert (await refused(call))["error"] == "message_not_in_streaming_state"
    await client.chat_update(**at, markdown_text="all of it")


async def test_a_streamed_message_holds_no_more_than_one_markdown_text(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    at = await started(slack, client)
    too_long = client.chat_appendStream(**at, markdown_text="x" * 12_001)
    assert (await refused(too_long))["error"] == "msg_too_long"
    await client.chat_appendStream(**at, markdown_text="x" * 12_000)
    more = client.chat_appendStream(**at, markdown_text="y")
    assert (await refused(more))["error"] == "msg_too_long"


@pytest.mark.parametrize(
    "chunk",
    [
        {"type": "poem"},
        {"type": "task_update", "id": "1", "title": "t", "status": "done"},
        {"type": "plan_update"},
    ],
)
async def test_chunks_slack_does_not_know(
    slack: FakeSlack, client: AsyncWebClient, chunk: dict[str, str]
) -> None:
    at = await started(slack, client)
    assert (await refused(client.chat_appendStream(**at, chunks=[chunk])))["error"] == "invalid_chunks"


async def test_a_task_is_one_card_however_often_it_changes(slack: FakeSlack, client: AsyncWebClient) -> None:
    at = await started(slack, client)
    for status in ("in_progress", "complete"):
        task = {"type": "task_update", "id": "1", "title": "Look", "status": status}
        await client.chat_appendStream(**at, chunks=[task])
    reply = slack.workspace.channels[at["channel"]].messages[at["ts"]]
    assert reply["blocks"] == [{"type": "task_card", "task_id": "1", "title": "Look", "status": "complete"}]


# -- status and sessions


async def test_a_status_ends_with_the_next_message_or_after_two_minutes(
    slack: FakeSlack, client: AsyncWebClient, clock: Clock
) -> None:
    root = await slack.say("alice", "#general", "question")
    place: dict[str, Any] = {"channel_id": "C0GENERAL1", "thread_ts": root}
    await client.assistant_threads_setStatus(**place, status="thinking", loading_messages=["hm"])
    assert slack.workspace.statuses["C0GENERAL1", root].text == "thinking"
    await client.chat_postMessage(channel="C0GENERAL1", thread_ts=root, text="answer")
    assert not slack.workspace.statuses
    await client.assistant_threads_setStatus(**place, status="thinking")
    clock.now += limits.STATUS_LIFE_S
    await slack.until(lambda: not slack.workspace.statuses)
    many = client.assistant_threads_setStatus(**place, status="x", loading_messages=["x"] * 11)
    assert (await refused(many))["error"] == "invalid_arguments"
    await client.assistant_threads_setStatus(**place, status="")


async def test_prompts_are_at_most_four(slack: FakeSlack, client: AsyncWebClient) -> None:
    prompt = {"title": "t", "message": "m"}
    await client.assistant_threads_setSuggestedPrompts(channel_id="D0ALICE001", prompts=[prompt] * 4)
    five = client.assistant_threads_setSuggestedPrompts(channel_id="D0ALICE001", prompts=[prompt] * 5)
    assert (await refused(five))["error"] == "invalid_arguments"


async def test_a_processing_session_has_a_stop_button(slack: FakeSlack, client: AsyncWebClient) -> None:
    at = await started(slack, client)
    root = slack.workspace.streams[at["channel"], at["ts"]].thread
    with pytest.raises(ValueError, match="no stop button"):
        await slack.stop("alice", "@parley", root)
    await client.agents_sessions_setStatus(channel_id="D0ALICE001", thread_ts=root, status="processing")
    await slack.stop("alice", "@parley", root)
    event = slack.deliveries[-1].payload["event"]
    assert (event["type"], event["streaming_message_ts"]) == ("agent_session_stopped", [at["ts"]])
    more = client.chat_appendStream(**at, markdown_text="x")
    assert (await refused(more))["error"] == "stopped_by_user"
    await client.chat_stopStream(**at, session_status="active")
    assert slack.workspace.sessions["D0ALICE001", root]["status"] == "active"
    bad = client.agents_sessions_setStatus(channel_id="D0ALICE001", thread_ts=root, status="busy")
    assert (await refused(bad))["error"] == "invalid_arguments"


async def test_without_the_subscription_a_session_warns() -> None:
    manifest: dict[str, Any] = {**limits.MANIFEST, "settings": {"event_subscriptions": {"bot_events": []}}}
    async with FakeSlack(manifest=manifest) as slack:
        client = AsyncWebClient(token=slack.bot_token, base_url=slack.api_url)
        root = await slack.say("alice", "@parley", "question")
        answer = await client.agents_sessions_setStatus(
            channel_id="D0ALICE001", thread_ts=root, status="processing"
        )
        assert answer["warning"] == "missing_agent_session_stopped_event_subscription"
        assert not slack.deliveries


# -- views

MODAL: dict[str, Any] = {"type": "modal", "title": {"type": "plain_text", "text": "T"}, "blocks": []}


@pytest.mark.parametrize(
    "change",
    [
        {"title": {"type": "plain_text", "text": "x" * 25}},
        {"title": None},
        {"blocks": [{"type": "markdown", "text": "x"}]},
        {"blocks": [{"type": "divider"}] * 101},
        {"private_metadata": "x" * 3001},
        {"type": "home"},
    ],
)
async def test_modals_slack_would_refuse(client: AsyncWebClient, change: dict[str, Any]) -> None:
    call = client.views_open(trigger_id="x", view=MODAL | change)
    assert (await refused(call))["error"] == "invalid_arguments"


async def test_a_trigger_works_once_and_for_three_seconds(
    slack: FakeSlack, client: AsyncWebClient, clock: Clock
) -> None:
    from bot.sandbox.slack.api.views import new_trigger

    trigger = new_trigger(slack.workspace, "U0ALICE001")
    await client.views_open(trigger_id=trigger, view=MODAL)
    again = client.views_open(trigger_id=trigger, view=MODAL)
    assert (await refused(again))["error"] == "exchanged_trigger_id"
    late = new_trigger(slack.workspace, "U0ALICE001")
    clock.now += 3.1
    assert (await refused(client.views_open(trigger_id=late, view=MODAL)))["error"] == "expired_trigger_id"
    for _ in range(2):
        await client.views_push(trigger_id=new_trigger(slack.workspace, "U0ALICE001"), view=MODAL)
    fourth = client.views_push(trigger_id=new_trigger(slack.workspace, "U0ALICE001"), view=MODAL)
    assert (await refused(fourth))["error"] == "push_limit_reached"


async def test_a_view_changed_meanwhile_is_a_conflict(slack: FakeSlack, client: AsyncWebClient) -> None:
    view: dict[str, Any] = {"type": "home", "blocks": [{"type": "divider"}]}
    first = (await client.views_publish(user_id="U0ALICE001", view=view))["view"]
    await client.views_publish(user_id="U0ALICE001", view=view, hash=first["hash"])
    stale = client.views_publish(user_id="U0ALICE001", view=view, hash=first["hash"])
    assert (await refused(stale))["error"] == "hash_conflict"
    home = slack.home("alice")
    assert home is not None
    assert home["id"] == first["id"]
