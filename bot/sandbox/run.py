"""Runs the whole sandbox: fake Slack, fake model and page in one process, the real bot in a child of it.

    await run(8765, manifest)        # until cancelled; prints its address when the bot is connected
    await run(8765, manifest, processes=2)          # so many bots, on a PostgreSQL of their own

The rehearsal model answers unless OPENAI_API_KEY or OPENAI_BASE_URL is set. A model server found on its usual
port is shown, and used only with PARLEY_SANDBOX_LOCAL=1. The database is thrown away at the end, and at
every reset.
"""

from __future__ import annotations

import asyncio
import errno
import os
import signal
import socket
import sys
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bot.sandbox import scene
from bot.sandbox.bot_process import BOT, BotProcess, Create
from bot.sandbox.database import DatabaseFile, DatabaseServer, SandboxDatabase
from bot.sandbox.local_servers import LocalServer, find_local_servers
from bot.sandbox.model.relay import Relay
from bot.sandbox.model.server import FakeModel
from bot.sandbox.page_server import PageServer
from bot.sandbox.postgres_programs import NoPostgres
from bot.sandbox.slack.server import FakeSlack

# How fast the rehearsal model talks: slow enough to see it stream and to press stop, quick to read along.
FIRST_TOKEN_S, TOKENS_PER_S = 0.35, 60.0
CONNECTED_WITHIN_S = 30.0
_HERE = ("127.0.0.1", "localhost", "::1")
_OPENAI = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class ChosenModel:
    """Which model answers. `kind` is "rehearsal", "local" or "account"; `found` are servers that could."""

    kind: str
    name: str
    environment: Mapping[str, str] = field(default_factory=dict, repr=False)  # what the bot is given for it
    host: str = ""  # where messages go, when they leave this process
    servers: tuple[LocalServer, ...] = ()

    @property
    def upstream(self) -> str:
        """The address of the model whose requests the page can show: not the rehearsal model, which shows its
        own, and none whose address tells the bot what things cost."""
        given = self.environment.get("OPENAI_BASE_URL") or _OPENAI
        known = self.kind == "local" or given.startswith(_OPENAI)
        return given if known and self.kind != "rehearsal" else ""

    def about(self) -> dict[str, Any]:
        servers = [{"name": s.name, "base_url": s.base_url, "models": list(s.models)} for s in self.servers]
        return {"kind": self.kind, "name": self.name, "host": self.host, "found": servers}


def choose_model(environ: Mapping[str, str], servers: list[LocalServer], rehearsal_url: str) -> ChosenModel:
    """Choose the model that answers, from the environment and what was found on this machine."""
    model, here = environ.get("PARLEY_MODEL", ""), tuple(servers)
    key, base_url = environ.get("OPENAI_API_KEY", ""), environ.get("OPENAI_BASE_URL", "")
    if base_url or key:
        host = urlsplit(base_url or _OPENAI).hostname or ""
        kind = "local" if host in _HERE else "account"
        given = {"OPENAI_API_KEY": key or "none", "OPENAI_BASE_URL": base_url}
        return ChosenModel(kind, model or "the default model", given, host, here)
    if environ.get("PARLEY_SANDBOX_LOCAL") and servers:
        server = servers[0]
        name = model or next(iter(server.models), "")
        given = {"OPENAI_API_KEY": "none", "OPENAI_BASE_URL": server.base_url, "PARLEY_MODEL": name}
        return ChosenModel("local", f"{name} ({server.name})", given, "127.0.0.1", here)
    given = {"OPENAI_API_KEY": "sk-rehearsal", "OPENAI_BASE_URL": rehearsal_url}
    if not model:
        transcript = environ.get("PARLEY_STYLE") == "transcript"
        given["PARLEY_MODEL"] = "rehearsal" if transcript else REHEARSED
        given["PARLEY_FREE_MODELS"] = environ.get("PARLEY_FREE_MODELS") or "rehearsal"
    given.setdefault(
        "PARLEY_MAX_TOKENS", environ.get("PARLEY_MAX_TOKENS") or str(scene.LONGEST_ANSWER_TOKENS)
    )
    return ChosenModel("rehearsal", "rehearsal model", given, "", here)


