"""The fake model's organisation usage API: its own counts, also of answers that never arrived.

GET /v1/organization/usage/{endpoint}?start_time=…&end_time=…&bucket_width=1d&group_by=model&limit=…&page=…
Needs an admin key (sk-admin…), as the real one does. Source: openai 3.54, admin.organization.usage.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from bot.sandbox.model.exchange import ApiRequest
from bot.sandbox.model.usage import count_prompt_tokens

DAY_S = 86_400
MOST_DAYS = 31
AUDIO_TOKENS_PER_S = 10
# Which of our endpoints count where, and the units that are told there.
COUNTED = {
    "completions": ("completions", ("input_tokens", "input_cached_tokens", "output_tokens")),
    "chat/completions": ("completions", ("input_tokens", "input_cached_tokens", "output_tokens")),
    "responses": ("completions", ("input_tokens", "input_cached_tokens", "output_tokens")),
    "embeddings": ("embeddings", ("input_tokens",)),
    "moderations": ("moderations", ("input_tokens",)),
    "images/generations": ("images", ("images",)),
    "audio/transcriptions": ("audio_transcriptions", ("seconds",)),
    "audio/translations": ("audio_transcriptions", ("seconds",)),
    "decisions": ("decisions", ("input_tokens", "output_tokens")),
}
NAMES = {name for name, _ in COUNTED.values()}
KNOWN = {"start_time", "end_time", "bucket_width", "group_by", "limit", "page"}


class Organisation:
    """Routes for the provider's own count of these requests, which go on being added."""

    def __init__(self, requests: Iterable[ApiRequest]) -> None:
        self._requests = requests

    def add_to(self, app: web.Application) -> None:
        app.router.add_get("/v1/organization/usage/{endpoint}", self._usage)

    async def _usage(self, http: web.Request) -> web.Response:
        endpoint, query = http.match_info["endpoint"], http.query
        if not http.headers.get("Authorization", "").startswith("Bearer sk-admin"):
            return _refuse(401, "You have insufficient permissions for this operation.")
        if endpoint not in NAMES or query.keys() - KNOWN:
            return _refuse(404 if endpoint not in NAMES else 400, "Unknown endpoint or parameter.")
        try:
            first, limit = int(query["start_time"]), int(query.get("limit", "7"))
            last = int(query.get("end_time", str(first + limit * DAY_S)))
            at = int(query.get("page", str(first)))
        except (KeyError, ValueError):
            return _refuse(400, "start_time is required; times are unix seconds.")
        if query.get("bucket_width", "1d") != "1d" or not 1 <= limit <= MOST_DAYS:
            return _refuse(400, "Only days, at most 31 in a page.")
        ends = min(last, at + limit * DAY_S)
        buckets = [
            self._bucket(endpoint, begin, by_model="group_by" in query) for begin in range(at, ends, DAY_S)
        ]
        more = ends < last
        page = {"object": "page", "data": buckets, "has_more": more, "next_page": str(ends) if more else None}
        return web.json_response(page)

    def _bucket(self, endpoint: str, begin: int, *, by_model: bool) -> dict[str, Any]:
        results = [
            {"object": f"organization.usage.{endpoint}.result", "model": model or None, **counts}
            for model, counts in sum_by_model(self._requests, endpoint, begin, by_model=by_model).items()
        ]
        return {"object": "bucket", "start_time": begin, "end_time": begin + DAY_S, "results": results}


def sum_by_model(
    requests: Iterable[ApiRequest], endpoint: str, begin: float, *, by_model: bool
) -> dict[str, Counter[str]]:
    """Counts of one day by model; a request that was refused before it began is none."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for request in requests:
        name, units = COUNTED.get(request.endpoint, ("", ()))
        if name != endpoint or request.counted is None or not begin <= request.at < begin + DAY_S:
            continue
        counts = found[request.model if by_model else ""]
        counts["num_model_requests"] += 1
        for unit in units:
            counts[unit] += request.counted.get(unit, 0)
    return found


def count_usage(endpoint: str, body: dict[str, Any], usage: dict[str, Any]) -> dict[str, int]:
    """What one answer counts for, in the names of this API, from the usage that belongs to it."""
    details = usage.get("prompt_tokens_details") or usage.get("input_tokens_details") or {}
    audio_details = usage.get("input_token_details") or {}
    read = usage.get("prompt_tokens", usage.get("input_tokens", 0))
    if endpoint == "moderations":  # tells no usage, and is counted all the same
        given = body["input"]
        read = sum(count_prompt_tokens(str(text)) for text in ([given] if isinstance(given, str) else given))
    return {
        "input_tokens": read,
        "input_cached_tokens": details.get("cached_tokens", 0),
        "output_tokens": usage.get("completion_tokens", usage.get("output_tokens", 0)),
        "images": int(body.get("n") or 1) if endpoint.startswith("images/") else 0,
        "seconds": usage.get("seconds", -(-audio_details.get("audio_tokens", 0) // AUDIO_TOKENS_PER_S)),
    }


def _refuse(status: int, message: str) -> web.Response:
    return web.json_response({"error": {"message": message, "type": "invalid_request_error"}}, status=status)
