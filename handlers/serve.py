"""`parley serve`: the whole bot in one process, from settings to the signal that ends it."""

from __future__ import annotations

import argparse
import asyncio
import gc
import logging
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any

from aiohttp import web

from bot.app import Services, open_services
from bot.core.arrivals import ArrivalOrder
from bot.core.background import run_alongside
from bot.core.errors import SetupError, SlackRefused, SlackRevoked, SlackUnavailable
from bot.core.settings import Settings
from bot.knowledge.local_files import LocalFile, add_local_file
from bot.limits.sharing import open_limits
from bot.ops import logs
from bot.ops.control_socket import socket_path
from bot.setup_problems import find_problems
from handlers.adapter import SlackChat
from handlers.costs.notices import give_notices
from handlers.costs.page import add_usage_page
from handlers.fields.cards import SlackFields
from handlers.http import BODY_LIMIT_BYTES, add_events, control_app, ops_app, serve_control, serve_http
from handlers.intake import Intake
from handlers.knowledge.following import sweep_nightly
from handlers.knowledge.sources import SlackDocuments
from handlers.knowledge_page import add_knowledge_page
from handlers.retirement import tell_endings
from handlers.routes import register
from handlers.slack.bolt import make_app
from handlers.slack.client import SlackClient, misleading_variables, missing_tokens, open_slack
from handlers.slack.deliveries import Deliveries
from handlers.slack.downloads import open_files
from handlers.slack.pacing import Pacing, name_workspace
from handlers.slack.socket import SocketConnections, open_sockets
from handlers.unanswered.people import SlackPeople
from handlers.unanswered.refusal import RefusalNotes
from handlers.voice.cards import ClipCards
from storage.database import open_engine
from storage.engine import Engine

log = logging.getLogger(__name__)

# Orchestrators give 30 s between the signal and the kill; work in flight gets the first 25.
DRAIN_S = 25.0
EXIT_EXPELLED = 75  # a failure that passes, in sysexits.h


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments: everything is a setting."""


async def run(args: argparse.Namespace, settings: Settings) -> int:
    """Serves until SIGTERM or SIGINT; returns the exit status."""
    if problems := missing_tokens(settings) + misleading_variables() + find_problems(settings):
        raise SetupError(problems)
    logs.setup(settings)
    logs.catch_uncaught()
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for signal_ in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(signal_, stopping.set)
    async with serving(settings, stopping) as bot:
        print(f"parley is ready: {bot.url}, health on {bot.ops_url}", flush=True)  # noqa: T201
        gc.freeze()  # what is there by now stays; looking through it again would stop the loop for 0.1 s
        await bot.services.provider.load()
        async with run_alongside(_end_when_expelled(bot.services.engine, stopping)):
            await stopping.wait()
        return 0 if bot.services.engine.is_member() else EXIT_EXPELLED


async def _end_when_expelled(engine: Engine, stopping: asyncio.Event) -> None:
    """Others do the work of a process that was thought dead. Whoever looks after it starts it again."""
    await engine.wait_until_expelled()
    stopping.set()


@dataclass(frozen=True, slots=True)
class Serving:
    """A running bot. `url` is where Slack's events come in, or "Socket Mode"."""

    settings: Settings
    services: Services
    url: str
    ops_url: str