# Slack's are a second, a minute and five; who kills the bot to watch it come back does not want to wait.
RETRY_DELAYS_S = (1.0, 5.0, 30.0)
RESTARTED_AFTER_S = 0.2
KILLED_FOR_S = 4.0  # where others take over: long enough to see it


# One that refuses no parameter, so that the first question is one request, and that has a price.
REHEARSED = "gpt-4.1"
ENDS_IN_DAYS = 46  # so that the notice to Bob, the operator, and the line on Home can be seen


@dataclass(frozen=True, slots=True)
class Sandbox:
    """Everything that runs; what tests and pictures act on."""

    slack: FakeSlack
    model: FakeModel
    relay: Relay | None  # before a model that is not ours
    page: PageServer
    bots: tuple[BotProcess, ...]
    database: SandboxDatabase
    with_scene: bool  # begins with what scene.py adds, not empty

    @property
    def bot(self) -> BotProcess:
        """The first of them, mostly the only one."""
        return self.bots[0]


@asynccontextmanager
async def sandbox(
    manifest: Mapping[str, Any],
    port: int = 0,
    *,
    environ: Mapping[str, str] = os.environ,
    command: Sequence[str] = BOT,
    create: Create = asyncio.create_subprocess_exec,
    with_scene: bool = False,
    processes: int = 1,
) -> AsyncIterator[Sandbox]:
    """The running sandbox with the app of `manifest`; `command` starts a bot, by `create`. Ends all
    that it started.

    With several processes they share a PostgreSQL: NoPostgres where none can be started.
    """
    async with AsyncExitStack() as stack:
        database = await _open_database(stack, processes)
        slack = await stack.enter_async_context(FakeSlack(manifest=manifest, retry_delays_s=RETRY_DELAYS_S))
        model = FakeModel(first_token_s=FIRST_TOKEN_S, tokens_per_s=TOKENS_PER_S)
        model.ends[REHEARSED] = (datetime.now(UTC) + timedelta(days=ENDS_IN_DAYS)).date().isoformat()
        await stack.enter_async_context(model)
        chosen = choose_model(environ, await find_local_servers(), model.base_url)
        given = environment(environ, slack, database.url) | dict(chosen.environment)
        relay = await stack.enter_async_context(Relay(chosen.upstream)) if chosen.upstream else None
        if relay:
            given["OPENAI_BASE_URL"] = relay.base_url
        visible = relay or (model if chosen.kind == "rehearsal" else None)
        away_s = KILLED_FOR_S if processes > 1 else RESTARTED_AFTER_S
        bots = tuple(
            BotProcess(given | _own_port(), command, create=create, away_s=away_s) for _ in range(processes)
        )
        page = PageServer(
            port=port,
            slack_url=slack.base_url,
            model_url=visible.base_url.removesuffix("/v1") if visible else "",
            model=chosen.about,
            bots=bots,
            database=database,
            reset=lambda: reset(running),
        )
        running = Sandbox(slack, model, relay, page, bots, database, with_scene)
        if with_scene:
            scene.add_scene(slack)
        await stack.enter_async_context(page)
        stack.push_async_callback(_stop, bots)
        for bot in bots:
            bot.start()
        yield running


async def _open_database(stack: AsyncExitStack, processes: int) -> SandboxDatabase:
    if processes > 1:
        return await stack.enter_async_context(DatabaseServer())
    return DatabaseFile(Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="parley-sandbox-"))))


async def _stop(bots: Sequence[BotProcess], *, at_once: bool = False) -> None:
    await asyncio.gather(*(bot.stop(at_once=at_once) for bot in bots))


