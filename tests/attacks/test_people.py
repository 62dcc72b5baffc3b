"""Attacks by people on other people: whose words, whose rights, whose money."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import Missing
from bot.costs.budgets import Budget
from bot.sandbox.rehearsal.question import RehearsedAnswer
from handlers import routes
from handlers.channel import form
from handlers.channel.listeners import NOT_YOURS
from handlers.guard import blocks
from handlers.knowledge import learning_blocks
from handlers.slack.blocks import FEEDBACK, FORGET_ALL, RETRY
from handlers.unanswered import blocks as unanswered_blocks
from storage.conversation import replies
from storage.engine import Tx
from tests.support.captured_model import captured, shown
from tests.support.conversation_rows import HERE
from tests.support.guarded_channel import opened
from tests.support.promises import kept
from tests.support.rows import open_rows
from tests.support.spending import run_command
from tests.support.workspace import Workspace, workspace

# 7, 34: what belongs to another team, channel or person

CHANNELS = ("C0GENERAL", "C0SUPPORT", "C0FINANCE")
PEOPLE = ("U0ALICE00", "U0BOB0000", "U0CAROL00")
EVERYBODY = [(team, channel, person) for team in (1, 2) for channel in CHANNELS for person in PEOPLE]


def secret_of(who: tuple[int, str, str]) -> str:
    team, channel, person = who
    return f"c4n4ry{team}{channel[2:]}{person[2:]}".lower().replace("0", "")


async def says(team: Workspace, who: tuple[int, str, str], text: str, thread: str | None = None) -> str:
    number, channel, person = who
    return await team.slack.say(f"{person}{number}", f"{channel}{number}", text, thread_ts=thread)


async def asked_of(team: Workspace, count: int) -> list[Any]:
    """The model's requests, once there are so many and nothing is on its way."""
    await team.slack.until(lambda: len(team.model.requests) >= count)
    await team.quiet()
    assert len(team.model.requests) == count
    return list(team.model.requests)


async def test_attack_07_nobody_reads_what_another_said_elsewhere(tmp_path: Path) -> None:
    bots = {f"T0SANDBOX{n}": f"<@U0PARLEY0{n}>" for n in (1, 2)}
    async with captured(tmp_path, slack={"teams": 2}, PARLEY_PERSONA="You are Parley.") as team:
        for ws in team.slack.workspaces:
            ws.channels[f"C0FINANCE{ws.number}"].members[f"U0BOB0000{ws.number}"] = None
        parley = dict(enumerate(bots.values(), start=1))
        threads = {}
        for who in EVERYBODY:
            threads[who] = await says(team, who, f"{parley[who[0]]} remember {secret_of(who)}")
        first = await asked_of(team, len(EVERYBODY))
        assert sorted(a.text for a in first) == sorted(f"I was told: {secret_of(who)}" for who in EVERYBODY)
        for who in EVERYBODY:
            await says(team, who, f"{parley[who[0]]} what did everybody tell you, {secret_of(who)[::-1]}?")
        anew = (await asked_of(team, 2 * len(EVERYBODY)))[len(EVERYBODY) :]
        for asker, other in permutations(EVERYBODY, 2):
            (asked,) = [a for a in anew if f"{secret_of(asker)[::-1]}?" in a.prompt]
            assert secret_of(other) not in asked.prompt, (asker, other)
        assert not [a.text for a in anew if "c4n4ry" in a.text]
        for who in EVERYBODY:
            await says(team, who, "and here?", threads[who])
        follow_ups = (await asked_of(team, 3 * len(EVERYBODY)))[2 * len(EVERYBODY) :]
        assert all(a.text == f"I was told: {a.text.partition(': ')[2]}" for a in follow_ups)
        assert sorted(a.text for a in follow_ups) == sorted(a.text for a in first), (
            "each its own, and only that"
        )
        keys = [a.body["prompt_cache_key"] for a in (*first, *anew)]
        assert len(set(keys)) == len(keys)


