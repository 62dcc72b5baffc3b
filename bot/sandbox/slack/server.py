"""Runs a whole fake Slack on this machine, strict where Slack is; for sandbox, tests and benches.

Start here. It serves the Web API (api/), Socket Mode or signed HTTP events, file hosts and response_urls
(delivery/), and the page (live.py, page_api.py). People act as people/person.py and people/interactions.py
have it, under the names given to them here; what the app did is in `requests`, what it was sent in
`deliveries`. It imports nothing of the bot it serves.

    async with FakeSlack() as slack:
        ts = await slack.say("alice", "#general", "@parley hello")
        await slack.until(lambda: len(slack.thread("#general", ts)) > 1)
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Self, TypeVar

from aiohttp import web

from bot.sandbox.slack import limits
from bot.sandbox.slack.api.manifests import AppManifests
from bot.sandbox.slack.api.rates import RateLimits
from bot.sandbox.slack.api.server import WebApi
from bot.sandbox.slack.delivery import events
from bot.sandbox.slack.delivery.dispatch import DeliveryTransport, Dispatcher, HttpPush
from bot.sandbox.slack.delivery.hosts import Hosts
from bot.sandbox.slack.delivery.response_urls import ResponseUrls
from bot.sandbox.slack.delivery.socket import AppSockets
from bot.sandbox.slack.faults import SlackFaults
from bot.sandbox.slack.live import Live
from bot.sandbox.slack.page_api import PageApi
from bot.sandbox.slack.people.acts import ActLog, FileUpload, Replay, collect_acts
from bot.sandbox.slack.people.channels import ChannelActs
from bot.sandbox.slack.people.directory import PeopleDirectory
from bot.sandbox.slack.people.files import FileActs
from bot.sandbox.slack.people.interactions import Interactions
from bot.sandbox.slack.people.person import People
from bot.sandbox.slack.people.sharing import Sharing
from bot.sandbox.slack.record import Delivery, Record, SlackRequest
from bot.sandbox.slack.state import APP, Ids, Workspace

T = TypeVar("T")
BODY_BYTES = 256 * 1024 * 1024


class FakeSlack:
    """An async context manager; addresses are known once it is entered.

    manifest: the app's, as a dict; scopes, subscriptions, commands and shortcuts are read from it.
    clock: unix seconds; ages of streams, statuses, triggers and rate limits follow it, deadlines and
    retries run in real time. rate_limits: Slack's tiers on or off; rate_figures: other requests per minute
    for single methods. history_lag_s: how long a new message cannot be read back; who posted it knows its ts.
    distributed: reading is limited as for an app distributed outside the marketplace.
    bare_mentions: an app_mention tells neither files nor blocks, as Slack's sometimes does.
    org_wide: the app is installed for a whole organisation: what people press names no workspace.
    ring: how many requests and deliveries are kept; recording False keeps none
    and logs no acts, only the counters go on.
    """

    app_token = "xapp-1-sandbox"
    configuration_token = "xoxe.xoxp-1-sandbox"
    signing_secret = "sandbox-signing-secret"

    def __init__(
        self,
        port: int = 0,
        *,
        host: str = "127.0.0.1",
        manifest: Mapping[str, Any] = limits.MANIFEST,
        teams: int = 1,
        clock: Callable[[], float] = time.time,
        rate_limits: bool = True,
        rate_figures: Mapping[str, int] | None = None,
        distributed: bool = False,
        history_lag_s: float = 0.0,
        bare_mentions: bool = False,
        org_wide: bool = False,
        events_url: str = "",
        ack_deadline_s: float = limits.ACK_DEADLINE_S,
        retry_delays_s: Sequence[float] = limits.RETRY_DELAYS_S,
        recording: bool = True,
        ring: int = 20_000,
        seed: int = 1,
    ) -> None:
        self.manifest, self.clock = manifest, clock
        self._host, self._port, self._teams, self._distributed = host, port, teams, distributed
        self._bare_mentions = bare_mentions
        self._history_lag_s = history_lag_s
        self._org_wide = org_wide
        self.base_url = ""
        self.faults = SlackFaults(clock)
        self.record = Record(ring, keeping=recording)
        self.rates = RateLimits(
            clock, enabled=rate_limits, figures=rate_figures or {}, distributed=distributed
        )
        self.workspaces: list[Workspace] = []
        self._by_token: dict[str, Workspace] = {}
        self.response_urls = ResponseUrls()
        self.directory = PeopleDirectory(self.workspaces)
        self.live = Live(self.record, self.directory.find_person, self._about)
        self._dispatcher = Dispatcher(
            clock=clock,
            faults=self.faults,
            record=self.record,
            retry_delays_s=retry_delays_s,
            announce=self.live.delivery,
        )
        self.sockets = AppSockets(
            self._dispatcher, self.record, self.live.sockets, ack_deadline_s=ack_deadline_s, seed=seed
        )
        self._http = HttpPush(self._dispatcher, self.signing_secret, ack_deadline_s)
        self.manifests = AppManifests(APP, dict(manifest), self._change_manifest)
        self._api = WebApi(
            self._by_token.get,
            self.app_token,
            self._open_connection,
            self.configuration_token,
            self.manifests,
            clock=clock,
            faults=self.faults,
            record=self.record,
            rates=self.rates,
            announce=self.live.request,
        )
        self.events_url = events_url
        self._log = ActLog(self.workspaces, clock, self.record)
        people = People(self.directory, self._log)
        interactions = Interactions(
            self.directory,
            self._log,
            response_urls=self.response_urls,
            push=self.push,
            commands={str(command["command"]) for command in self._features("slash_commands")},
        )
        sharing = Sharing(self.directory, self._log)
        channels, files = ChannelActs(self.directory, self._log), FileActs(self.directory, self._log)
        self._acts = collect_acts(people, channels, files, sharing, interactions)
        self.say, self.upload, self.edit, self.delete = people.say, people.upload, people.edit, people.delete
        self.react, self.stop, self.archive = people.react, people.stop, channels.archive
        self.join, self.invite, self.connect = channels.join, channels.invite, channels.connect
        self.make_private, self.delete_channel = channels.make_private, channels.delete_channel
        self.deactivate = channels.deactivate
        self.share_file, self.change_file = files.share_file, files.change_file
        self.unshare_file, self.delete_file = files.unshare_file, files.delete_file
        self.paste_table, self.forward, self.alert = sharing.paste_table, sharing.forward, sharing.alert
        self.show_quote, self.run_workflow = sharing.show_quote, sharing.run_workflow
        self.open_home, self.look_at = people.open_home, people.look_at
        self.command, self.press, self.submit = interactions.command, interactions.press, interactions.submit
        self.close_modal, self.shortcut = interactions.close_modal, interactions.shortcut
        self._add_workspaces()

    # -- the workspaces

    def _add_workspaces(self) -> None:
        features: Any = self.manifest.get("features", {})
        bot_name = features.get("bot_user", {}).get("display_name", "parley").lower()
        ids = Ids()
        self.workspaces.clear()
        self._by_token.clear()
        for number in range(1, self._teams + 1):
            ws = Workspace(
                number, f"Sandbox {number}" if number > 1 else "Sandbox", bot_name, self.clock, ids
            )
            self._install(ws)
            self.workspaces.append(ws)
            self._by_token[ws.bot_token] = ws

    def _install(self, ws: Workspace) -> None:
        manifest: Any = self.manifest
        ws.scopes = frozenset(manifest["oauth_config"]["scopes"]["bot"])
        self._subscribe(ws)
        ws.distributed, ws.org_wide = self._distributed, self._org_wide
        ws.bare_mentions, ws.history_lag_s = self._bare_mentions, self._history_lag_s
        ws.host = self.base_url
        ws.emit = lambda subscription, event: self._emit(ws, subscription, event)
        ws.publish = lambda frame: self._publish(ws, frame)

    def _subscribe(self, ws: Workspace) -> None:
        manifest: Any = self.manifest
        subscriptions = manifest["settings"].get("event_subscriptions", {})
        ws.subscriptions = frozenset(subscriptions.get("bot_events", ()))
        ws.home_tab = bool(manifest.get("features", {}).get("app_home", {}).get("home_tab_enabled", False))

    def _change_manifest(self, manifest: Mapping[str, Any]) -> None:
        """What needs no new installation counts at once: all but scopes."""
        self.manifest = manifest
        for ws in self.workspaces:
            self._subscribe(ws)

    def _features(self, name: str) -> list[dict[str, Any]]:
        features: Any = self.manifest.get("features", {})
        return list(features.get(name, ()))

    def _about(self, ws: Workspace) -> dict[str, Any]:
        """What the page shows besides the workspace."""
        return {
            "teams": [{"id": w.team, "name": w.name} for w in self.workspaces],
            "commands": self._features("slash_commands"),
            "shortcuts": self._features("shortcuts"),
            "connections": len(self.sockets.connections),
            "rate_limits": self.rates.enabled,
        }

    @property
    def workspace(self) -> Workspace:
        """The first team's."""
        return self.workspaces[0]

    @property
    def team(self) -> str:
        return self.workspace.team

    @property
    def bot(self) -> str:
        """The app's user id in the first team."""
        return self.workspace.bot

    @property
    def bot_token(self) -> str:
        return self.workspace.bot_token

    @property
    def api_url(self) -> str:
        return f"{self.base_url}/api/"

    @property
    def addresses(self) -> dict[str, str]:
        """What a bot has to be given to talk to this Slack, and where it is looked at."""
        return {
            "base_url": self.base_url,
            "api_url": self.api_url,
            "bot_token": self.bot_token,
            "app_token": self.app_token,
            "signing_secret": self.signing_secret,
            "team": self.team,
            "bot": self.bot,
        }

    @property
    def events_url(self) -> str:
        """The app's request URL; while it is empty, deliveries go to Socket Mode."""
        return self._http.url

    @events_url.setter
    def events_url(self, url: str) -> None:
        self._http.url = url
        self._dispatcher.transport = self._http if url else self.sockets

    @property
    def org_wide(self) -> bool:
        """Whether the app is installed for a whole organisation; may be changed at any time."""
        return self._org_wide

    @org_wide.setter
    def org_wide(self, on: bool) -> None:
        self._org_wide = on
        for ws in self.workspaces:
            ws.org_wide = on

    @property
    def history_lag_s(self) -> float:
        """How long a new message cannot be read back; may be changed at any time."""
        return self._history_lag_s

    @history_lag_s.setter
    def history_lag_s(self, seconds: float) -> None:
        self._history_lag_s = seconds
        for ws in self.workspaces:
            ws.history_lag_s = seconds

    @property
    def recording(self) -> bool:
        return self.record.keeping

    @recording.setter
    def recording(self, on: bool) -> None:
        self.record.keeping = on

    # -- in one process with the app: without HTTP

    def answer(self, method: str, arguments: dict[str, Any]) -> tuple[dict[str, Any], int, dict[str, str]]:
        """(body, status, headers) of the Web API to the app's request, which is carried out."""
        at = self.clock()
        body, status, headers = self._api.answer(method, arguments, self.bot_token, self.workspace)
        self._api.note(method, arguments, at, status, body, self.workspace)
        return body, status, headers

    def deliver_through(self, transport: DeliveryTransport) -> Dispatcher:
        """Everything for the app goes that way from now on; the dispatcher hears how each attempt went."""
        self._dispatcher.transport = transport
        return self._dispatcher

    # -- running

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=BODY_BYTES)
        app.router.add_route("*", "/api/{method}", self._api.handle)
        app.router.add_get("/link/", self.sockets.handle)
        Hosts(self.workspaces, self.faults, self.response_urls).add_to(app)
        PageApi(
            self,
            self.directory,
            self.record,
            acts=self._acts,
            faults=self.faults,
            sockets=self.sockets,
            rates=self.rates,
            live=self.live,
        ).add_to(app)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self._port)
        await site.start()
        self._port = self._runner.addresses[0][1]
        self.base_url = f"http://{self._host}:{self._port}"
        for ws in self.workspaces:
            ws.host = self.base_url
        self._ticking = asyncio.create_task(self._tick())
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._ticking.cancel()
        await asyncio.gather(self._ticking, return_exceptions=True)
        self._dispatcher.close()
        await self.sockets.close()
        await self._http.close()
        await self._runner.cleanup()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(0.5)
            for ws in self.workspaces:
                ws.expire(limits.STATUS_LIFE_S, limits.STREAM_LIFE_S)

    def reset(self) -> None:
        """A new, empty workspace; addresses, tokens and open sockets stay."""
        self._dispatcher.close()
        self.faults.clear()
        self.record.clear()
        self._log.clear()
        self._add_workspaces()
        self.live.refresh()

    def _open_connection(self) -> str:
        return f"ws://{self._host}:{self._port}/link/?ticket={self.sockets.ticket()}&app_id={APP}"

    def push(self, kind: str, payload: dict[str, Any], team: str) -> Delivery:
        return self._dispatcher.push(kind, payload, team)

    def _emit(self, ws: Workspace, subscription: str, event: dict[str, Any]) -> None:
        if subscription not in ws.subscriptions or ws.revoked:
            return
        if ws.scopes.isdisjoint(limits.EVENT_SCOPES.get(subscription, ws.scopes)):
            return
        place = event.get("channel") or event.get("item", {}).get("channel", "")
        channel = ws.channels.get(place)
        shared = bool(channel and channel.shared_with)
        payload = events.envelope(ws, event, event_id=ws.ids.new("Ev"), shared=shared)
        self.push("events_api", payload, ws.team)

    def _publish(self, ws: Workspace, frame: dict[str, Any]) -> None:
        self.live.publish(ws, frame)
        self.record.notify()

    def export(self) -> dict[str, Any]:
        """The session so far: what people did, to be replayed or kept as a fixture, and what was said."""
        by_channel = {c.id: list(c.messages.values()) for ws in self.workspaces for c in ws.channels.values()}
        return self._log.export() | {
            "messages": {id: messages for id, messages in by_channel.items() if messages}
        }

    async def replay(self, session: dict[str, Any], *, pace: float = 0.0) -> int:
        """Do an exported session again here; how many acts that were. pace 1.0: in its own time."""
        return await Replay(self._acts, self.workspaces, self.until).run(session, pace=pace)

    # -- looking

    @property
    def requests(self) -> deque[SlackRequest]:
        return self.record.requests

    @property
    def deliveries(self) -> deque[Delivery]:
        return self.record.deliveries

    @property
    def counts(self) -> Counter[str]:
        return self.record.counts

    @property
    def refused(self) -> Counter[str]:
        """How many requests were answered with 429, by method; `counts` has how many there were."""
        return self.record.refused

    @property
    def processing(self) -> list[tuple[str, str]]:
        """(channel, thread) of every session that says it is at work; only the app itself ends that."""
        return [
            place
            for ws in self.workspaces
            for place, session in ws.sessions.items()
            if session["status"] == "processing"
        ]

    async def until(self, predicate: Callable[[], T], timeout_s: float = 60.0) -> T:
        """The first truthy value of `predicate`; TimeoutError when there is none in time."""
        return await self.record.until(predicate, timeout_s)

    def thread(self, channel: str, ts: str) -> list[dict[str, Any]]:
        """The root and all replies, oldest first, with metadata; "streaming": True while being written."""
        for ws in self.workspaces:
            if found := ws.find_channel(channel, ""):
                return list(ws.thread(found, ts))
        raise KeyError(channel)

    def dm(self, user: str) -> str:
        """The id of the person's direct messages with the app."""
        ws, person = self.directory.find_person(user)
        return ws.direct(person.id).id

    def user(self, name: str) -> str:
        """A person's id."""
        return self.directory.find_person(name)[1].id

    def channel(self, name: str) -> str:
        """A channel's id in the first team."""
        return self.workspace.channel_names()[name.removeprefix("#")]

    def ephemerals(self, user: str) -> list[dict[str, Any]]:
        """The ephemeral messages this person was shown, each with its channel."""
        ws, person = self.directory.find_person(user)
        return [
            {**shown["message"], "channel": shown["channel"]}
            for shown in ws.ephemerals
            if shown["addressee"] == person.id
        ]

    def home(self, user: str) -> dict[str, Any] | None:
        """What the person's Home tab shows."""
        ws, person = self.directory.find_person(user)
        return ws.views.get(ws.homes.get(person.id, ""))

    def modals(self, user: str) -> list[dict[str, Any]]:
        """The person's open modals, the topmost last."""
        ws, person = self.directory.find_person(user)
        return [ws.views[id] for id in ws.modals.get(person.id, ())]

    def uninstall(self, team: str = "") -> None:
        """Remove the app from a workspace: its token is revoked, and it is told."""
        ws = next(w for w in self.workspaces if team in ("", w.team))
        ws.emit("tokens_revoked", {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [ws.bot]}})
        ws.emit("app_uninstalled", {"type": "app_uninstalled"})
        ws.revoked = True


__all__ = ["FakeSlack", "FileUpload"]