@asynccontextmanager
async def serving(settings: Settings, stopping: asyncio.Event) -> AsyncIterator[Serving]:
    """The running bot. On exit: not ready, work in flight ends, the rest waits on disk."""
    async with AsyncExitStack() as stack:
        engine = await stack.enter_async_context(open_engine(settings.database))
        client = await stack.enter_async_context(open_slack(settings))
        limits = await stack.enter_async_context(open_limits(engine))
        pacing = Pacing(
            settings.streams_per_minute, limits=limits, workspace=name_workspace(settings.slack_bot_token)
        )
        chat = SlackChat(SlackClient(client, pacing, may_act=engine.is_member), settings)
        files = await stack.enter_async_context(open_files(settings, chat.slack))
        cards = ClipCards(settings, chat.slack, files, chat.threads)
        documents = SlackDocuments(settings, chat, files)
        fields = SlackFields(chat.slack)
        services = await stack.enter_async_context(
            open_services(
                engine,
                settings,
                chat,
                cards,
                limits,
                documents=documents,
                fields=fields,
                refusals=RefusalNotes(chat.slack),
                people=SlackPeople(chat),
            )
        )
        await introduce(chat.slack, settings)
        if chat.slack.team:
            await services.forgetting.note_installed(chat.slack.team)
            await services.guard.learn_given(chat.slack.team)
        deliveries = open_door(settings, services, chat)
        sockets: SocketConnections | None = None

        async def problems() -> list[str]:
            found = ["stopping"] if stopping.is_set() else []
            if chat.slack.revoked:
                found.append(f"slack: {chat.slack.revoked}")
            if sockets is not None and not await sockets.connected():
                found.append("slack: no socket is connected")
            return found + await services.health.find_problems()

        ops_port = await stack.enter_async_context(_open_ops(settings, services, chat, problems))
        url = "Socket Mode"
        public = public_app(settings, deliveries, services, chat)
        if public.router.resources():
            port = await stack.enter_async_context(serve_http(public, settings.host, settings.port))
            url = url if settings.socket_mode else f"http://{settings.host}:{port}"
        if settings.socket_mode:
            sockets = await stack.enter_async_context(open_sockets(deliveries, client, settings))
        await stack.enter_async_context(run_alongside(give_notices(services, chat)))
        await stack.enter_async_context(run_alongside(tell_endings(services, chat)))
        await stack.enter_async_context(run_alongside(sweep_nightly(services, chat)))
        try:
            yield Serving(settings, services, url, f"http://{settings.ops_host}:{ops_port}")
        finally:
            stopping.set()
            await services.inbox.drain(DRAIN_S if engine.is_member() else 0)


@asynccontextmanager
async def _open_ops(
    settings: Settings,
    services: Services,
    chat: SlackChat,
    problems: Callable[[], Awaitable[list[str]]],
) -> AsyncIterator[int]:
    """What an operator has of a running bot: health and metrics on a port, and a socket for commands. The
    port.

    People are answered even where somebody else sits on that port, unless it is the operator's own choice,
    which a monitor relies on.
    """
    chosen = "ops_port" in settings.model_fields_set
    ops = ops_app(problems, services.health.update_gauges)

    def add_document(file: LocalFile) -> AsyncIterator[dict[str, Any]]:
        return add_local_file(services.documents, replace(file, team=file.team or chat.slack.team))

    control = control_app(
        services.inbox,
        services.retention.erase_due,
        services.forgetting.forget_person,
        transcribe_file=services.transcriber.transcribe,
        add_document=add_document,
        access_log=services.access_log,
        problems=problems,
    )
    async with (
        serve_http(ops, settings.ops_host, settings.ops_port, or_any=not chosen) as port,
        serve_control(control, socket_path(settings)),
    ):
        yield port


async def introduce(slack: SlackClient, settings: Settings) -> None:
    """Asks Slack who we are. A refused token ends the start; a Slack that is away does not."""
    try:
        await slack.find_bot_user()
    except (SlackRefused, SlackRevoked) as exc:
        raise SetupError([f"SLACK_BOT_TOKEN: slack says {exc.code}"]) from exc
    except SlackUnavailable:
        log.warning("slack does not answer yet; who we are is learned later")


def public_app(
    settings: Settings, deliveries: Deliveries, services: Services, chat: SlackChat
) -> web.Application:
    """What others may reach: Slack's events, unless they come over a socket, and the pages of usage and of
    knowledge, where they have an address."""
    server = web.Application(client_max_size=BODY_LIMIT_BYTES)
    if not settings.socket_mode:
        add_events(server, deliveries)
    if settings.public_url:
        add_usage_page(server, services, chat)
        add_knowledge_page(server, services, chat)
    return server


def open_door(settings: Settings, services: Services, chat: SlackChat) -> Deliveries:
    """All that Slack can send us: posts go to the intake, the rest by Bolt to the listeners."""
    intake = Intake(
        services.posts,
        services.clips,
        services.invitations,
        services.forgetting,
        services.deliveries,
        services.follower,
        chat.slack,
        settings,
        order=ArrivalOrder() if services.engine.shared else None,
    )
    app = make_app(settings, chat.slack, before_authorize=intake.receive)
    register(app, services, chat)
    return Deliveries(app, intake.take_post, settings.slack_signing_secret)