async def test_attack_07_direct_messages_stay_out_of_channels_and_the_other_way_round(tmp_path: Path) -> None:
    async with captured(tmp_path, PARLEY_PERSONA="You are Parley.") as team:
        dm = team.slack.dm("alice")
        await team.answer(dm, await team.ask("remember c4n4rydirect", channel=dm))
        await team.answer("#general", await team.ask("@parley remember c4n4rygeneral"))
        thread = await team.ask("@parley what do you know?")
        assert "c4n4ry" not in await team.answer("#general", thread)
        direct = await team.ask("what do you know?", channel=dm)
        assert "c4n4ry" not in await team.answer(dm, direct)


async def test_attack_34_one_message_id_in_two_teams_is_two_conversations(tmp_path: Path) -> None:
    async with captured(tmp_path, slack={"teams": 2, "clock": lambda: 1_800_000_000.0}) as team:
        for number in (1, 2):
            await says(team, (number, "C0GENERAL", "U0ALICE00"), f"<@U0PARLEY0{number}> c4n4ry{number}")
        requests = await asked_of(team, 2)
        assert [("c4n4ry1" in a.prompt, "c4n4ry2" in a.prompt) for a in requests] == [
            (True, False),
            (False, True),
        ] or [("c4n4ry1" in a.prompt, "c4n4ry2" in a.prompt) for a in requests] == [
            (False, True),
            (True, False),
        ]
        assert len({a.body["prompt_cache_key"] for a in requests}) == 2


# 19: somebody else's money

CAP = Decimal("0.01")  # a few answers of the model at their upper bound


async def cap(team: Workspace, scope: str, target: str = "") -> None:
    budget = Budget(team.slack.team, scope, target, "day", CAP, owner="")  # type: ignore[arg-type]
    await team.bot.services.costs.budgets.put(budget)


async def spent(team: Workspace) -> Decimal:
    return (await team.bot.services.costs.this_month(team.slack.team)).cost_usd


async def flood(team: Workspace, people: tuple[str, ...], channels: tuple[str, ...], times: int) -> None:
    """So many questions, as fast as they can be written."""
    team.model.answer = long_answer
    for n in range(times):
        await team.ask(
            f"@parley question {n}", user=people[n % len(people)], channel=channels[n % len(channels)]
        )
    await team.quiet()


def long_answer(asked: Any) -> RehearsedAnswer:
    return RehearsedAnswer("word " * 1_500)


ALL_CHANNELS = ("#general", "#support")


async def one_person(team: Workspace) -> None:
    await cap(team, "person", team.slack.user("bob"))
    await flood(team, ("bob",), ALL_CHANNELS, 40)


async def each_person(team: Workspace) -> None:
    await cap(team, "person", "*")
    await flood(team, ("carol",), ALL_CHANNELS, 40)


async def one_channel(team: Workspace) -> None:
    await cap(team, "channel", team.slack.channel("#general"))
    await flood(team, ("alice", "bob", "carol"), ("#general",), 40)


async def the_workspace(team: Workspace) -> None:
    await cap(team, "workspace")
    await flood(team, ("alice", "bob", "carol"), ALL_CHANNELS, 40)


async def one_model(team: Workspace) -> None:
    await cap(team, "model", "gpt-4.1-mini")
    await flood(team, ("bob",), ALL_CHANNELS, 20)


async def one_kind(team: Workspace) -> None:
    await cap(team, "kind", "answer")
    await flood(team, ("bob",), ALL_CHANNELS, 20)


async def rare_emoji(team: Workspace) -> None:
    await cap(team, "workspace")
    for n in range(3):
        await team.ask(f"@parley {chr(0x1FAE0 + n) * 38_000}", user="bob")
    await team.quiet()


async def follow_ups(team: Workspace) -> None:
    await cap(team, "workspace")
    team.model.answer = long_answer
    thread = await team.ask("@parley begin", user="bob")
    for n in range(20):
        await team.ask(f"go on {n}", user="bob", thread=thread)
    await team.quiet()


