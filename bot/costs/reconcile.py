"""Compares our ledger with the provider's count, by UTC day, model and endpoint, and says why they differ.

Their side is a usage export (CSV) or pages of the organisation usage API (JSON), read here; fetching them is
bot/cli/reconcile.py's. A dated snapshot (name-2026-10-01) counts as its model. What a gateway said it billed
stands in our ledger already, and is laid beside our prices.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import orjson

from bot.core.errors import NotUnderstood
from bot.costs.amounts import dollars
from bot.costs.price_list import strip_date
from bot.costs.pricing import usd
from storage.costs import ledger
from storage.engine import Engine

# Where the provider counts which of our kinds. Source: openai 3.54, admin.organization.usage.
ENDPOINTS: Mapping[str, tuple[str, ...]] = {
    "completions": ("answer", "summary", "guard", "title", "rewriting", "fields"),
    "embeddings": ("embedding",),
    "audio_transcriptions": ("transcription", "translation"),
    "images": ("image",),
    "moderations": ("moderation",),
    "decisions": ("decision",),
}
ENDPOINT_OF = {kind: endpoint for endpoint, kinds in ENDPOINTS.items() for kind in kinds}
# What is counted there; the usage API has no tokens of pictures and none of sound.
TOKENS = ("input_tokens", "output_tokens")
UNITS: Mapping[str, Sequence[str]] = {"audio_transcriptions": ("audio_seconds",), "images": ("images",)}
# What a column is called in exports, ours first.
COLUMNS = {
    "day": ("day", "date", "start_time_iso", "start_time", "timestamp"),
    "model": ("model", "snapshot_id", "model_id"),
    "endpoint": ("endpoint", "object", "type"),
    "requests": ("requests", "num_model_requests", "n_requests", "num_requests"),
    "input_tokens": ("input_tokens", "n_context_tokens_total", "prompt_tokens"),
    "output_tokens": ("output_tokens", "n_generated_tokens_total", "completion_tokens"),
    "audio_seconds": ("audio_seconds", "seconds"),
    "images": ("images", "num_images"),
}
ROUNDING = Decimal("0.01")  # the share of a cost by which gateways and we may differ for roundings
Key = tuple[date, str, str]  # UTC day, model, endpoint


@dataclass(frozen=True, slots=True)
class Count:
    """What one side counted of one day, model and endpoint."""

    requests: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    audio_seconds: float = 0.0
    images: int = 0

    def __add__(self, other: Count) -> Count:
        return Count(*(getattr(self, f.name) + getattr(other, f.name) for f in fields(Count)))

    def agrees(self, other: Count, units: Sequence[str]) -> bool:
        """Equal in these units: tokens and pictures exactly, sound to a second for each request."""
        off = {unit: abs(getattr(self, unit) - getattr(other, unit)) for unit in units}
        return off.pop("audio_seconds", 0.0) < max(1, self.requests) and not any(off.values())


@dataclass(frozen=True, slots=True)
class Ours:
    """Our count; how many of the requests we had to estimate, and how many failed."""

    count: Count = Count()
    estimated: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True)
class Difference:
    """A day, model and endpoint on which both sides do not agree, and the likely cause."""

    day: date
    model: str
    endpoint: str
    ours: Count
    theirs: Count
    cause: str


@dataclass(frozen=True, slots=True)
class Reported:
    """What a gateway said it billed for a model on a day, beside our prices for the same requests.

    `unlisted` of the requests have no price of ours; `listed_usd` and `compared_usd` (what was billed) are of
    the others.
    """

    day: date
    model: str
    requests: int
    billed_usd: Decimal
    compared_usd: Decimal
    listed_usd: Decimal
    unlisted: int

    @property
    def differs(self) -> bool:
        """By more than roundings."""
        return abs(self.compared_usd - self.listed_usd) > self.listed_usd * ROUNDING


async def read_reported(engine: Engine, first: date, last: date) -> list[Reported]:
    """What gateways reported on the UTC days from `first` through `last`, all teams together."""
    return [
        Reported(
            day,
            row["model"],
            row["requests"],
            billed_usd=usd(row["billed"]),
            compared_usd=usd(row["billed_listed"]),
            listed_usd=usd(row["listed"]),
            unlisted=row["unlisted"],
        )
        for day in _days(first, last)
        for row in await engine.read(ledger.reported, *_span(day))
    ]


def format_reported(found: Sequence[Reported]) -> str:
    """What was reported in lines of plain text."""
    if not found:
        return "No gateway reported what it billed."
    return "\n".join(map(_format_reported, found))


def _format_reported(one: Reported) -> str:
    counted = "1 request" if one.requests == 1 else f"{one.requests:,} requests"
    line = f"{one.day}  {one.model}  {counted}, reported by the gateway: {dollars(one.billed_usd)}"
    if one.unlisted == one.requests:
        return f"{line}; no price of ours"
    line += f"; by our prices {dollars(one.listed_usd)}"
    if one.listed_usd and one.differs:
        line += f" ({(one.compared_usd - one.listed_usd) / one.listed_usd:+.1%})"
    return f"{line}; {one.unlisted:,} without a price of ours" if one.unlisted else line


def _days(first: date, last: date) -> Iterable[date]:
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def _span(day: date) -> tuple[float, float]:
    begins = datetime.combine(day, time(), UTC).timestamp()
    return begins, begins + 86_400


async def read_ours(engine: Engine, first: date, last: date) -> dict[Key, Ours]:
    """Our side, all teams together, for the UTC days from `first` through `last`."""
    found: dict[Key, Ours] = {}
    for day in _days(first, last):
        for row in await engine.read(ledger.by_model, *_span(day)):
            if endpoint := ENDPOINT_OF.get(row["kind"]):
                key = (day, strip_date(row["model"]), endpoint)
                before = found.get(key, Ours())
                count = Count(**{f.name: row[f.name] for f in fields(Count)})
                found[key] = Ours(
                    before.count + count, before.estimated + row["estimated"], before.failed + row["failed"]
                )
    return found


def read_theirs(text: str) -> dict[Key, Count]:
    """The provider's side from an export; NotUnderstood when it is neither CSV nor JSON of a usage API."""
    found: dict[Key, Count] = {}
    try:
        for line in _read_lines(text):
            key, count = _read_line(line)
            found[key] = found.get(key, Count()) + count
    except (KeyError, ValueError, TypeError) as exc:
        raise NotUnderstood("this export", f"It needs a day and a model in every line ({exc}).") from exc
    return found


