"""Logs what people do, so that a session can be exported, kept as a fixture, and done again.

A message is named in the log by what made it, not by its ts: the result of an earlier act, or the n-th
message of the app in a channel. Replaying waits until it is there, and until as much was answered as the
person saw then, so the app may be faster or slower.
"""

from __future__ import annotations

import asyncio
import base64
import functools
import inspect
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

from bot.sandbox.slack.people.forms import NotPossible, find_elements
from bot.sandbox.slack.record import Delivery, Record
from bot.sandbox.slack.state import Workspace

P = ParamSpec("P")
R = TypeVar("R")
VERSION = 1
MOST = 10_000  # acts kept; a longer session is not one that anybody replays
REPLAY_WAIT_S = 30.0

Act = Callable[..., Awaitable[Any]]

_NAMES: set[str] = set()  # of all acts


_BYTES = ("content", "thumbnail")


@dataclass(frozen=True, slots=True)
class FileUpload:
    """A file somebody drops into a message. voice: recorded in the client.

    `more` overrides what Slack says of it: {"size": 1} lies about the size, {"mode": "tombstone"} makes a
    deleted file, {"file_access": "check_file_info"} a stub. `thumbnail`: the PNG that Slack shows of a
    picture in HEIC.
    """

    name: str
    content: bytes
    voice: bool = False
    duration_s: float = 0.0
    more: Mapping[str, Any] = field(default_factory=dict)
    thumbnail: bytes = b""

    def as_json(self) -> dict[str, Any]:
        return asdict(self) | {name: base64.b64encode(getattr(self, name)).decode() for name in _BYTES}


def as_upload(given: Any) -> FileUpload:
    """A file as an act is given it, or as it comes in JSON."""
    return given if isinstance(given, FileUpload) else FileUpload(**_read_bytes(given))


def _without_bytes(value: Any) -> Any:
    """Values of a form for the log: files in JSON."""
    if isinstance(value, FileUpload):
        return value.as_json()
    return [_without_bytes(one) for one in value] if isinstance(value, list) else value


class Acting(Protocol):
    """Whoever does acts, with the log they are written to."""

    @property
    def log(self) -> ActLog: ...


S = TypeVar("S", bound=Acting)