async def failures(team: Workspace) -> None:
    await cap(team, "workspace")
    team.model.faults.add("reset", times=30)
    for n in range(10):
        await team.ask(f"@parley {n}", user="bob")
    await team.quiet()


async def retries(team: Workspace) -> None:
    await cap(team, "workspace")
    team.model.faults.add("reset", times=3)
    thread = await team.ask("@parley hello", user="bob")
    await team.slack.until(lambda: RETRY in str(team.replies("#general", thread)))
    await team.quiet()
    await pressed(team, "bob", thread, times=200)
    await team.quiet()


SPENT = [
    one_person, each_person, one_channel, the_workspace, one_model, one_kind, rare_emoji, follow_ups,
    failures, retries,
]  # fmt: skip


@pytest.mark.parametrize("attack", SPENT)
async def test_attack_19_no_flood_costs_more_than_its_cap(
    tmp_path: Path, attack: Callable[[Workspace], Awaitable[None]]
) -> None:
    async with workspace(tmp_path) as team:
        await attack(team)
        assert await spent(team) <= CAP
        for standing in await team.bot.services.costs.budgets.standings(team.slack.team):
            assert standing.reserved_usd == 0
            assert standing.spent_usd <= CAP


async def pressed(team: Workspace, user: str, thread: str, *, times: int) -> None:
    (message,) = [m for m in team.replies("#general", thread) if RETRY in str(m.get("blocks"))]
    message = dict(message)
    for _ in range(times):
        await team.press_as_it_stood(user, "#general", message, RETRY)


async def edited(team: Workspace) -> None:
    ts = await team.ask("hello", user="bob")
    for n in range(50):
        await team.slack.edit("bob", "#general", ts, f"@parley version {n}" if n % 2 else "nothing")
    await team.quiet()


async def delivered_again(team: Workspace) -> None:
    await team.ask("@parley hello", user="bob")
    await team.quiet()
    for delivery in list(team.slack.deliveries):
        for _ in range(10):
            await team.slack.push("events_api", delivery.payload, delivery.team).wait_finished()
    await team.quiet()


async def invisible(team: Workspace) -> None:
    for _ in range(20):
        await team.ask("@parley " + "\u200b\u2060\U000e0041" * 28, user="bob")
    await team.quiet()


async def deleted(team: Workspace) -> None:
    team.model.pace.first_token_s = 5
    ts = await team.ask("@parley hello", user="bob")
    await team.slack.until(lambda: team.model.requests)
    await team.slack.delete("bob", "#general", ts)
    await team.quiet()


async def other_bots(team: Workspace) -> None:
    for n in range(20):
        await team.ask(f"@parley loop {n}", user="zapbot")
    await team.ask("@parley and once", user="bob")
    await team.quiet()


async def round_and_round(team: Workspace) -> None:
    thread = await team.ask("@parley one", user="bob")
    await team.answer("#general", thread)
    for n in range(10):
        await team.ask(f"again {n}", user="bob", thread=thread)
    await team.quiet()


async def commands(team: Workspace) -> None:
    for word in ("usage", "usage week by person", "estimate some text", "budget", "help", "settings") * 5:
        await team.slack.command("bob", "#general", "/parley", word)
    await team.ask("@parley and once", user="bob")
    await team.quiet()


async def reactions(team: Workspace) -> None:
    thread = await team.ask("@parley hello", user="bob")
    await team.answer("#general", thread)
    await team.quiet()
    (reply,) = team.replies("#general", thread)
    for _ in range(20):
        await team.slack.press("carol", "#general", reply["ts"], FEEDBACK, value=f"1:{reply_id(reply)}")
    await team.quiet()


async def closed_channels(team: Workspace) -> None:
    for n in range(10):
        await team.ask(f"@parley {n}", user="dana", channel="#partners")
    await team.ask("@parley and once", user="bob")
    await team.quiet()