def environment(environ: Mapping[str, str], slack: FakeSlack, database: str) -> dict[str, str]:
    """Make the bots' environment: that of this process, with this Slack and a throwaway database."""
    kept = {k: v for k, v in environ.items() if not k.startswith("SLACK_") and k != "PARLEY_CONFIG"}
    return (
        {
            "PARLEY_POLICIES": str(scene.POLICIES),
            "PARLEY_VOICE_LISTEN": "every",
            "PARLEY_ASKING_APPS": scene.ASKING_APP,
            "PARLEY_OPERATORS": slack.user("bob"),
        }
        | kept
        | {
            "SLACK_API_URL": slack.api_url,
            "SLACK_BOT_TOKEN": slack.bot_token,
            "SLACK_APP_TOKEN": slack.app_token,
            "SLACK_SIGNING_SECRET": slack.signing_secret,
            "PARLEY_ENV_FILE": "",  # that is of a real workspace
            "PARLEY_TRANSPORT": "socket",
            "PARLEY_DATABASE": database,
            "PARLEY_OPS_PORT": "0",
            "PYTHONUNBUFFERED": "1",
        }
    )


def _own_port() -> dict[str, str]:
    """The address of a bot's usage page, which it has to know before it starts."""
    port = _free_port()
    return {"PORT": str(port), "PARLEY_PUBLIC_URL": f"http://127.0.0.1:{port}"}


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


async def wait_connected(running: Sandbox, within_s: float = CONNECTED_WITHIN_S) -> bool:
    """Wait until each bot holds a socket; False when it does not in time."""
    try:
        await running.slack.until(lambda: running.slack.sockets.connections, within_s)
        if len(running.bots) > 1:
            await running.slack.until(lambda: all(bot.state == "running" for bot in running.bots), within_s)
    except TimeoutError:
        return False
    return True


async def wait_ready(running: Sandbox) -> bool:
    """Wait as `wait_connected` does, then tell the bot what the example wants of it, if there is one."""
    if not await wait_connected(running):
        return False
    if running.with_scene:
        await scene.instruct(running.slack)
    return True


async def reset(running: Sandbox) -> None:
    """Start again with a new workspace, and a bot that remembers nothing of the one before."""
    await _stop(running.bots, at_once=True)
    running.slack.sockets.drop()  # one that has not noticed its end yet would pass for the new bot's
    await running.database.empty()
    running.model.reset()
    if running.relay:
        running.relay.reset()
    running.slack.reset()
    if running.with_scene:
        scene.add_scene(running.slack)
    for bot in running.bots:
        bot.start()
    await wait_ready(running)


async def run(port: int, manifest: Mapping[str, Any], *, processes: int = 1) -> None:
    """Run the sandbox at this port of 127.0.0.1 until cancelled, or told to end by SIGTERM or SIGHUP."""
    serving = asyncio.create_task(_serve(port, manifest, processes))
    for signal_number in (signal.SIGTERM, signal.SIGHUP):
        # Without this the sandbox would be gone at once, and the bot, its child, would stay.
        asyncio.get_running_loop().add_signal_handler(signal_number, serving.cancel)
    try:
        await serving
    except asyncio.CancelledError:
        here = asyncio.current_task()
        if here and here.cancelling():
            raise
    except NoPostgres as exc:
        raise SystemExit(f"parley: several processes need a PostgreSQL: {exc}") from None
    except OSError as exc:
        if exc.errno != errno.EADDRINUSE:
            raise
        raise SystemExit(f"parley: port {port} is in use; choose another with PARLEY_SANDBOX_PORT") from None


async def _serve(port: int, manifest: Mapping[str, Any], processes: int) -> None:
    async with sandbox(manifest, port, with_scene=True, processes=processes) as running:
        if await wait_ready(running):
            print(f"Parley's sandbox is at {running.page.url} (Ctrl-C ends it)", flush=True)
        else:
            print("\n".join(list(running.bot.log)[-15:]), file=sys.stderr)
            print(f"The bot has not connected; see its log at {running.page.url}", flush=True)
        await asyncio.Event().wait()
