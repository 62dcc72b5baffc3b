"""The fake model's switches over HTTP, for the page and for tests in another process.

GET POST DELETE  /sandbox/api/model/faults     the faults in force; add one (fields of Fault); clear
POST             /sandbox/api/model/script     {"text": …, "match": …, "times": …, fields of Answer}
POST             /sandbox/api/model/pace       {"first_token_s": …, "tokens_per_s": …}
POST             /sandbox/api/model/reset      forget everything
GET              /sandbox/api/model/requests   ?after=N: the requests with a higher number
GET              /sandbox/api/model/counters
"""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import orjson
from aiohttp import web

from bot.sandbox.model.faults import KINDS
from bot.sandbox.model.text import AnswerPace

if TYPE_CHECKING:
    from bot.sandbox.model.relay import Relay
    from bot.sandbox.model.server import FakeModel, ModelRequest

PLACE = "/sandbox/api/model"


class Switches:
    """Routes for whatever is asked in place of a model: its faults and what it was asked."""

    def __init__(self, model: FakeModel | Relay) -> None:
        self._model = model

    def add_to(self, app: web.Application) -> None:
        app.router.add_get(f"{PLACE}/faults", self._faults)
        app.router.add_post(f"{PLACE}/faults", self._add_fault)
        app.router.add_delete(f"{PLACE}/faults", self._clear_faults)
        app.router.add_post(f"{PLACE}/reset", self._reset)
        app.router.add_get(f"{PLACE}/requests", self._requests)

    async def _faults(self, http: web.Request) -> web.Response:
        return self._told_faults()

    async def _add_fault(self, http: web.Request) -> web.Response:
        try:
            self._model.faults.add(**await http.json())
        except (TypeError, ValueError) as problem:
            return web.json_response({"error": str(problem)}, status=400)
        return self._told_faults()

    async def _clear_faults(self, http: web.Request) -> web.Response:
        self._model.faults.clear()
        return self._told_faults()

    def _told_faults(self) -> web.Response:
        active = [asdict(fault) for fault in self._model.faults.active()]
        return web.json_response({"faults": active, "kinds": KINDS})

    async def _reset(self, http: web.Request) -> web.Response:
        self._model.reset()
        return web.json_response({"ok": True})

    async def _requests(self, http: web.Request) -> web.Response:
        after = int(http.query.get("after", "0"))
        told = [told_of(request) for request in self._model.requests if request.number > after]
        return web.json_response(body=orjson.dumps({"requests": told}))


class Controls(Switches):
    """Further routes of the fake model: what it says, and how fast."""

    def __init__(self, model: FakeModel) -> None:
        super().__init__(model)
        self._fake = model

    def add_to(self, app: web.Application) -> None:
        super().add_to(app)
        app.router.add_post(f"{PLACE}/script", self._script)
        app.router.add_post(f"{PLACE}/pace", self._pace)
        app.router.add_get(f"{PLACE}/counters", self._counters)

    async def _script(self, http: web.Request) -> web.Response:
        given = await http.json()
        if "chunks" in given:
            given["chunks"] = tuple(given["chunks"])
        self._fake.script(**given)
        return web.json_response({"ok": True})

    async def _pace(self, http: web.Request) -> web.Response:
        self._fake.pace = AnswerPace(**await http.json())
        return web.json_response(asdict(self._fake.pace))

    async def _counters(self, http: web.Request) -> web.Response:
        return web.json_response(dict(self._fake.counters))


def told_of(request: ModelRequest) -> dict[str, Any]:
    """A request as JSON can carry it; a file becomes its name and size."""
    told = asdict(request)
    if "file" in request.body:
        name, recording = request.body["file"]
        told["body"] = request.body | {"file": f"{name}, {len(recording)} bytes"}
    return told