ASKED_ONCE = [
    edited, delivered_again, deleted, other_bots, round_and_round, commands, reactions, closed_channels,
]  # fmt: skip
LIMITS = {"PARLEY_THREAD_TURN_LIMIT": "1", "PARLEY_EXTERNAL": "refuse"}


@pytest.mark.parametrize("attack", ASKED_ONCE)
async def test_attack_19_one_question_is_one_request(
    tmp_path: Path, attack: Callable[[Workspace], Awaitable[None]]
) -> None:
    async with workspace(tmp_path, **LIMITS) as team:
        await attack(team)
        assert len(team.model.requests) == 1


async def test_attack_19_what_nobody_can_see_asks_for_nothing(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await invisible(team)
        assert not team.model.requests


def test_attack_19_there_are_nineteen_ways() -> None:
    assert len(SPENT) + len(ASKED_ONCE) + 1 >= 19


# 20: bots


async def test_attack_20_no_bot_is_answered_not_even_slacks_or_ourselves(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await team.ask("@parley hello", user="zapbot")
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        await team.ask("I disagree", user="zapbot", thread=thread)
        await team.quiet()
        assert len(team.model.requests) == 1


async def test_attack_20_a_bot_that_may_ask_is_told_that_it_asks_too_often_and_then_ignored(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path, PARLEY_ASKING_APPS="A0ZAPBOT01", PARLEY_ASKING_APPS_LIMIT="2") as team:
        for n in range(6):
            await team.ask(f"@parley loop {n}", user="zapbot")
        await team.quiet()
        assert len(team.model.requests) == 2
        assert len(team.calls("chat.postMessage")) == 3


async def by_another_bot(team: Workspace, thread: str) -> None:
    await team.ask("@parley hello", user="zapbot")
    await team.ask("I disagree", user="zapbot", thread=thread)
    for _ in range(10):
        await team.ask("and again", user="zapbot", thread=thread)


async def edited_by_a_bot(team: Workspace, thread: str) -> None:
    ts = await team.ask("nothing for you", user="zapbot")
    await team.slack.edit("zapbot", "#general", ts, "@parley now it is")


async def as_it_would_be_pushed(team: Workspace, thread: str) -> None:
    """What Slack could push of bots in other shapes: slackbot, a workflow, ourselves, an integration."""
    ws = team.slack.workspace
    for n, author in enumerate(
        (
            {"user": "USLACKBOT"}, {"user": ws.bot}, {"bot_id": "B0WORKFLOW"},
            {"user": ws.bot, "bot_id": ws.bot_id}, {"subtype": "bot_message", "bot_id": "B0OLD"},
            {"user": "U0ZAP00001", "bot_id": "B0ZAP"},
        )
    ):  # fmt: skip
        for kind in ("app_mention", "message"):
            event = {
                "type": kind, "channel": "C0GENERAL1", "channel_type": "channel", "thread_ts": thread,
                "ts": f"{1_800_000_000 + n}.000{len(kind)}00", "text": f"<@{ws.bot}> what do you say?",
                **author,
            }  # fmt: skip
            body = {"type": "event_callback", "team_id": ws.team, "event_id": f"Ev{n}{kind}", "event": event}
            assert (await team.slack.push("events_api", body, ws.team).wait_finished()).acked


@pytest.mark.parametrize("loop", [by_another_bot, edited_by_a_bot, as_it_would_be_pushed])
async def test_attack_20_no_bot_of_any_shape_is_answered(
    tmp_path: Path, loop: Callable[[Workspace, str], Awaitable[None]]
) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        await loop(team, thread)
        await team.quiet()
        assert len(await kept(team)) == len(team.model.requests) == 1


# 30, 31: whose button, whose command


def reply_id(message: dict[str, Any]) -> str:
    return str(message["metadata"]["event_payload"]["id"])


async def test_attack_30_only_the_asker_tries_again_and_only_once(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        team.model.faults.add("reset", times=3)
        thread = await team.ask("@parley hello", user="alice")
        await team.slack.until(lambda: RETRY in str(team.replies("#general", thread)))
        await team.quiet()
        before = len(team.model.requests)
        await pressed(team, "bob", thread, times=3)
        assert "not yours" in str(team.slack.ephemerals("bob"))
        assert len(team.model.requests) == before
        await pressed(team, "alice", thread, times=3)
        await team.slack.until(lambda: len(team.model.requests) > before)
        await team.quiet()
        assert len(team.model.requests) == before + 1


FORGED = ("", "0", "1", "999", "-1", "nobody", "1:nobody", "1:", ":", "9", "x" * 2_000, "null", "1 or 1=1")


async def test_attack_30_a_value_that_was_changed_does_nothing(tmp_path: Path) -> None:
    """Every button, with every value, pressed by somebody who has no say, and by one of another team."""
    actions = set(routes.table(None, None)["action"]) - {FORGET_ALL}  # type: ignore[arg-type]
    async with workspace(tmp_path, slack={"teams": 2}) as team:
        thread = await team.ask("@parley hello")
        await team.answer("#general", thread)
        await team.quiet()
        (reply,) = team.replies("#general", thread)
        before = await team.bot.services.engine.read(everything)
        for action in actions:
            for value in (*FORGED, reply_id(reply)):
                if (action, value) != (FEEDBACK, f"1:{reply_id(reply)}"):
                    for ws in team.slack.workspaces:
                        await forged(
                            team, ws, reply["ts"], {"action_id": action, "type": "button", "value": value}
                        )
        await team.quiet()
        assert await team.bot.services.engine.read(everything) == before
        assert len(team.model.requests) == 1


# Buttons that stand in windows: the window's own metadata is forged with them.
IN_WINDOWS = (
    form.OPEN_RECORD,
    form.OPEN_QUESTIONS,
    form.OPEN_LEARNING,
    learning_blocks.USE,
    blocks.USE,
    unanswered_blocks.ADD,
    unanswered_blocks.WRITE,
    unanswered_blocks.ASK_AGAIN,
    unanswered_blocks.NOT_OURS,
)


async def forged(team: Workspace, ws: Any, ts: str, action: dict[str, Any]) -> None:
    body = {
        "type": "block_actions", "team": {"id": ws.team}, "trigger_id": "1.1",
        "user": {"id": f"U0BOB0000{ws.number}", "team_id": ws.team}, "api_app_id": "A0PARLEY01",
        "channel": {"id": "C0GENERAL1"}, "message": {"ts": ts}, "actions": [action],
        "response_url": f"{team.slack.base_url}/actions/T/none",
        "view": {
            "id": "V0FORGED", "type": "modal",
            "private_metadata": json.dumps({"channel": "C0LEADS001", "was": ""}),
        },
    }  # fmt: skip
    if action["action_id"] not in IN_WINDOWS:
        del body["view"]
    assert (await team.slack.push("interactive", body, ws.team).wait_finished()).acked, action


def everything(tx: Tx) -> dict[str, int]:
    """How many rows of each kind there are that somebody's press could make, change or erase."""
    counted = (
        "inbox",
        "replies",
        "messages",
        "clips",
        "guard_policies",
        "guard_examples",
        "answer_examples",
        "answer_models",
        "feedback",
        "ledger",
    )
    return {name: tx.all(f"select count(*) as n from {name}")[0]["n"] for name in counted}


def test_attack_30_another_team_has_no_say_about_an_answer(tmp_path: Path) -> None:
    with open_rows(tmp_path / "rows.db") as tx:
        replies.begin(tx, "r", 1, HERE, "U1", sending=False, now=0)
        with pytest.raises(Missing):
            replies.judge(tx, "r", "T-OTHER", "U1", -1, now=1)


# Who may, of an admin, a member, a guest and somebody of another company.
EVERYBODY_HERE = ("alice", "bob", "carol", "dana")
RIGHTS = {
    "budget channel 20 per month": ("alice",),
    "budget person @carol 5 per day": ("alice",),
    "budget workspace 20 per month": ("alice",),
    "budget model gpt-4.1-mini 20 per month": ("alice",),
    "owner @bob": ("alice",),
    "owner remove @bob": ("alice",),
    **dict.fromkeys(
        (
            "usage", "usage month by person", "usage today by model", "usage 2026-10 by kind csv", "budget",
            "estimate 1 hour", "digest off", "forget thread", "forget", "help", "no such command",
        ),
        EVERYBODY_HERE,
    ),
}  # fmt: skip
ONLY_ADMINS = [command for command, allowed in RIGHTS.items() if allowed == ("alice",)]


def with_a_guest(team: Workspace) -> None:
    ws = team.slack.workspace
    ws.people[team.slack.user("carol")].guest = True
    ws.channels[team.slack.channel("#partners")].members[team.slack.user("carol")] = None


async def test_attack_31_each_command_does_what_the_asker_may_and_no_more(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        with_a_guest(team)
        for command, allowed in RIGHTS.items():
            for user in reversed(EVERYBODY_HERE):
                said = str(await run_command(team, user, command, channel="#partners"))
                refused = "not yours" in said
                assert refused is (user not in allowed), (command, user, said)
        for user in ("dana", "carol", "bob"):
            assert NOT_YOURS in str(await opened(team, user, "#partners"))
            await team.slack.close_modal(user)


async def test_attack_31_in_a_direct_message_nobody_has_more_rights_than_elsewhere(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        with_a_guest(team)
        wide = [command for command in ONLY_ADMINS if not command.startswith("budget channel")]
        before = await team.bot.services.costs.budgets.standings(team.slack.team)
        for user in ("bob", "carol"):
            for command in wide:
                said = str(await run_command(team, user, command, channel=team.slack.dm(user)))
                assert "not yours" in said or "channel" in said, (command, user, said)
        assert await team.bot.services.costs.budgets.standings(team.slack.team) == before


# Privacy of the whole: what others are shown of a private channel


async def test_a_private_channels_rows_reach_nobody_outside_it(tmp_path: Path) -> None:
    async with captured(tmp_path) as team:
        thread = await team.ask("@parley remember c4n4ryleads", channel="#leads")
        await team.answer("#leads", thread)
        await team.quiet()
        link = f"https://x.slack.com/archives/C0LEADS001/p{thread.replace('.', '')}"
        for command in (
            "usage month by channel csv", "usage month by person", "budget list", "budget log", "export",
            f"forget thread {link}", "forget thread", "owner",
        ):  # fmt: skip
            before = len(team.slack.ephemerals("carol"))
            await team.slack.command("carol", "#general", "/parley", command)
            await team.slack.until(lambda before=before: len(team.slack.ephemerals("carol")) > before)  # type: ignore[misc]
        await team.slack.open_home("carol")
        await team.slack.until(lambda: team.slack.home("carol"))
        await team.ask("what do you know?", user="carol", channel=team.slack.dm("carol"))
        await team.quiet()
        direct = team.slack.workspace.direct(team.slack.user("carol"))
        files = [f["id"] for m in direct.messages.values() for f in m.get("files", ())]
        seen = [
            str(team.slack.ephemerals("carol")),
            str(team.slack.home("carol")),
            str(list(direct.messages.values())),
            *(team.slack.workspace.files[id].content.decode("utf-8", "replace") for id in files),
        ]
        for text in seen:
            for hidden in ("c4n4ryleads", "#leads", "C0LEADS001", team.slack.user("alice")):
                assert hidden not in text.replace(link, ""), hidden
        await team.ask("still there?", channel="#leads", thread=thread)
        await team.answer("#leads", thread, count=2)
        assert "c4n4ryleads" in team.model.requests[-1].prompt, "carol could not make it forget"
        assert not [text for text in shown(team) if "c4n4ryleads" in text and "I was told" not in text]
