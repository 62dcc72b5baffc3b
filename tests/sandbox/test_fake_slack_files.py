"""Files, channels and people of the fake Slack change as Slack's do, and the app hears what it may know."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from bot.sandbox.rehearsal.picture import png
from bot.sandbox.slack import limits
from bot.sandbox.slack.api.views import new_trigger
from bot.sandbox.slack.people.forms import NotPossible
from bot.sandbox.slack.server import FakeSlack, FileUpload


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack(rate_limits=False, retry_delays_s=()) as fake:
        yield fake


@pytest.fixture
def client(slack: FakeSlack) -> AsyncWebClient:
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])


def told(slack: FakeSlack) -> list[dict[str, Any]]:
    """The events that the app was sent, oldest first."""
    return [dict(d.payload["event"]) for d in slack.deliveries if d.kind == "events_api"]


def kinds(slack: FakeSlack) -> list[str]:
    return [event.get("subtype", event["type"]) for event in told(slack)]


async def shared(slack: FakeSlack, channel: str, text: str = "", name: str = "plan.pdf") -> str:
    """The id of a file that Bob put there."""
    ts = await slack.upload("bob", channel, name, b"%PDF-1.7 content", text=text)
    return str(slack.thread(channel, ts)[0]["files"][0]["id"])


async def why(client: AsyncWebClient, file: str) -> str:
    with pytest.raises(SlackApiError) as refused:
        await client.files_info(file=file)
    return str(refused.value.response["error"])


async def fetch(slack: FakeSlack, url: str) -> tuple[str, bytes]:
    """(content type, body) of a file's address, asked for with the app's token."""
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    async with aiohttp.ClientSession(headers=headers) as session, session.get(url) as answer:
        return answer.content_type, await answer.read()


async def test_the_app_sees_files_of_conversations_it_is_in_and_no_others(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    file = await shared(slack, "#leads")
    about = (await client.files_info(file=file))["file"]
    assert (about["groups"], about["channels"], about["is_public"]) == ([slack.channel("leads")], [], False)
    assert (await fetch(slack, about["url_private"]))[1].startswith(b"%PDF")
    await slack.join(slack.bot, slack.channel("leads"), leave=True)
    assert await why(client, file) == "file_not_found"
    kind, page = await fetch(slack, about["url_private"])
    assert (kind, b"Sign in" in page) == ("text/html", True)
    assert kinds(slack)[-2:] == ["member_left_channel", "group_left"]


async def test_a_deleted_file_is_gone_wherever_it_was(slack: FakeSlack, client: AsyncWebClient) -> None:
    file = await shared(slack, "#general", "the plan")
    await slack.share_file("bob", file, "#support")
    await slack.delete_file("bob", file)
    assert kinds(slack)[-3:] == ["message_changed", "message_deleted", "file_deleted"]
    assert told(slack)[-1] == {
        "type": "file_deleted",
        "file_id": file,
        "event_ts": told(slack)[-1]["event_ts"],
    }
    assert told(slack)[-3]["message"]["files"] == [{"id": file, "mode": "tombstone"}]
    assert told(slack)[-3]["previous_message"]["files"][0]["name"] == "plan.pdf"
    assert await why(client, file) == "file_deleted"


async def test_a_file_taken_out_of_a_channel_stays_in_the_other(
    slack: FakeSlack, client: AsyncWebClient
) -> None:
    file = await shared(slack, "#general", "the plan")
    await slack.share_file("alice", file, "#support")
    await slack.unshare_file("bob", file, "#general")
    assert (told(slack)[-1]["type"], told(slack)[-1]["channel_id"]) == (
        "file_unshared",
        slack.channel("general"),
    )
    assert (await client.files_info(file=file))["file"]["channels"] == [slack.channel("support")]
    [again] = slack.workspace.files[file].shares[slack.channel("support")]
    await slack.delete("alice", "#support", again)
    assert kinds(slack)[-2:] == ["message_deleted", "file_unshared"]
    assert await why(client, file) == "file_not_found"


async def test_a_changed_file_keeps_its_id(slack: FakeSlack, client: AsyncWebClient) -> None:
    file = await shared(slack, "#general", name="notes.txt")
    await slack.change_file("bob", file, content=b"newer", title="Notes")
    assert kinds(slack)[-1] == "file_change"
    about = (await client.files_info(file=file))["file"]
    assert (about["title"], about["size"]) == ("Notes", 5)
    with pytest.raises(NotPossible):
        await slack.change_file("carol", file, title="Mine")


async def test_a_picture_in_heic_comes_with_one_that_can_be_read(slack: FakeSlack) -> None:
    seen = png("what the camera saw", 640, 480)
    files = [FileUpload("IMG_1.HEIC", b"\0\0\0\x18ftypheic", thumbnail=seen)]
    ts = await slack.say("bob", "#general", "look", files=files)
    [about] = slack.thread("#general", ts)[0]["files"]
    assert (about["mimetype"], about["filetype"], about["original_w"]) == ("image/heic", "heic", 640)
    assert "thumb_720" not in about
    assert await fetch(slack, about["thumb_480"]) == ("image/png", seen)


async def test_channels_tell_what_becomes_of_them(slack: FakeSlack, client: AsyncWebClient) -> None:
    await slack.archive("alice", "#general")
    await slack.archive("alice", "#general", undo=True)
    await slack.archive("alice", "#leads")
    await slack.connect("alice", "#general")
    await slack.connect("alice", "#general", undo=True)
    await slack.make_private("alice", "#support")
    await slack.delete_channel("alice", "#finance")
    assert kinds(slack) == [
        "channel_archive", "channel_unarchive", "group_archive", "channel_shared", "channel_unshared",
        "channel_convert_to_private", "channel_deleted",
    ]  # fmt: skip
    about = (await client.conversations_info(channel=told(slack)[-2]["channel"]))["channel"]
    assert (about["is_private"], told(slack)[-2]["channel_type"]) == (True, "group")
    with pytest.raises(NotPossible):
        await slack.make_private("bob", "#general")


async def test_who_left_the_company_is_told_as_deleted_and_does_nothing_more(slack: FakeSlack) -> None:
    await slack.deactivate("alice", "carol")
    [event] = told(slack)
    assert (event["type"], event["user"]["id"], event["user"]["deleted"]) == (
        "user_change",
        slack.user("carol"),
        True,
    )
    assert slack.user("carol") not in slack.workspace.channels[slack.channel("general")].members
    with pytest.raises(NotPossible):
        await slack.say("carol", "@parley", "still here")


async def test_without_the_scope_of_an_event_it_does_not_come() -> None:
    some = {"scopes": {"bot": ["chat:write", "channels:history"]}}
    async with FakeSlack(manifest=limits.MANIFEST | {"oauth_config": some}, retry_delays_s=()) as slack:
        await shared(slack, "#general", "the plan")
        await slack.archive("alice", "#general")
        assert kinds(slack) == ["file_share"]


async def test_files_added_to_a_form_go_to_the_app_alone(slack: FakeSlack, client: AsyncWebClient) -> None:
    label = {"type": "plain_text", "text": "Add"}
    element: dict[str, Any] = {
        "type": "file_input",
        "action_id": "file",
        "filetypes": ["pdf"],
        "max_files": 1,
    }
    field = {"type": "input", "block_id": "files", "label": label, "element": element}
    view = {"type": "modal", "title": label, "submit": label, "blocks": [field]}
    trigger = new_trigger(slack.workspace, slack.user("bob"))
    await client.views_open(trigger_id=trigger, view=view)
    with pytest.raises(NotPossible, match="none of pdf"):
        await slack.submit("bob", {"file": [FileUpload("plan.docx", b"PK")]})
    delivery = await slack.submit("bob", {"file": [FileUpload("plan.pdf", b"%PDF-1.7")]})
    [given] = delivery.payload["view"]["state"]["values"]["files"]["file"]["files"]
    assert (given["name"], given["user"]) == ("plan.pdf", slack.user("bob"))
    assert (await client.files_info(file=given["id"]))["file"]["channels"] == []
    assert (await fetch(slack, given["url_private_download"]))[1] == b"%PDF-1.7"
    assert slack.export()["acts"][-1]["arguments"]["values"]["file"][0]["name"] == "plan.pdf"


async def test_a_form_with_files_is_a_modals(client: AsyncWebClient) -> None:
    label = {"type": "plain_text", "text": "Add"}
    field = {"type": "input", "label": label, "element": {"type": "file_input", "action_id": "file"}}
    with pytest.raises(SlackApiError, match="unsupported type: file_input"):
        await client.chat_postMessage(channel="C0GENERAL1", text="x", blocks=[field])
