"""The SDK's client with a shorter way to a method: what it makes of an answer and its errors stay the SDK's.

Its own `api_call` prepares retries, uploads and debug lines for each request, which costs as much as the
request itself. What an answer means is handlers/slack/client.py's.
"""

from __future__ import annotations

import json as lenient
from typing import Any

import orjson
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse
from yarl import URL

JSON = "application/json;charset=utf-8"


class DirectWebClient(AsyncWebClient):
    """For methods that are given JSON, or read with a query; a token of their own or a file goes the SDK's
    way. Needs a session, which decides what is permitted and how long a request may take."""

    async def api_call(
        self,
        api_method: str,
        *,
        http_verb: str = "POST",
        json: dict[str, Any] | None = None,
        params: dict[str, Any] | None = None,
        **more: Any,
    ) -> AsyncSlackResponse:
        """Raises SlackApiError for what Slack refuses, and what aiohttp raises."""
        if json is not None and http_verb == "POST" and not (params or more or "token" in json):
            return await self._ask(http_verb, api_method, data=orjson.dumps(json))
        if params is not None and http_verb == "GET" and not (json or more or "token" in params):
            return await self._ask(http_verb, api_method, params=_to_query(params))
        return await super().api_call(api_method, http_verb=http_verb, json=json, params=params, **more)

    async def _ask(self, verb: str, method: str, **content: Any) -> AsyncSlackResponse:
        """No redirect is followed: an answer that names one is no answer of a method."""
        assert self.session is not None
        url = self.base_url + method
        async with self.session.request(
            verb,
            URL(url, encoded=True),
            headers={**self.headers, "Authorization": f"Bearer {self.token}", "Content-Type": JSON},
            allow_redirects=False,
            proxy=self.proxy,
            ssl=self.ssl or True,
            **content,
        ) as response:
            answer = read_answer(await response.read())
        answered = AsyncSlackResponse(
            client=self,
            http_verb=verb,
            api_url=url,
            req_args={},
            data=answer,
            headers=response.headers,  # type: ignore[arg-type]
            status_code=response.status,
        )
        answered.validate()  # type: ignore[no-untyped-call]
        return answered


def _to_query(arguments: dict[str, Any]) -> dict[str, Any]:
    """True and False as Slack reads them; what is None is left out."""
    return {
        name: int(value) if isinstance(value, bool) else value
        for name, value in arguments.items()
        if value is not None
    }


def read_answer(body: bytes) -> dict[str, Any]:
    """The object that Slack answered; {} for anything else. orjson takes no half of a character, and Slack
    cuts some in half."""
    try:
        answer = orjson.loads(body)
    except ValueError:
        try:
            answer = lenient.loads(body)
        except (ValueError, RecursionError):
            return {}
    return answer if isinstance(answer, dict) else {}