def act(
    method: Callable[Concatenate[S, P], Awaitable[R]],
) -> Callable[Concatenate[S, P], Coroutine[Any, Any, R]]:
    """Mark a method as something people do: it is logged, and can be asked for over HTTP by its name."""
    _NAMES.add(method.__name__)
    signature = inspect.signature(method)

    @functools.wraps(method)
    async def log_and_act(self: S, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if not self.log.recording:
            return await method(self, *args, **kwargs)
        given = signature.bind(self, *args, **kwargs).arguments
        given.pop("self")
        number = self.log.begin(method.__name__, given)
        try:
            result = await method(self, *args, **kwargs)
        except ValueError:
            self.log.mark_refused(number)
            raise
        self.log.note_result(number, result)
        return result

    return log_and_act


def collect_acts(*actors: Acting) -> dict[str, Act]:
    """Collect everything these can do, by name."""
    return {name: getattr(actor, name) for actor in actors for name in _NAMES if hasattr(actor, name)}


class ActLog:
    """Acts in order. An entry: {"act", "arguments", "at_s", "seen"}, at_s counted from the first, seen: how
    many messages of the app stood in the conversation; "refused" ones did nothing and are not done again."""

    def __init__(self, workspaces: Sequence[Workspace], clock: Callable[[], float], record: Record) -> None:
        self._workspaces, self._clock, self._record = workspaces, clock, record
        self.acts: list[dict[str, Any]] = []
        self._made: dict[str, int] = {}  # ts → the act that made it
        self._started = 0.0

    @property
    def recording(self) -> bool:
        return self._record.keeping

    def begin(self, name: str, given: dict[str, Any]) -> int:
        """Note that an act begins; its number in the log, -1 when the log is full."""
        if len(self.acts) >= MOST:
            return -1
        now = self._clock()
        if not self.acts:
            self._started = now
        arguments = {key: self._name(key, value, given) for key, value in given.items()}
        seen = len(app_messages(self._workspaces, given))
        at_s = round(now - self._started, 3)
        self.acts.append({"act": name, "arguments": arguments, "at_s": at_s, "seen": seen})
        return len(self.acts) - 1

    def mark_refused(self, number: int) -> None:
        if number >= 0:
            self.acts[number]["refused"] = True

    def note_result(self, number: int, result: Any) -> None:
        if number >= 0 and isinstance(result, str):
            self._made[result] = number

    def _name(self, key: str, value: Any, given: dict[str, Any]) -> Any:
        if key in ("ts", "thread_ts") and value:
            return self._name_message(value, given)
        if key == "value" and "action_id" in given:
            return name_pressed(self._workspaces, given)
        if key in _BYTES and value is not None:
            return base64.b64encode(value).decode()
        if key == "files":
            return [f.as_json() for f in value]
        if key == "values" and value:
            return {name: _without_bytes(given) for name, given in value.items()}
        return value

    def _name_message(self, ts: str, given: dict[str, Any]) -> Any:
        if ts in self._made:
            return {"act": self._made[ts]}
        for n, shown in enumerate(app_messages(self._workspaces, given)):
            if shown == ts:
                return {"app": n}
        return ts

    def clear(self) -> None:
        self.acts, self._made = [], {}  # what was exported keeps its list

    def export(self) -> dict[str, Any]:
        return {"version": VERSION, "acts": self.acts}


def name_pressed(workspaces: Sequence[Workspace], given: dict[str, Any]) -> str | None:
    """Name what was pressed, without what only this session knows: apps put ids of theirs into values."""
    value: str | None = given["value"]
    same = [e for e in find_pressable(workspaces, given) if e.get("action_id") == given["action_id"]]
    if len(same) != 1:
        return value
    if same[0]["type"] == "feedback_buttons":
        return "negative" if value in ("negative", same[0]["negative_button"]["value"]) else "positive"
    return None if same[0]["type"] == "button" else value


def find_pressable(workspaces: Sequence[Workspace], given: dict[str, Any]) -> list[dict[str, Any]]:
    """Find all that can be pressed in the message an act is about."""
    for ws in workspaces:
        channel = ws.find_channel(given.get("channel", ""), given.get("user", ""))
        if channel and given.get("ts"):
            shown = {e["message"]["ts"]: e["message"] for e in ws.ephemerals}
            message = channel.messages.get(given["ts"]) or shown.get(given["ts"], {})
            return [element for _, element in find_elements(message.get("blocks", []))]
    return []


def app_messages(workspaces: Sequence[Workspace], given: dict[str, Any]) -> list[str]:
    """List the ts of everything the app wrote in the conversation an act is about, oldest first."""
    for ws in workspaces:
        channel = ws.find_channel(given.get("channel", ""), given.get("user", ""))
        if channel:
            posted = [ts for ts, m in channel.messages.items() if m.get("bot_id") == ws.bot_id]
            shown = [e["message"]["ts"] for e in ws.ephemerals if e["channel"] == channel.id]
            return sorted(posted + shown)
    return []


class Replay:
    """Does a session again. pace 1.0 keeps its timing, 0 goes as fast as the app answers."""

    def __init__(
        self,
        acts: Mapping[str, Act],
        workspaces: Sequence[Workspace],
        until: Callable[..., Awaitable[Any]],
    ) -> None:
        self._acts, self._workspaces, self._until = acts, workspaces, until
        self._results: list[Any] = []

    async def run(self, session: dict[str, Any], *, pace: float) -> int:
        """How many acts were done; ValueError when the file is not one, or a message never comes."""
        if session.get("version") != VERSION:
            raise NotPossible("that is not a session this sandbox can read")
        loop = asyncio.get_running_loop()
        started = loop.time()
        for entry in session["acts"]:
            if entry.get("refused"):
                self._results.append(None)
                continue
            await asyncio.sleep(max(0.0, started + entry["at_s"] * pace - loop.time()))
            arguments = {
                key: await self._resolve(key, value, entry["arguments"])
                for key, value in entry["arguments"].items()
            }
            await self._wait_for_app(entry.get("seen", 0), entry["arguments"])
            if entry["act"] == "press" and not arguments.get("view_id"):
                await self._wait_for_element(arguments)
            result = await self._acts[entry["act"]](**read_arguments(arguments))
            self._results.append(None if isinstance(result, Delivery) else result)
        return sum(1 for entry in session["acts"] if not entry.get("refused"))

    async def _wait_for_element(self, given: dict[str, Any]) -> None:
        """Waits for what is to be pressed: a message that is still being written has no buttons yet."""
        name = given["action_id"]

        def is_shown() -> bool:
            return any(e["action_id"] == name for e in find_pressable(self._workspaces, given))

        try:
            await self._until(is_shown, REPLAY_WAIT_S)
        except TimeoutError:
            raise NotPossible(f"the app never showed a button called {name}") from None

    async def _resolve(self, key: str, value: Any, given: dict[str, Any]) -> Any:
        if key not in ("ts", "thread_ts") or not isinstance(value, dict):
            return value
        if "act" in value:
            return self._results[value["act"]]
        await self._wait_for_app(value["app"] + 1, given)
        return app_messages(self._workspaces, given)[value["app"]]

    async def _wait_for_app(self, count: int, given: dict[str, Any]) -> None:
        """Waits until so many messages of the app stand in the conversation an act is about."""
        try:
            await self._until(lambda: len(app_messages(self._workspaces, given)) >= count, REPLAY_WAIT_S)
        except TimeoutError:
            raise NotPossible(f"the app never wrote its message number {count}") from None


def read_arguments(arguments: dict[str, Any]) -> dict[str, Any]:
    """Read the arguments of an act from JSON: contents of files come in base64."""
    read = _read_bytes(arguments)
    if "files" in read:
        read["files"] = [as_upload(f) for f in read["files"]]
    return read


def _read_bytes(given: dict[str, Any]) -> dict[str, Any]:
    return {
        key: base64.b64decode(value) if key in _BYTES and isinstance(value, str) else value
        for key, value in given.items()
    }
