"""Slack's deliveries to any of the processes that live, over two sockets' worth of disorder."""

from __future__ import annotations

import asyncio
import json
import random
from typing import Any

from slack_bolt.adapter.socket_mode.async_internals import run_async_bolt_app
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.sandbox.slack.record import Delivery, DeliveryAttempt
from bot.sandbox.slack.server import FakeSlack
from tests.simulator.life import Life
from tests.simulator.slack import WAY_S

ACK_S = 3.0


class Line:
    """`open`: the processes that are there to take them, by their numbers."""

    def __init__(self, slack: FakeSlack, dice: random.Random) -> None:
        self._dice = dice
        self._dispatcher = slack.deliver_through(self)
        self._tasks: set[asyncio.Task[None]] = set()
        self.open: dict[int, tuple[Life, AsyncApp]] = {}

    def send(self, delivery: Delivery, attempt: DeliveryAttempt) -> None:
        task = asyncio.get_running_loop().create_task(self._carry(delivery, attempt))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, delivery: Delivery, attempt: DeliveryAttempt) -> None:
        await asyncio.sleep(self._dice.uniform(*WAY_S))
        if not self.open:
            self._dispatcher.fail(delivery, attempt, "connection_failed")
            return
        there = list(self.open.values())
        life, app = there[0] if len(there) == 1 else self._dice.choice(there)
        if not life.pass_gate(f"{delivery.name} arrives"):
            self._dispatcher.fail(delivery, attempt, "connection_failed")
            return
        request = SocketModeRequest(type=delivery.kind, envelope_id="e", payload=delivery.payload)
        handling = life.start(run_async_bolt_app(app, request))
        await asyncio.wait([handling], timeout=ACK_S)
        if _took(handling) and life.pass_gate(f"{delivery.name} is acknowledged"):
            self._dispatcher.acknowledge(delivery, attempt, _said(handling.result()))
        else:
            self._dispatcher.fail(delivery, attempt, "timeout")

    def close(self) -> None:
        self._dispatcher.close()


def _took(handling: asyncio.Task[BoltResponse]) -> bool:
    if not handling.done() or handling.cancelled() or handling.exception():
        return False
    return handling.result().status == 200


def _said(response: BoltResponse) -> dict[str, Any]:
    """What stands in the acknowledgement: the answer to a command."""
    return dict(json.loads(response.body)) if response.body else {}
