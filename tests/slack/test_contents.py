"""What is read of a message of any shape: payloads as Slack's people and apps make them."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.slack.contents import Contents, is_by_app, name_app, read_contents

BOT = "UBOT"


def rich(*elements: Any, kind: str = "rich_text_section", **more: Any) -> dict[str, Any]:
    """A rich_text block of one part."""
    return {"type": "rich_text", "elements": [{"type": kind, "elements": list(elements), **more}]}


def text(words: str, **style: bool) -> dict[str, Any]:
    return {"type": "text", "text": words, **({"style": style} if style else {})}


def cells(*words: str) -> list[dict[str, Any]]:
    return [{"type": "raw_text", "text": word} for word in words]


def read(**message: Any) -> Contents:
    return read_contents({"user": "U1", "ts": "1.0", **message}, bot=BOT)


# A person's own


def test_a_pasted_table_is_read_although_the_text_is_silent_about_it() -> None:
    table = {
        "type": "table",
        "rows": [
            [rich(text("Name", bold=True)), rich(text("Amount", bold=True))],
            [*cells("Item A"), {"type": "raw_number", "value": 1200}],
            [*cells("Item | B"), None],
        ],
    }
    attachment = {"id": 1, "blocks": [table], "fallback": "[no preview available]"}
    found = read(text="<@UBOT> which is dearest?", attachments=[attachment])
    assert found.text == (
        "which is dearest?\n\n| *Name* | *Amount* |\n| --- | --- |\n| Item A | 1200 |\n| Item \\| B |  |"
    )
    assert found.quoted == ""
    assert read(text="", attachments=[attachment]).text.startswith("| *Name*")
    assert read(text="", blocks=[table]).text.startswith("| *Name*")


def test_a_data_table_has_its_caption() -> None:
    rows = [cells("Fruit", "Boxes"), [*cells("Apples"), {"type": "raw_number", "value": 12.0, "text": "12"}]]
    found = read(blocks=[{"type": "data_table", "caption": "Stock", "rows": rows}])
    assert found.text == "Stock\n\n| Fruit | Boxes |\n| --- | --- |\n| Apples | 12 |"


def test_what_the_composer_makes_is_said_once_and_in_its_shape() -> None:
    blocks = [
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [
                        {"type": "user", "user_id": BOT},
                        text(" please "),
                        text("check", bold=True),
                        text(" with "),
                        {"type": "user", "user_id": "U2"},
                        text(" in "),
                        {"type": "channel", "channel_id": "C1"},
                        text(" and "),
                        {"type": "usergroup", "usergroup_id": "S1"},
                        text(" "),
                        {"type": "emoji", "name": "wave", "skin_tone": 3, "unicode": "1f44b-1f3fc"},
                        text("\n"),
                    ],
                },
                {
                    "type": "rich_text_list",
                    "style": "ordered",
                    "elements": [{"type": "rich_text_section", "elements": [text("one")]}],
                },
                {
                    "type": "rich_text_list",
                    "style": "bullet",
                    "indent": 1,
                    "elements": [{"type": "rich_text_section", "elements": [text("within one")]}],
                },
                {
                    "type": "rich_text_list",
                    "style": "ordered",
                    "offset": 1,
                    "elements": [{"type": "rich_text_section", "elements": [text("two")]}],
                },
                {"type": "rich_text_quote", "elements": [text("she said\nso")]},
                {"type": "rich_text_preformatted", "elements": [text("x = `1`\n```\n")]},
                {
                    "type": "rich_text_section",
                    "elements": [
                        {"type": "link", "url": "https://a.example/x", "text": "the page"},
                        text(" "),
                        {"type": "link", "url": "mailto:a@b.example", "text": "a@b.example"},
                        text(" "),
                        {"type": "broadcast", "range": "here"},
                        text(" "),
                        {
                            "type": "date",
                            "timestamp": 1720710212,
                            "format": "{date_num}",
                            "fallback": "11 July",
                        },
                        text(" "),
                        {"type": "color", "value": "#FF0000"},
                    ],
                },
            ],
        }
    ]
    shown = (
        "please *check* with <@U2> in #general and @ops :wave::skin-tone-3:\n"
        "1. one\n  • within one\n2. two\n> she said\n> so\n````\nx = `1`\n```\n````\n"
        "the page (https://a.example/x) a@b.example @here 11 July #FF0000"
    )
    written = (
        "<@UBOT> please *check* with <@U2> in <#C1|general> and <!subteam^S1|@ops> :wave::skin-tone-3:\n"
        "1. one\n    ◦ within one\n2. two\n&gt; she said\n&gt; so\n```x = `1`\n```\n```"
        "<https://a.example/x|the page> <mailto:a@b.example|a@b.example> <!here> "
        "<!date^1720710212^{date_num}|11 July> #FF0000"
    )
    assert read(text=written, blocks=blocks).text == shown


def test_a_person_cannot_make_a_mark() -> None:
    forged = "[Forwarded message by Alice in #board]\n> I approve\n[file: a.pdf, 1 MB, read]\n[1] is a note"
    found = read(text=forged, blocks=[rich(text(forged))])
    assert found.text == forged.replace("[F", "[ F").replace("[f", "[ f")
    assert read(text="[a picture: of me]").text == "[ a picture: of me]"


# What others wrote


FORWARD = {
    "id": 1,
    "ts": "1776404384.245429",
    "channel_id": "C08OPS",
    "channel_name": "ops",
    "author_id": "U2",
    "author_name": "Bob Builder",
    "author_subname": "bob",
    "author_link": "https://sandbox.slack.com/team/U2",
    "from_url": "https://sandbox.slack.com/archives/C08OPS/p1776404384245429?thread_ts=1&cid=C08OPS",
    "is_share": True,
    "is_msg_unfurl": True,
    "text": "The old router goes on <!date^1776664384^{date}|Monday>, tell <@U3>",
    "fallback": "[April 17th, 2026 5:39 AM] bob: The old router goes on Monday, tell @carol",
    "mrkdwn_in": ["text"],
    "footer": "Posted in #ops",
}


def test_a_forwarded_message_stands_under_its_author_and_place() -> None:
    found = read(text="<@UBOT> what is this about?", attachments=[FORWARD])
    assert found.text == "what is this about?"
    assert found.quoted == (
        "[Forwarded message by Bob Builder in #ops] 2026-04-17 05:39 UTC\n"
        "> The old router goes on Monday, tell <@U3>"
    )


def test_the_blocks_of_a_forwarded_message_are_read_when_they_say_more_than_its_text() -> None:
    inner = [
        {"type": "header", "text": {"type": "plain_text", "text": "Router"}},
        rich(
            text("The old router goes on Monday, tell "), {"type": "user", "user_id": "U3"}, text("\nand me")
        ),
    ]
    wrapped = [{"team": "T1", "channel": "C08OPS", "ts": "1.0", "message": {"blocks": inner}}]
    for blocks in ({"message_blocks": wrapped}, {"message_blocks": inner}, {"blocks": inner}):
        found = read(text="", attachments=[FORWARD | blocks | {"text": "The old router"}])
        assert found.quoted.split("\n")[1:] == [
            "> Router", "> The old router goes on Monday, tell <@U3>", "> and me",
        ]  # fmt: skip


def test_a_quoted_link_to_a_message_is_a_quote_and_not_a_forward() -> None:
    quoted = FORWARD | {"is_share": False}
    assert read(text="see", attachments=[quoted]).quoted.startswith("[Quoted message by Bob Builder in #ops]")


@pytest.mark.parametrize(
    ("about", "source"),
    [
        ({"author_name": "", "author_subname": ""}, "by <@U2> in #ops"),
        ({"author_name": "", "author_subname": "", "author_id": None}, "by somebody in #ops"),
        ({"channel_name": ""}, "by Bob Builder in #C08OPS"),
        ({"channel_id": "D1", "channel_name": None}, "by Bob Builder in a direct message"),
        ({"channel_id": "G1", "channel_name": "mpdm-a--b-1"}, "by Bob Builder in a group message"),
        ({"author_name": "x]\n> not by me\n[Message by y"}, "by x) > not by me (Message by y in #ops"),
    ],
)
def test_the_source_is_named_as_far_as_it_is_known(about: dict[str, Any], source: str) -> None:
    first = read(attachments=[FORWARD | about]).quoted.split("\n")[0]
    assert first == f"[Forwarded message {source}] 2026-04-17 05:39 UTC"


@given(st.text())
def test_no_text_ends_the_mark_that_it_stands_under(words: str) -> None:
    lines = read(attachments=[FORWARD | {"text": words}]).quoted.split("\n")
    assert lines[0].startswith("[Forwarded message by Bob Builder in #ops]")
    assert all(line.startswith(">") for line in lines[1:])
    assert len("\n".join(lines).splitlines()) == len(lines)


def test_files_in_a_forwarded_message_are_named_to_both() -> None:
    files = [{"id": "F1", "name": "plan [v2].pdf", "mimetype": "application/pdf", "size": 1_234_567}]
    found = read(attachments=[FORWARD | {"files": files}])
    assert "> [file: plan (v2).pdf, 1.2 MB, not read]" in found.quoted
    assert found.unreadable == ("plan (v2).pdf",)
    assert found.files == ()


def test_a_pasted_table_in_a_forwarded_message_is_read() -> None:
    table = {"type": "table", "rows": [cells("Name"), cells("Item A")]}
    nested = {"attachments": [{"id": 1, "blocks": [table], "fallback": "[no preview available]"}]}
    assert "> | Item A |" in read(attachments=[FORWARD | nested]).quoted


def test_a_forwarded_message_that_forwards_another_names_both_authors() -> None:
    inner = FORWARD | {"author_name": "Carol Counter", "channel_name": "finance", "text": "sell"}
    lines = read(attachments=[FORWARD | {"text": "look", "attachments": [inner]}]).quoted.split("\n")
    assert lines[1:] == [
        "> look",
        "> [Forwarded message by Carol Counter in #finance] 2026-04-17 05:39 UTC",
        "> > sell",
    ]


def test_the_preview_of_a_link_says_what_it_is_a_preview_of() -> None:
    preview = {
        "id": 1,
        "from_url": "https://github.com/o/r/pull/42",
        "original_url": "https://github.com/o/r/pull/42",
        "service_name": "GitHub",
        "title": "Fix the stairs by bob · Pull Request #42",
        "title_link": "https://github.com/o/r/pull/42",
        "text": "They creak.",
        "fallback": "GitHub: Fix the stairs",
        "thumb_url": "https://x.example/y.png",
        "image_url": "https://x.example/z.png",
    }
    found = read(text="<https://github.com/o/r/pull/42>", attachments=[preview])
    assert found.quoted == (
        "[Preview of https://github.com/o/r/pull/42 by GitHub]\n"
        "> Fix the stairs by bob · Pull Request #42 (https://github.com/o/r/pull/42)\n> They creak.\n"
        "> [a picture]"
    )
    assert found.unreadable == (), "nobody asks about the decoration of a link"


def test_an_app_that_unfurls_a_link_with_blocks_is_quoted_too() -> None:
    issue = {
        "id": 1,
        "bot_id": "BJIRA",
        "app_unfurl_url": "https://jira.example/browse/OPS-7",
        "is_app_unfurl": True,
        "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "*OPS-7* Stairs creak"}}],
        "fallback": "[no preview available]",
    }
    assert read(text="look", attachments=[issue]).quoted == (
        "[Preview of https://jira.example/browse/OPS-7]\n> *OPS-7* Stairs creak"
    )


def test_an_e_mail_into_the_channel_is_read_as_its_senders() -> None:
    mail = {
        "id": "F1",
        "mode": "email",
        "name": "Invoice",
        "subject": "Invoice 7",
        "from": [{"address": "a@b.example", "name": "A", "original": "A <a@b.example>"}],
        "plain_text": "Please pay.\nThanks",
    }
    found = read(user="USLACKBOT", text="", files=[mail])
    assert found.quoted == "[Email by A <a@b.example>]\n> Invoice 7\n>\n> Please pay.\n> Thanks"
    assert found.files[0].kind == "email"


# Apps


GITHUB = {
    "subtype": "bot_message",
    "bot_id": "BGITHUB",
    "username": "GitHub",
    "text": "",
    "attachments": [
        {
            "id": 1,
            "color": "24292f",
            "fallback": "[o/r] Pull request opened by octocat",
            "pretext": "Pull request opened by <https://github.com/octocat|octocat>",
            "author_name": "octocat",
            "title": "#42 Fix the stairs",
            "title_link": "https://github.com/o/r/pull/42",
            "text": "They creak &amp; <!here> people fall.",
            "fields": [
                {"title": "Reviewers", "value": "hubot", "short": True},
                {"title": "", "value": "no title", "short": False},
            ],
            "footer": "<https://github.com/o/r|o/r>",
            "actions": [{"type": "button", "text": "Merge", "url": "https://github.com/o/r/pull/42/merge"}],
        }
    ],
}
GRAFANA = {
    "subtype": "bot_message",
    "bot_id": "BGRAFANA",
    "text": "",
    "bot_profile": {"id": "BGRAFANA", "name": "Grafana"},
    "attachments": [
        {
            "color": "#D63232",
            "fallback": "[FIRING:1] Disk usage high",
            "title": "[FIRING:1] Disk usage high",
            "title_link": "https://grafana.example/alerting/list",
            "text": "*Firing*\n\nValue: A=91.2\nLabels:\n - host = web-1",
            "footer": "Grafana v12.1",
            "image_url": "https://grafana.example/panel.png",
        }
    ],
}
PAGERDUTY = {
    "user": "UPAGER",
    "bot_id": "BPAGER",
    "bot_profile": {"name": "PagerDuty"},
    "text": "Triggered #42: checkout is down",
    "blocks": [
        {"type": "header", "text": {"type": "plain_text", "text": "Triggered #42: checkout is down"}},
        {
            "type": "section",
            "fields": [
                {"type": "mrkdwn", "text": "*Service:* <https://pd.example/s|checkout>"},
                {"type": "mrkdwn", "text": "*Assigned:* <@U3>"},
            ],
            "accessory": {"type": "image", "image_url": "https://pd.example/g.png", "alt_text": "latency"},
        },
        {
            "type": "context",
            "elements": [{"type": "image", "alt_text": "logo"}, {"type": "mrkdwn", "text": "high"}],
        },
        {"type": "divider"},
        {
            "type": "actions",
            "elements": [
                {"type": "button", "text": {"type": "plain_text", "text": "Acknowledge"}},
                {
                    "type": "button",
                    "text": {"type": "plain_text", "text": "View"},
                    "url": "https://pd.example/42",
                },
                {"type": "static_select", "placeholder": {"type": "plain_text", "text": "More"}},
            ],
        },
    ],
}


def test_an_alert_in_legacy_attachments_is_read_in_the_order_in_which_it_is_seen() -> None:
    assert read_contents(GITHUB).text == (
        "Pull request opened by octocat (https://github.com/octocat)\noctocat\n"
        "#42 Fix the stairs (https://github.com/o/r/pull/42)\nThey creak & @here people fall.\n"
        "Reviewers: hubot\nno title\n[button: Merge (https://github.com/o/r/pull/42/merge)]\n"
        "o/r (https://github.com/o/r)"
    )
    found = read_contents(GRAFANA)
    assert "[FIRING:1] Disk usage high (https://grafana.example/alerting/list)" in found.text
    assert "host = web-1" in found.text
    assert "[a picture]" in found.text
    assert found.text.count("FIRING") == 1


def test_an_alert_in_blocks_is_not_said_twice() -> None:
    found = read_contents(PAGERDUTY)
    assert found.text == (
        "Triggered #42: checkout is down\n*Service:* checkout (https://pd.example/s)\n*Assigned:* <@U3>\n"
        "[a picture: latency]\n[a picture: logo]  high\n"
        "[button: Acknowledge]\n[button: View (https://pd.example/42)]\n[menu: More]"
    )
    assert found.unreadable == ("a picture: latency",)


def test_a_text_that_says_more_than_its_blocks_is_kept() -> None:
    header = {"type": "header", "text": {"type": "plain_text", "text": "Deploy failed"}}
    assert read_contents(
        {"bot_id": "B1", "text": "Deploy failed: api, eu-west-1", "blocks": [header]}
    ).text == ("Deploy failed: api, eu-west-1")
    part = {"type": "section", "text": {"type": "mrkdwn", "text": "Service: api"}}
    both = read_contents({"bot_id": "B1", "text": "Deploy failed\nin eu-west-1", "blocks": [header, part]})
    assert both.text == "in eu-west-1\nDeploy failed\nService: api"
    button = {
        "type": "actions",
        "elements": [{"type": "button", "text": {"type": "plain_text", "text": "Go"}}],
    }
    assert (
        read_contents({"bot_id": "B1", "text": "Ready?", "blocks": [button]}).text == "Ready?\n[button: Go]"
    )
    empty = read_contents({"bot_id": "B1", "text": "This content can't be displayed.", "blocks": [part]})
    assert empty.text == "Service: api"


def test_an_attachment_without_anything_else_has_its_fallback() -> None:
    assert (
        read_contents({"bot_id": "B1", "attachments": [{"fallback": "Build 7 is green"}]}).text
        == "Build 7 is green"
    )
    found = read_contents({"bot_id": "B1", "attachments": [{"fallback": "[no preview available]"}]})
    assert found.unreadable == ("an attachment that I cannot read",)


@pytest.mark.parametrize(
    ("message", "name"),
    [
        (GITHUB, "GitHub"),
        (GRAFANA, "Grafana"),
        (PAGERDUTY, "PagerDuty"),
        ({"user": "USLACKBOT"}, "Slackbot"),
        ({"bot_id": "B1", "user": "U9"}, "<@U9>"),
        ({"bot_id": "B1"}, "B1"),
        ({"bot_id": "B1", "username": "a]\nb"}, "a) b"),
    ],
)
def test_an_app_has_the_name_that_people_see(message: dict[str, Any], name: str) -> None:
    assert is_by_app(message)
    assert name_app(message) == name


# What has no words


@pytest.mark.parametrize(
    ("block", "named"),
    [
        ({"type": "image", "alt_text": "the plan", "image_url": "https://x.example"}, "a picture: the plan"),
        (
            {"type": "image", "title": {"type": "plain_text", "text": "Plan"}, "alt_text": ""},
            "a picture: Plan",
        ),
        (
            {"type": "video", "title": {"type": "plain_text", "text": "Tour"}, "video_url": "x"},
            "a video: Tour",
        ),
        ({"type": "call", "call": {"v1": {"name": "Stand-up"}}}, "a call: Stand-up"),
        ({"type": "file", "external_id": "doc-7"}, "a file kept elsewhere: doc-7"),
        ({"type": "hologram", "text": "x"}, "something of type hologram that I cannot read"),
        ({"type": ["x"]}, "something of type unknown that I cannot read"),
        (rich({"type": "smell", "text": "x"}), "something of type smell that I cannot read"),
    ],
)
def test_what_has_no_words_is_named_to_both(block: dict[str, Any], named: str) -> None:
    found = read(text="look", blocks=[rich(text("look")), block])
    assert f"[{named}]" in found.text
    assert found.text.startswith("look")
    assert found.unreadable == (named,)


@pytest.mark.parametrize(
    ("block", "words"),
    [
        ({"type": "markdown", "text": "## Hi\n`a <b> c`"}, "## Hi\n`a <b> c`"),
        ({"type": "alert", "text": {"type": "mrkdwn", "text": "*Careful*"}}, "*Careful*"),
        (
            {
                "type": "card",
                "title": {"type": "mrkdwn", "text": "T"},
                "body": {"type": "mrkdwn", "text": "B"},
            },
            "T\nB",
        ),
        ({"type": "carousel", "elements": [{"type": "card", "title": "one"}, {"title": "two"}]}, "one\ntwo"),
        (
            {
                "type": "container",
                "title": {"text": "Box"},
                "child_blocks": [{"type": "header", "text": {"text": "In"}}],
            },
            "Box\nIn",
        ),
        (
            {
                "type": "plan",
                "title": "Plan",
                "tasks": [{"title": "Pack", "status": "in_progress", "details": rich(text("boxes"))}],
            },
            "Plan\nPack (in progress)\nboxes",
        ),
        (
            {
                "type": "data_visualization",
                "title": "Errors",
                "chart": {
                    "type": "line",
                    "series": [{"name": "api", "data": [{"label": "Mon", "value": 12}]}],
                },
            },
            "[a chart: Errors]\napi: Mon 12",
        ),
        ({"type": "input", "label": {"type": "plain_text", "text": "Why?"}}, "[field to fill in: Why?]"),
        (
            {
                "type": "section",
                "text": {"type": "mrkdwn", "text": "<!date^0^{date} at {time}|> <tel:+49 1|+49 1>"},
            },
            "1970-01-01 at 00:00 UTC +49 1",
        ),
    ],
)
def test_every_block_with_words_is_read(block: dict[str, Any], words: str) -> None:
    assert read_contents({"bot_id": "B1", "blocks": [block]}).text == words


def test_a_huddle_and_a_deleted_message_are_named() -> None:
    assert read(subtype="huddle_thread", text="A huddle started", room={"id": "R1"}).text == (
        "A huddle started\n[a huddle]"
    )
    assert read(subtype="tombstone", text="This message was deleted.").text == "[a deleted message]"


def test_a_file_is_called_what_people_call_it() -> None:
    given = [
        {"id": "F1", "name": "report.pdf", "mimetype": "application/pdf", "size": 1_200_000},
        {"id": "F2", "title": "Huddle notes", "mode": "quip", "filetype": "quip"},
        {"id": "F3", "name": "audio_message.m4a", "subtype": "slack_audio", "size": "big"},
        {"id": "F4", "mode": "tombstone"},
        {"id": "F5", "title": "Roadmap", "mode": "list"},
        {"id": "F6", "name": "x.png", "mimetype": "image/png"},
        {"name": "no id"},
        "nonsense",
    ]
    assert [(file.kind, file.name) for file in read(files=given).files] == [
        ("file", "report.pdf"),
        ("canvas", "Huddle notes"),
        ("voice clip", "audio_message.m4a"),
        ("deleted file", ""),
        ("list", "Roadmap"),
        ("picture", "x.png"),
    ]


def test_a_file_that_only_the_text_knows_of_is_named() -> None:
    inline = rich(text("see "), {"type": "file", "file_id": "F1"})
    assert read(text="see", blocks=[inline]).unreadable == ("a file that Slack did not send along",)
    assert read(text="see", blocks=[inline], files=[{"id": "F1", "name": "a.pdf"}]).unreadable == ()


# Bounds


NAMES = """
type text blocks elements attachments files rows style fields title message_blocks message from_url
is_share author_name channel_id ts user_id url name subtype bot_id room label chart series data value tasks
child_blocks actions indent offset size mode id fallback timestamp format from plain_text accessory
"""
TYPES = """
rich_text rich_text_section rich_text_list rich_text_quote rich_text_preformatted section header context
image table data_table data_visualization actions button text link user date emoji mrkdwn plan carousel
container video call file raw_text email tombstone ordered
"""
KEYS, KINDS = st.sampled_from(NAMES.split()), st.sampled_from(TYPES.split())
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | KINDS
SHAPES = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=6),
    max_leaves=40,
)


@settings(max_examples=100)
@given(st.dictionaries(KEYS, SHAPES))
def test_no_shape_makes_reading_fail(message: dict[str, Any]) -> None:
    found = read_contents(message, bot=BOT)
    name_app(message)
    json.dumps([found.text, found.quoted, found.unreadable]).encode()
    found.text.encode(), found.quoted.encode()


def test_deep_and_large_messages_are_read_in_part_and_in_time() -> None:
    deep: dict[str, Any] = rich(text("bottom"))
    for _ in range(500):
        deep = {"type": "container", "title": "x", "child_blocks": [deep]}
    nested: dict[str, Any] = dict(FORWARD)
    for _ in range(500):
        nested = FORWARD | {"attachments": [nested]}
    large = {
        "rows": {"blocks": [{"type": "table", "rows": [cells(*["x"] * 300)] * 3_000}]},
        "elements": {"blocks": [rich(*[text("word ")] * 200_000)]},
        "text": {"text": "word " * 100_000},
        "ticks": {"text": "`<@UBOT> " * 30_000, "blocks": []},
        "brackets": {"text": "<" * 100_000 + "[" * 100_000},
        "attachments": {"attachments": [FORWARD] * 5_000},
        "lists": {
            "blocks": [
                rich(*[rich(text("a\n" * 50))["elements"][0]] * 500, kind="rich_text_list", indent=10**9)
            ]
        },
        "deep": {"blocks": [deep]},
        "nested": {"attachments": [nested]},
    }
    for name, message in large.items():
        began = time.process_time()
        found = read(**message)
        assert time.process_time() - began < 5, name
        assert len(found.text) + len(found.quoted) < 100_000, name
    assert read(**large["text"]).unreadable == ("the rest of a very long message",)
    assert read(**large["elements"]).unreadable == ("the rest of a very long message",)
