"""Keeps one request to the fake model or the relay: how it was received, and how it went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from aiohttp import web

from bot.sandbox.model.faults import ModelFault
from bot.sandbox.model.rules import ModelCard

TEXT = ("completions", "chat/completions", "responses")  # endpoints that answer with text
BODY_LIMIT_BYTES = 64 * 1024 * 1024


@dataclass(slots=True)
class ApiRequest:
    """One request as it was received and how it went; `outcome` is "" while it is being answered.

    Outcomes: answered, refused (by the rules), disconnected (the client left), or the kind of a fault.
    """

    number: int
    at: float
    endpoint: str
    body: dict[str, Any]
    headers: dict[str, str]
    prompt: str = ""
    text: str = ""  # the whole answer, also what was never sent
    unsaid: str = ""  # what a stop sequence cut off
    usage: dict[str, Any] | None = None  # as it was reported
    counted: dict[str, int] | None = None  # for the organisation's own usage API; None: never begun
    status: int = 0
    outcome: str = ""
    chunks_sent: int = 0
    first_token_at: float = 0.0
    ended_at: float = 0.0

    @property
    def model(self) -> str:
        return str(self.body.get("model", ""))


@dataclass(slots=True)
class Exchange:
    """A request on its way to an answer."""

    http: web.Request
    record: ApiRequest
    card: ModelCard
    fault: ModelFault | None

    @property
    def fault_kind(self) -> str:
        return self.fault.kind if self.fault else ""
