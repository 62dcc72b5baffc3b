"""Controls the fake model over HTTP, for the page and for tests in another process.

GET POST DELETE  /sandbox/api/model/faults     the faults in force; add one (fields of Fault); clear
POST             /sandbox/api/model/script     {"text": …, "match": …, "times": …, fields of Answer}
POST             /sandbox/api/model/pace       {"first_token_s": …, "tokens_per_s": …}
POST             /sandbox/api/model/reset      forget everything
GET              /sandbox/api/model/requests   ?after=N: the requests with a higher number
GET              /sandbox/api/model/counters
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any, Protocol

import orjson
from aiohttp import web

from bot.sandbox.model.exchange import ApiRequest
from bot.sandbox.model.faults import KINDS, ModelFaults
from bot.sandbox.model.pictures import shorten_pictures
from bot.sandbox.model.text import AnswerPace

PLACE = "/sandbox/api/model"


class FaultyModel(Protocol):
    """What stands in for a model: the fake model or the relay."""

    @property
    def faults(self) -> ModelFaults: ...
    @property
    def requests(self) -> Iterable[ApiRequest]: ...
    def reset(self) -> None: ...


class ScriptedModel(Protocol):
    """What says as it is told: the fake model."""

    pace: AnswerPace

    @property
    def counters(self) -> Counter[str]: ...
    def script(self, text: str, **how: Any) -> None: ...


class FaultRoutes:
    """Routes for whatever stands in for a model: its faults, and the requests it got."""

    def __init__(self, model: FaultyModel) -> None:
        self._model = model

    def add_to(self, app: web.Application) -> None:
        app.router.add_get(f"{PLACE}/faults", self._faults)
        app.router.add_post(f"{PLACE}/faults", self._add_fault)
        app.router.add_delete(f"{PLACE}/faults", self._clear_faults)
        app.router.add_post(f"{PLACE}/reset", self._reset)
        app.router.add_get(f"{PLACE}/requests", self._requests)

    async def _faults(self, http: web.Request) -> web.Response:
        return self._list_faults()

    async def _add_fault(self, http: web.Request) -> web.Response:
        try:
            self._model.faults.add(**await http.json())
        except (TypeError, ValueError) as problem:
            return web.json_response({"error": str(problem)}, status=400)
        return self._list_faults()

    async def _clear_faults(self, http: web.Request) -> web.Response:
        self._model.faults.clear()
        return self._list_faults()

    def _list_faults(self) -> web.Response:
        active = [asdict(fault) for fault in self._model.faults.active()]
        return web.json_response({"faults": active, "kinds": KINDS})

    async def _reset(self, http: web.Request) -> web.Response:
        self._model.reset()
        return web.json_response({"ok": True})

    async def _requests(self, http: web.Request) -> web.Response:
        after = int(http.query.get("after", "0"))
        listed = [as_json(request) for request in self._model.requests if request.number > after]
        return web.json_response(body=orjson.dumps({"requests": listed}))


class ScriptRoutes:
    """Further routes of the fake model: what it says, and how fast."""

    def __init__(self, model: ScriptedModel) -> None:
        self._model = model

    def add_to(self, app: web.Application) -> None:
        app.router.add_post(f"{PLACE}/script", self._script)
        app.router.add_post(f"{PLACE}/pace", self._pace)
        app.router.add_get(f"{PLACE}/counters", self._counters)

    async def _script(self, http: web.Request) -> web.Response:
        given = await http.json()
        if "chunks" in given:
            given["chunks"] = tuple(given["chunks"])
        self._model.script(**given)
        return web.json_response({"ok": True})

    async def _pace(self, http: web.Request) -> web.Response:
        self._model.pace = AnswerPace(**await http.json())
        return web.json_response(asdict(self._model.pace))

    async def _counters(self, http: web.Request) -> web.Response:
        return web.json_response(dict(self._model.counters))


def as_json(request: ApiRequest) -> dict[str, Any]:
    """A request as JSON can carry it; a file becomes its name and size, a picture what it is."""
    values = asdict(request) | {"body": shorten_pictures(request.body)}
    if "file" in request.body:
        name, recording = request.body["file"]
        values["body"] = request.body | {"file": f"{name}, {len(recording)} bytes"}
    return values
