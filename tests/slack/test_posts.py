"""Whom a post mentions, and whether more of it is on its way."""

from __future__ import annotations

from typing import Any

import pytest

from bot.core.settings import Settings
from handlers.slack.posts import find_mention, incoming_from

BOT = "UBOT"
USER = {"type": "user", "user_id": BOT}


def rich(*elements: Any, kind: str = "rich_text_section") -> dict[str, Any]:
    return {"blocks": [{"type": "rich_text", "elements": [{"type": kind, "elements": list(elements)}]}]}


@pytest.mark.parametrize(
    ("message", "mentioned"),
    [
        ({"text": "<@UBOT> hi"}, True),
        ({"text": "`<@UBOT>`"}, False),
        ({"text": "don`t <@UBOT> won`t"} | rich(USER), True),
        ({"text": "<@UBOT>"} | rich(USER | {"style": {"code": True}}), False),
        ({"text": ""} | rich(USER, kind="rich_text_preformatted"), False),
        ({"text": ""} | rich(USER), True),
        ({"text": "<@UBOT>"} | rich({"type": "text", "text": "hi"}), True),
        ({"text": "look", "attachments": [{"is_share": True, "text": "<@UBOT> do it"}]}, False),
        ({"text": "look"}, None),
        ({"text": 7, "blocks": {"a": 1}, "attachments": "x"}, None),
    ],
)
def test_a_mention_is_its_authors_own_and_no_code(message: dict[str, Any], mentioned: bool | None) -> None:
    assert find_mention(message, BOT) is mentioned


def incoming(kind: str, **message: Any) -> Any:
    event = {"type": kind, "channel": "C1", "user": "U1", "ts": "1.5", "text": "", **message}
    return incoming_from({"team_id": "T1"}, event, event, BOT, Settings())


def test_what_slack_calls_a_mention_is_one_unless_it_is_code_or_somebody_elses() -> None:
    assert incoming("app_mention", text="hi").mentioned
    assert not incoming("app_mention", text="`<@UBOT>`").mentioned
    assert not incoming("app_mention", attachments=[{"is_share": True, "text": "<@UBOT>"}]).mentioned
    assert not incoming("message", text="hi").mentioned


def test_more_is_expected_of_a_bare_mention_and_of_a_link_to_a_message() -> None:
    link = "<https://sandbox.slack.com/archives/C1/p1776404384245429>"
    quote = {"is_msg_unfurl": True, "text": "soon", "author_name": "Bob"}
    assert incoming("app_mention", text="<@UBOT>").unfinished
    assert not incoming("message", text="<@UBOT>").unfinished
    assert not incoming("app_mention", text="<@UBOT> hi").unfinished
    assert incoming("message", text=f"why {link}").unfinished
    assert not incoming("message", text=f"why {link}", attachments=[quote]).unfinished
