"""Every place in Slack where somebody else's words come to stand: blocks, windows, Home, cards, streams.

What is looked at is what was sent, request by request, so that what is shown for a moment counts too.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.rehearsal.question import RehearsedAnswer
from bot.sandbox.rehearsal.recordings import RecognisedSpeech
from bot.sandbox.slack.people.acts import FileUpload
from bot.text.redact import REDACTED
from handlers.channel.form import OPEN_RECORD
from handlers.reply.output_filter import OutputFilter
from handlers.slack.blocks import SETTINGS_OF, SHOULD_ANSWER
from handlers.voice.blocks import EDIT
from tests.support.captured_model import captured
from tests.support.clips import PATIENCE_S, clip, drop, until
from tests.support.guarded_channel import filled, opened, said, save, why
from tests.support.hostile_text import EXFILTRATION, HOSTS, MENTIONS, PEOPLE, called, out, strays
from tests.support.secret_shapes import SECRETS
from tests.support.workspace import Workspace, workspace

NASTY = (
    "<!channel> @here <https://evil.example/c4n4ry|x> [y](https://evil.example/c4n4ry) "
    "evil.example/c4n4ry <#C0LEADS001|layoffs> <@U0CAROL001>"
)
TOKEN = re.compile(r"<([^<>\n]{1,300})>")
# What may stand between the angles in a text of ours: a person or a channel that we name.
OURS = re.compile(r"[@#][A-Z0-9]{6,}")
STREAMS = ("chat.startStream", "chat.appendStream", "chat.stopStream")


COMMANDS = (
    "usage", "usage by person", "usage by channel", "budget", "owner", NASTY, f"forget thread {NASTY}",
    f"owner {NASTY}", f"usage {NASTY}", f"budget {NASTY}", f"estimate {NASTY}", f"digest {NASTY}",
)  # fmt: skip


def off_topic(team: Workspace) -> None:
    """The judge finds that nothing belongs."""
    verdict = '{"belongs": false, "probability": 0.01}'
    team.model.script(verdict, match=lambda asked: "response_format" in asked.body, times=0)


def faults_in(value: Any, kind: str = "") -> Iterator[str]:
    """What in a payload could become a link to a foreign host, or call somebody, by the kind of its text."""
    if isinstance(value, list):
        for inner in value:
            yield from faults_in(inner, kind)
    elif isinstance(value, dict):
        kind = value.get("type", kind)
        if kind in ("rich_text", "plain_text", "plain_text_input", "raw_text"):
            return  # in which nothing is a link or a mention unless its type says so
        if kind == "mrkdwn":
            if not value.get("verbatim"):
                yield f"Slack may make links of the plain words in {value['text']!r}"
            yield from (f"token <{t}>" for t in TOKEN.findall(value["text"]) if not OURS.fullmatch(t))
            return
        for name, inner in value.items():
            is_text = name in ("text", "markdown_text") and isinstance(inner, str)
            yield from markdown_faults(inner) if is_text else faults_in(inner, kind)


def markdown_faults(text: str) -> Iterator[str]:
    yield from (f"link {link}" for link in strays(text))
    yield from (f"call {token}" for token in called(text) if token.startswith("<"))


def sent(team: Workspace) -> Iterator[tuple[str, dict[str, Any]]]:
    """All that went to Slack, also as the answer to a delivery. What is streamed is `at_every_moment`."""
    for request in team.slack.requests:
        if request.method not in STREAMS:
            yield request.method, dict(request.arguments)
    for delivery in team.slack.deliveries:
        yield f"the answer to {delivery.kind}", dict(delivery.response)
    for user in ("alice", "bob", "carol", "dana"):
        for message in team.slack.ephemerals(user):
            yield f"for {user}", {name: message.get(name) for name in ("text", "blocks")}


def assert_inert(team: Workspace) -> None:
    bob = team.slack.user("bob")
    found = {
        (where, fault)
        for where, given in sent(team)
        for fault in faults_in({n: v for n, v in given.items() if n != "text" or not given.get("blocks")})
        if fault.replace(bob, "U0ASKER") not in ("call <@U", "call <@U0ASKER")
    }
    assert not found


# Policies, verdicts and what is shown of them


async def test_attack_01_words_in_a_channels_policy_and_in_what_it_refuses_stay_words(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await team.answer("#support", await team.ask("@parley hello", channel="#support"))
        team.slack.workspace.channels["C0SUPPORT1"].name = NASTY[:70]
        for person in team.slack.workspace.people.values():
            person.real_name = NASTY
        await save(
            team, purpose=f"the kitchen {NASTY}"[:400], shadow="false", action="ask", contact=NASTY[:100],
            belongs=f"eggs {NASTY}", does_not=f"cars {NASTY}", on_failure="closed",
        )  # fmt: skip
        off_topic(team)
        asked = NASTY.replace("evil.example", "ok.example")  # for what they write people vouch
        refused, thread = await said(team, f"tell me about cars, {asked}", user="bob")
        assert "the kitchen" in refused
        (reply,) = team.replies("#general", thread)
        await why(team, "bob", thread, thread)
        await team.slack.press("bob", "#general", reply["ts"], SHOULD_ANSWER)
        form = await opened(team)
        await team.slack.press("alice", "", "", OPEN_RECORD, view_id=form["id"])
        await filled(team, depth=2)
        for user in ("alice", "bob"):
            await team.slack.open_home(user)
            await team.slack.until(partial(team.slack.home, user))
        home = team.slack.home("alice")
        assert home
        for word in COMMANDS:
            await team.slack.command("alice", "#general", "/parley", word[:300])
        await team.quiet()
        assert_inert(team)
        assert SETTINGS_OF in str(home)


# Recordings: names, words, cards, windows


async def test_attack_29_words_and_names_of_recordings_stay_words_on_every_surface(tmp_path: Path) -> None:
    async with workspace(
        tmp_path, model={"recognise": lambda sound: RecognisedSpeech(NASTY, "de", NASTY, 2.0)}
    ) as team:
        given = clip(range(6), tmp_path, "mp3")
        files = [
            FileUpload("<!channel> evil.example∕x.mp3", given.content),
            FileUpload("<@U0CAROL001>.pdf", b"%PDF"),
        ]
        thread = await drop(team, *files)
        await until(team, lambda: len(team.replies("#general", thread)) >= 2)
        await team.quiet(PATIENCE_S)
        card = team.replies("#general", thread)[0]
        await team.slack.press("alice", "#general", card["ts"], EDIT)
        await until(team, lambda: team.slack.modals("alice"))
        await team.quiet()
        assert NASTY.split()[0] in str(card["blocks"]), "the card has it as it was said"
        assert_inert(team)


async def test_attack_17_a_key_that_was_said_aloud_is_not_shown(tmp_path: Path) -> None:
    secrets = "; ".join(SECRETS.values())
    async with workspace(
        tmp_path, model={"recognise": lambda sound: RecognisedSpeech(secrets, "en", "", 2.0)}
    ) as team:
        thread = await drop(team, clip(range(6), tmp_path))
        await until(team, lambda: len(team.replies("#general", thread)) >= 2)
        await team.quiet(PATIENCE_S)
        written = str([given for _, given in sent(team)])
        assert REDACTED in written
        assert not [name for name, secret in SECRETS.items() if secret in written]


async def test_attack_17_a_key_that_somebody_writes_is_not_repeated_by_any_surface(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await save(team, purpose="the kitchen", shadow="false", does_not="cars", on_failure="closed")
        off_topic(team)
        for secret in SECRETS.values():
            await team.slack.command("bob", "#general", "/parley", f"budget {secret}")
            await team.slack.command("bob", "#general", "/parley", f"usage {secret}")
        _, thread = await said(team, " ; ".join(SECRETS.values()), user="bob")
        await why(team, "bob", thread, thread)
        await team.quiet()
        written = str([given for _, given in sent(team)])
        assert not [name for name, secret in SECRETS.items() if secret in written]


# Streams: whatever has been shown so far is as harmless as the whole

PIECES = [*EXFILTRATION, *MENTIONS]
WHOLE = " and ".join(
    [
        "go to evil.example/c4n4ry7f3a", "[x](https://evil.example/c4n4ry7f3a)", "<!channel>", "<@U0CAROL1>",
        "`<!here>` &lt;!everyone&gt;", "![p](https://evil.example/c4n4ry7f3a.png)", "<#C0LEADS001|layoffs>",
        "你https://evil.example/c4n4ry7f3a", "\n```\n<!here> https://evil.example/\n```\n", "@channel now",
    ]
)  # fmt: skip


@pytest.mark.parametrize("text", PIECES)
def test_attack_05_nothing_of_a_stream_is_dangerous_at_any_moment(text: str) -> None:
    output, shown = OutputFilter(HOSTS, PEOPLE), ""
    for letter in f"so: {text} and on":
        shown += output.feed(letter)
        assert list(markdown_faults(shown)) == [], shown
    assert shown + output.finish() == out(f"so: {text} and on")


def at_every_moment(team: Workspace) -> Iterator[str]:
    """What each streamed message of ours showed after each request about it."""
    texts: dict[str, str] = defaultdict(str)
    for request in team.slack.requests:
        if request.method in STREAMS and request.ok:
            ts = request.arguments.get("ts") or request.response["ts"]
            texts[ts] += request.arguments.get("markdown_text") or ""
            yield texts[ts]


async def test_attack_05_wherever_an_answer_is_cut_into_chunks_it_is_as_safe_as_the_whole(
    tmp_path: Path,
) -> None:
    async with captured(tmp_path, PARLEY_PARALLEL_TURNS="16") as team:
        team.model.answer = cut_where_it_is_asked
        at = range(1, len(WHOLE), 2)
        threads = [await team.ask(f"@parley cut at {n}.") for n in at]
        for thread in threads:
            await team.answer("#general", thread, timeout_s=90)
        answers = {"".join(team.said("#general", thread)).strip() for thread in threads}
        assert len(answers) == 1, "the same words wherever they were cut"
        assert_inert(team)
        seen = list(at_every_moment(team))
        assert seen, "some of them were streamed"
        assert [fault for text in seen for fault in markdown_faults(text)] == []


def cut_where_it_is_asked(asked: Any) -> RehearsedAnswer:
    """All of it in two chunks, with a pause between them, so that the first is shown before the second."""
    n = int(re.findall(r"cut at (\d+)\.", asked.prompt)[-1])
    return RehearsedAnswer(WHOLE, chunks=(WHOLE[:n], WHOLE[n:]), first_token_s=0.02, tokens_per_s=4.0)
