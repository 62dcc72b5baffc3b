"""`parley sandbox` as a whole: the real bot as a child process, killed, brought back, and gone at the end."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from pathlib import Path

import pytest
from aiohttp import ClientSession, web

from bot.sandbox import postgres_programs
from bot.sandbox.bot_process import BotProcess
from bot.sandbox.local_servers import LocalServer, find_local_servers
from bot.sandbox.model.server import FakeModel
from bot.sandbox.prices import cost_usd
from bot.sandbox.run import choose_model, reset, run, sandbox, wait_connected, wait_ready
from tests.support.forked import PIPE, Process, start_module
from tests.support.sandboxes import HERE, answered, forked_sandbox
from tests.support.throwaway_server import throwaway_server
from tests.support.waiting import until
from tests.support.workspace import MANIFEST

OLLAMA = LocalServer("Ollama", "http://127.0.0.1:11434/v1", ("qwen3:8b",))


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


async def test_the_real_bot_answers_survives_kill_9_in_mid_answer_and_leaves_nothing_behind() -> None:
    async with forked_sandbox() as running:
        assert await wait_connected(running), "\n".join(running.bot.log)
        ts = await running.slack.say("alice", "#general", "@parley Our release is on Thursday.")
        assert "Thursday" in (await answered(running, ts))["text"]

        ts = await running.slack.say("alice", "#general", "@parley Write 150 words about tea")
        await running.slack.until(lambda: running.slack.workspace.streams)
        first = running.bot.pid
        running.bot.kill()
        reply = await answered(running, ts)
        assert running.bot.pid != first
        assert running.bot.last_exit == -signal.SIGKILL
        assert len(running.slack.thread("#general", ts)) == 2, "one question, one reply"
        assert reply["text"]
        last = running.bot.pid
    assert not alive(first)
    assert not alive(last)


async def test_every_channel_is_what_it_says_and_a_reset_begins_anew() -> None:
    async with forked_sandbox(with_scene=True) as running:
        running.slack.rates.enabled = False
        running.model.pace.first_token_s, running.model.pace.tokens_per_s = 0.01, 0
        assert await wait_ready(running), "\n".join(running.bot.log)

        async def asked(channel: str, text: str) -> str:
            ts = await running.slack.say("alice", channel, f"@parley {text}")
            reply = await answered(running, ts, channel)
            return json.dumps([reply["text"], reply.get("blocks")], ensure_ascii=False)

        assert "what this channel is for" in await asked("#support", "How do I bake a lasagne?")
        assert "parcel" in await asked("#support", "Where is my parcel?")
        holiday = await asked("#handbook", "How many days of holiday?")
        assert "Wickerby team handbook 2026" in holiday
        assert ", page 2" in holiday
        assert "“Everybody has 30 days of holiday a year.”" in holiday
        assert ", slide 5" in await asked("#handbook", "Which tram do I take to the new office?")
        assert "No sufficient context" in await asked("#handbook", "What is the wifi password?")
        bob = running.slack.workspace.direct(running.slack.user("bob")).messages
        assert await running.slack.until(lambda: "gpt-4.1 ends on" in str(bob), 60), "he is the operator"
        for _ in range(2):
            assert "About invoices" in await asked("#finance", "Write 500 words about invoices")
        assert "of the daily channel budget is left" in await asked(
            "#finance", "Write 500 words about invoices"
        )

        before = running.bot.pid
        await reset(running)
        assert running.bot.pid != before
        assert not alive(before)
        assert "About tea" in await asked("#finance", "Write 50 words about tea"), "its budget is whole again"


async def test_a_transcript_is_stopped_before_the_model_speaks_for_the_person() -> None:
    async with forked_sandbox(HERE | {"PARLEY_STYLE": "transcript"}) as running:
        running.model.pace.tokens_per_s = 0
        assert await wait_connected(running), "\n".join(running.bot.log)
        ts = await running.slack.say("alice", "#general", "@parley what is 6 * 7?")
        reply = await answered(running, ts)
        assert "42" in reply["text"]
        assert "Human:" not in reply["text"]
        (asked,) = [one for one in running.model.requests if "what is 6 * 7?" in one.prompt]
        assert asked.unsaid.startswith("\n Human: ") or asked.unsaid.startswith(" Human: ")
        async with ClientSession() as page, page.get(f"{running.page.url}/sandbox/model_requests") as shown:
            assert asked.unsaid in {one["unsaid"] for one in (await shown.json())["requests"]}


async def address(running: Process) -> str:
    """What the command prints."""
    assert running.stdout is not None
    async with asyncio.timeout(40):
        line = (await running.stdout.readline()).decode()
    return next(word for word in line.split() if word.startswith("http://127.0.0.1:"))


async def bot_of(url: str) -> int:
    async with ClientSession() as asking, asking.get(f"{url}/sandbox/about") as answer:
        return int((await answer.json())["bot"]["pid"])


async def test_the_command_prints_its_address_and_ends_everything_at_ctrl_c() -> None:
    command = (sys.executable, "-m", "bot", "sandbox", "--port", "0")
    running = await asyncio.create_subprocess_exec(*command, env=HERE, stdout=PIPE, start_new_session=True)
    url = await address(running)
    bot = await bot_of(url)
    second = await start_module("bot", "sandbox", "--port", url.rpartition(":")[2], env=HERE, stderr=PIPE)
    _, error = await second.communicate()
    assert (second.returncode, b"in use" in error) == (1, True)
    os.killpg(running.pid, signal.SIGINT)
    async with asyncio.timeout(40):
        assert await running.wait() == 130
    assert not alive(bot)


async def test_the_command_ends_everything_when_it_alone_is_told() -> None:
    running = await start_module("bot", "sandbox", "--port", "0", env=HERE, stdout=PIPE)
    bot = await bot_of(await address(running))
    running.terminate()
    async with asyncio.timeout(40):
        assert await running.wait() == 0
    assert not alive(bot)


async def test_the_page_tells_which_model_answers_and_serves_nothing_but_itself() -> None:
    quiet = (sys.executable, "-c", "import time; time.sleep(60)")
    async with sandbox(MANIFEST, environ=HERE, command=quiet) as running, ClientSession() as asking:
        async with asking.get(f"{running.page.url}/sandbox/about") as answer:
            about = await answer.json()
        assert about["model"]["kind"] == "rehearsal"
        assert about["bot"]["state"] == "starting"
        for path in ("/page/../run.py", "/page/%2e%2e%2frun.py", "/page/nothing.js"):
            async with asking.get(running.page.url + path) as answer:
                assert answer.status == 404, path


async def test_other_pages_cannot_talk_to_the_sandbox() -> None:
    quiet = (sys.executable, "-c", "import time; time.sleep(60)")
    async with sandbox(MANIFEST, environ=HERE, command=quiet) as running, ClientSession() as asking:
        for headers in ({"Origin": "https://evil.example"}, {"Host": "evil.example:80"}):
            async with asking.post(
                f"{running.page.url}/sandbox/bot", json={"act": "kill"}, headers=headers
            ) as no:
                assert no.status == 403
        assert running.bot.state == "starting"


async def test_a_bot_that_dies_is_started_again_and_one_that_ignores_sigterm_is_killed(
    tmp_path: Path,
) -> None:
    stubborn = (
        "import signal, sys, time; signal.signal(15, signal.SIG_IGN); print('up', flush=True); time.sleep(60)"
    )
    bot = BotProcess(HERE, (sys.executable, "-c", stubborn), stop_within_s=0.2)
    bot.start()
    await until(lambda: "up" in bot.log)
    first = bot.pid
    bot.kill()
    await until(lambda: bot.log.count("up") == 2)
    second = bot.pid
    assert first != second
    await bot.stop()
    assert bot.state == "stopped"
    assert not alive(second)


def test_the_environment_decides_which_model_answers() -> None:
    ours = "http://127.0.0.1:9/v1"
    assert choose_model({}, [], ours).kind == "rehearsal"
    found = choose_model({}, [OLLAMA], ours)
    assert (found.kind, found.servers) == ("rehearsal", (OLLAMA,)), "found is told, not used"
    asked = choose_model({"PARLEY_SANDBOX_LOCAL": "1"}, [OLLAMA], ours)
    assert asked.kind == "local"
    assert asked.environment["PARLEY_MODEL"] == "qwen3:8b"
    assert choose_model({"OPENAI_BASE_URL": "http://localhost:8080/v1"}, [], ours).kind == "local"
    account = choose_model({"OPENAI_API_KEY": "sk-secret"}, [], ours)
    assert (account.kind, account.host) == ("account", "api.openai.com")
    assert "sk-secret" not in repr(account)
    assert "sk-secret" not in str(account.about())


async def test_a_local_server_is_found_on_its_port() -> None:
    async def other(request: web.Request) -> web.Response:
        return web.Response(text="something else")

    async with throwaway_server(other) as elsewhere, FakeModel() as model:
        ports = {"Ollama": model.port, "LM Studio": int(elsewhere.rpartition(":")[2]), "llama.cpp": 1}
        (server,) = await find_local_servers(ports)
    assert server.name == "Ollama"
    assert "rehearsal" in server.models


def test_requests_have_the_price_of_their_model_or_none() -> None:
    usage = {
        "prompt_tokens": 1_000_000,
        "completion_tokens": 0,
        "prompt_tokens_details": {"cached_tokens": 0},
    }
    cost = cost_usd({"body": {"model": "gpt-4.1-mini"}, "usage": usage})
    assert cost == pytest.approx(0.4)
    assert cost_usd({"body": {"model": "rehearsal"}, "usage": usage}) is None
    assert cost_usd({"body": {"model": "gpt-4.1-mini"}, "usage": None}) is None
    spoken = {"body": {"model": "whisper-1"}, "usage": {"type": "duration", "seconds": 60}}
    assert cost_usd(spoken) == pytest.approx(0.006)


async def test_several_processes_without_a_postgresql_are_refused_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(postgres_programs, "PACKAGE", "no_such_package")
    with pytest.raises(SystemExit, match="need a PostgreSQL: there is no PostgreSQL to start"):
        await run(0, MANIFEST, processes=2)