def _read_lines(text: str) -> Iterable[Mapping[str, Any]]:
    try:
        return _read_pages(orjson.loads(text))
    except orjson.JSONDecodeError:
        return csv.DictReader(io.StringIO(text))


def _read_pages(pages: Any) -> list[dict[str, Any]]:
    """Results of the usage API's buckets, each with its day. One page, or a list of pages."""
    return [
        {**result, "day": bucket["start_time"]}
        for page in (pages if isinstance(pages, list) else [pages])
        for bucket in page["data"]
        for result in bucket["results"]
    ]


def _read_line(line: Mapping[str, Any]) -> tuple[Key, Count]:
    values = {
        name: next((line[c] for c in columns if line.get(c) not in (None, "")), None)
        for name, columns in COLUMNS.items()
    }
    day, model = values["day"], values["model"]
    if day is None or model is None:
        raise KeyError("day or model is missing")
    endpoint = (
        str(values["endpoint"] or "completions").removeprefix("organization.usage.").removesuffix(".result")
    )
    count = Count(
        requests=int(values["requests"] or 0),
        input_tokens=int(values["input_tokens"] or 0),
        output_tokens=int(values["output_tokens"] or 0),
        audio_seconds=float(values["audio_seconds"] or 0),
        images=int(values["images"] or 0),
    )
    return (_read_day(day), strip_date(str(model)), endpoint), count


def _read_day(value: Any) -> date:
    text = str(value)
    if text.replace(".", "", 1).isdigit():
        return datetime.fromtimestamp(float(text), UTC).date()
    return date.fromisoformat(text[:10])


def compare(ours: Mapping[Key, Ours], theirs: Mapping[Key, Count]) -> list[Difference]:
    """Where the two sides differ, by day."""
    return [
        Difference(*key, mine.count, other, _find_cause(key, mine, other, ours, theirs))
        for key in sorted({*ours, *theirs})
        if not (mine := ours.get(key, Ours())).count.agrees(other := theirs.get(key, Count()), units_of(key))
    ]


def _find_cause(
    key: Key, mine: Ours, other: Count, ours: Mapping[Key, Ours], theirs: Mapping[Key, Count]
) -> str:
    """The likely reason, from the most telling sign to the least."""
    same = [k for k in {*ours, *theirs} if k[1:] == key[1:]]
    all_mine = _sum(ours.get(k, Ours()).count for k in same)
    if len(same) > 1 and all_mine.agrees(_sum(theirs.get(k, Count()) for k in same), units_of(key)):
        return "the same over all days: requests around midnight (UTC) are counted on different days"
    if not mine.count.requests:
        return "not made by Parley: another program, or another Parley, uses the account"
    if other == Count():
        return "not in the export: another account or project, or the export does not cover it"
    if mine.estimated:
        return f"{mine.estimated} of our requests are estimated: broken off, or their end was not seen"
    if other.requests > mine.count.requests:
        return "more requests on their side: another program uses the account too"
    if other.requests < mine.count.requests - mine.failed:
        return "fewer requests on their side: the export is not complete yet (it can be hours late)"
    return "as many requests, other tokens: the provider counted something it did not report with the answer"


def units_of(key: Key) -> Sequence[str]:
    """What both sides count of an endpoint."""
    return UNITS.get(key[2], TOKENS)


def _sum(counts: Iterable[Count]) -> Count:
    return sum(counts, Count())


def format_differences(differences: Sequence[Difference]) -> str:
    """The differences in lines of plain text."""
    if not differences:
        return "No differences."
    return "\n".join(
        f"{d.day}  {d.model}  {d.endpoint}\n"
        f"    ours    {_format_count(d.ours)}\n    theirs  {_format_count(d.theirs)}\n    likely: {d.cause}"
        for d in differences
    )


def _format_count(count: Count) -> str:
    parts = [f"{count.requests:,} requests", f"{count.input_tokens:,} + {count.output_tokens:,} tokens"]
    parts += [f"{count.audio_seconds:,.1f} s"] if count.audio_seconds else []
    parts += [f"{count.images:,} images"] if count.images else []
    return ", ".join(parts)
