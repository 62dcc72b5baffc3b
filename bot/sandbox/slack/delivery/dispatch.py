"""Delivers to the app: one Delivery, its attempts, Slack's retries, and signed HTTP as a transport.

Events are tried again up to three times; commands and interactions are sent once and never again.
Socket Mode, the other transport, is in socket.py. Source: docs.slack.dev/apis/events-api
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol
from urllib.parse import urlencode

import aiohttp
import orjson

from bot.sandbox.slack import limits
from bot.sandbox.slack.faults import DeliveryFault, SlackFaults
from bot.sandbox.slack.record import Delivery, DeliveryAttempt, Record


class DeliveryTransport(Protocol):
    """Starts one attempt; its end is told to the dispatcher (`acknowledge` or `fail`)."""

    def send(self, delivery: Delivery, attempt: DeliveryAttempt) -> None: ...


class Dispatcher:
    """Sends deliveries through a transport, retries events, and hands over what the app answered."""

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        faults: SlackFaults,
        record: Record,
        retry_delays_s: Sequence[float],
        announce: Callable[[Delivery], None],
    ) -> None:
        self.transport: DeliveryTransport
        self._clock, self._faults, self._record = clock, faults, record
        self._retry_delays_s = retry_delays_s
        self._announce = announce
        self._timers: set[asyncio.TimerHandle] = set()

    def push(self, kind: str, payload: dict[str, Any], team: str) -> Delivery:
        """Start to deliver; comes back at once. kind: events_api, slash_commands or interactive."""
        delivery = Delivery(kind, payload, team, self._clock())
        self._record.delivery(delivery)
        fault = self._faults.take_delivery(kind, delivery.name) if self._faults.deliveries else None
        if fault is None:
            self._attempt(delivery, 0, "")
        else:
            self._push_with_fault(delivery, fault)
        return delivery

    def _push_with_fault(self, delivery: Delivery, fault: DeliveryFault) -> None:
        delivery.lose_acks = fault.lose_acks
        if fault.drop:
            delivery.finish()
            return
        for _ in range(1 + fault.copies):
            if fault.delay_s:
                self.later(fault.delay_s, self._attempt, delivery, 0, "")
            else:
                self._attempt(delivery, 0, "")

    def _attempt(self, delivery: Delivery, number: int, reason: str) -> None:
        attempt = DeliveryAttempt(number, time.monotonic(), reason)
        delivery.attempts.append(attempt)
        self.transport.send(delivery, attempt)
        self._announce(delivery)

    def acknowledge(self, delivery: Delivery, attempt: DeliveryAttempt, response: dict[str, Any]) -> None:
        """The app took it. `response` is what it said with that (commands and interactions)."""
        if delivery.lose_acks:
            delivery.lose_acks -= 1
            self.fail(delivery, attempt, "http_timeout" if attempt.via == "http" else "timeout")
            return
        attempt.outcome = "acked"
        if delivery.acked_after_s is None:
            delivery.acked_after_s = time.monotonic() - attempt.at
            delivery.response = response
            self._record.counts[f"{delivery.kind}:acked"] += 1
        delivery.finish()
        self._announce(delivery)
        self._record.notify()

    def fail(self, delivery: Delivery, attempt: DeliveryAttempt, reason: str, *, retry: bool = True) -> None:
        """This attempt did not get through; the next one is planned if there is one."""
        if attempt.outcome != "waiting":
            return
        attempt.outcome = reason
        self._record.counts[f"{delivery.kind}:{reason}"] += 1
        if retry and delivery.kind == "events_api" and attempt.number < len(self._retry_delays_s):
            delay_s = self._retry_delays_s[attempt.number]
            self.later(delay_s, self._attempt, delivery, attempt.number + 1, reason)
        elif not delivery.acked:
            self._record.counts[f"{delivery.kind}:lost"] += 1
            delivery.finish()
        self._announce(delivery)
        self._record.notify()

    def later(self, delay_s: float, act: Callable[..., None], *arguments: Any) -> asyncio.TimerHandle:
        """Call something in a while, unless the fake is closed before."""

        def run() -> None:
            self._timers.discard(timer)
            act(*arguments)

        timer = asyncio.get_running_loop().call_later(delay_s, run)
        self._timers.add(timer)
        return timer

    def cancel(self, timer: asyncio.TimerHandle) -> None:
        timer.cancel()
        self._timers.discard(timer)

    def close(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()


class HttpPush:
    """Delivers to the app's request URL, signed as Slack signs."""

    def __init__(self, dispatcher: Dispatcher, signing_secret: str, ack_deadline_s: float) -> None:
        self.url = ""
        self._dispatcher, self._secret, self._deadline_s = dispatcher, signing_secret, ack_deadline_s
        self._client: aiohttp.ClientSession | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    def send(self, delivery: Delivery, attempt: DeliveryAttempt) -> None:
        attempt.via = "http"
        task = asyncio.create_task(self._post(delivery, attempt))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._client:
            await self._client.close()

    async def _post(self, delivery: Delivery, attempt: DeliveryAttempt) -> None:
        self._client = self._client or aiohttp.ClientSession(
            timeout=aiohttp.ClientTimeout(total=self._deadline_s)
        )
        body, headers = self._sign(delivery, attempt)
        try:
            async with self._client.post(
                self.url, data=body, headers=headers, max_redirects=limits.REDIRECTS + 1
            ) as answer:
                text = await answer.text()
        except TimeoutError:
            self._dispatcher.fail(delivery, attempt, "http_timeout")
        except aiohttp.TooManyRedirects:
            self._dispatcher.fail(delivery, attempt, "too_many_redirects")
        except aiohttp.ClientError:
            self._dispatcher.fail(delivery, attempt, "connection_failed")
        else:
            self._read_answer(delivery, attempt, answer, text)

    def _read_answer(
        self, delivery: Delivery, attempt: DeliveryAttempt, answer: aiohttp.ClientResponse, text: str
    ) -> None:
        if 200 <= answer.status < 300:
            self._dispatcher.acknowledge(delivery, attempt, _read_response(text))
            return
        retry = answer.headers.get("X-Slack-No-Retry") != "1"
        self._dispatcher.fail(delivery, attempt, "http_error", retry=retry)

    def _sign(self, delivery: Delivery, attempt: DeliveryAttempt) -> tuple[bytes, dict[str, str]]:
        if delivery.kind == "events_api":
            body, kind = orjson.dumps(delivery.payload), "application/json"
        else:
            form = delivery.payload
            if delivery.kind == "interactive":
                form = {"payload": orjson.dumps(form).decode()}
            body, kind = urlencode(form).encode(), "application/x-www-form-urlencoded"
        now = str(int(time.time()))
        headers = {
            "Content-Type": kind,
            "X-Slack-Request-Timestamp": now,
            "X-Slack-Signature": sign(self._secret, now, body),
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
        }
        if attempt.number:
            headers["X-Slack-Retry-Num"] = str(attempt.number)
            headers["X-Slack-Retry-Reason"] = attempt.reason
        return body, headers


def sign(secret: str, timestamp: str, body: bytes) -> str:
    """Source: docs.slack.dev/authentication/verifying-requests-from-slack"""
    text = b"v0:" + timestamp.encode() + b":" + body
    return "v0=" + hmac.new(secret.encode(), text, hashlib.sha256).hexdigest()


def _read_response(text: str) -> dict[str, Any]:
    """The body of an acknowledgement: JSON, or the plain text of a command's answer."""
    try:
        body = orjson.loads(text) if text else {}
    except orjson.JSONDecodeError:
        return {"text": text}
    return body if isinstance(body, dict) else {"text": text}
