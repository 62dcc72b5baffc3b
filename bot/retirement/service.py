"""Looks every day whether a model in use ends, and says what is to be told to whom, once each.

An end is told 90, 30 and 7 days ahead, and when another model answers in the place of one that has ended:
to the operator, and to the owners of a channel that chose the model itself. A start between two marks tells
the nearer one alone.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from bot.channel import models_in_use
from bot.channel.models_in_use import Chosen
from bot.core.calendar import Calendar
from bot.core.errors import ProviderError
from bot.core.settings import Settings
from bot.provider.catalogue import Catalogue, Ending
from bot.provider.fallbacks import read_fallbacks, settings_of
from bot.provider.service import Provider
from storage.engine import Engine
from storage.retirement import endings
from storage.retirement.endings import EndingNotice

log = logging.getLogger(__name__)

MARKS = (90, 30, 7)  # days ahead
DAY_S = 86_400.0
HOUR_S = 3_600.0  # until a server that did not answer is asked again
ENDED = 0
UNANNOUNCED = ""  # the day of an end that a request met
PLACES_NAMED = 3  # of those where a model was chosen


@dataclass(frozen=True, slots=True)
class Finding:
    """A model in use that ends, and where it was chosen. `days` until it ends, 0 or less when it has."""

    ending: Ending
    days: int
    chosen: tuple[Chosen, ...]


@dataclass(frozen=True, slots=True)
class DueNotice:
    """One notice to give, and what it is about."""

    notice: EndingNotice
    finding: Finding


def find_endings(models: Sequence[Chosen], catalogue: Catalogue, *, today: date) -> list[Finding]:
    """The models of a list that end within the first mark or have ended, soonest first."""
    found = list[Finding]()
    for model in dict.fromkeys(one.model for one in models):
        ending = catalogue.find_ending(model)
        if ending is not None and (days := (ending.ends - today).days) <= MARKS[0]:
            found.append(Finding(ending, days, tuple(one for one in models if one.model == model)))
    return sorted(found, key=lambda finding: finding.days)


def list_others(settings: Settings) -> list[Chosen]:
    """The models that are asked for something else than answers, or only when those do not answer."""
    others = [
        ("PARLEY_SPEECH_MODEL", settings.speech_model),
        ("PARLEY_EMBEDDINGS", settings.embeddings),
        *(("PARLEY_FALLBACKS", one.model) for one in read_fallbacks(settings) if not one.base_url),
    ]
    return [Chosen(where, model) for where, model in others if model and not model.startswith("local")]


def find_elsewhere(settings: Settings, *, today: date) -> list[Finding]:
    """The same of further models on other servers, by the table alone."""
    found = list[Finding]()
    for one in read_fallbacks(settings):
        if one.base_url:
            theirs = Catalogue(settings_of(settings, one))
            found += find_endings([Chosen("PARLEY_FALLBACKS", one.model)], theirs, today=today)
    return found


def describe_ending(finding: Finding) -> str:
    """One line for the operator: which model, where it was chosen, its day, and who follows."""
    ending, where = finding.ending, list(dict.fromkeys(one.where for one in finding.chosen))
    more = f" and {len(where) - PLACES_NAMED} more" if len(where) > PLACES_NAMED else ""
    named = f"{', '.join(where[:PLACES_NAMED])}{more}: {ending.model}" if any(where) else ending.model
    if finding.days > 0:
        days = "tomorrow" if finding.days == 1 else f"in {finding.days} days"
        then = f"then {ending.then} answers" if ending.then else "nobody follows it (PARLEY_SUCCESSORS)"
        return f"{named} ends on {ending.ends}, {days}; {then}"
    then = f"{ending.then} answers instead" if ending.then else "nobody follows it (PARLEY_SUCCESSORS)"
    return f"{named} ended on {ending.ends}; {then}"


class Retirement:
    """The ends of the models in use."""

    def __init__(
        self,
        settings: Settings,
        engine: Engine,
        provider: Provider,
        calendar: Calendar,
        given: Mapping[str, Mapping[str, str]],
    ) -> None:
        """`given`: what the operator's file says of channels."""
        self._settings, self._engine, self._calendar, self._given = settings, engine, calendar, given
        self._provider, self._catalogue = provider, provider.catalogue
        self._look_at = 0.0  # when the server is asked next

    async def load(self) -> None:
        """Remembers what the server said before this start."""
        reported, seen_at = await self._engine.read(endings.reported, self._provider.address)
        self._catalogue.learn(read_dates(reported))
        self._look_at = seen_at + DAY_S

    async def reread(self) -> None:
        """What another process asked the server since."""
        reported, seen_at = await self._engine.read(endings.reported, self._provider.address)
        if seen_at + DAY_S > self._look_at:
            self._catalogue.learn(read_dates(reported))
            self._look_at = seen_at + DAY_S

    async def look(self) -> None:
        """Asks the server for its models, once a day; one that has no such list is left at the table."""
        now = self._calendar.now()
        if now < self._look_at:
            return
        self._look_at = now + HOUR_S
        try:
            listed = await self._provider.list_models()
        except ProviderError as exc:
            log.info("the model API does not list its models: %s", exc)
            return
        reported = {str(one["id"]): str(one.get("shutdown_date") or "")[:10] for one in listed}
        await self._engine.write(endings.put_reported, self._provider.address, reported, now=now)
        self._catalogue.learn(read_dates(reported))
        self._look_at = now + DAY_S

    async def find(self) -> list[Finding]:
        """What ends or has ended of all that is in use now."""
        chosen = await self._engine.read(models_in_use.read_chosen)
        models = [
            *models_in_use.list_models(self._settings, self._given, chosen),
            *list_others(self._settings),
        ]
        found = find_endings(models, self._catalogue, today=self._today())
        return [*found, *find_elsewhere(self._settings, today=self._today())]

    async def find_due(self) -> list[DueNotice]:
        """The notices that are to be given and were not."""
        wanted = [
            DueNotice(notice, finding) for finding in await self.find() for notice in _list_notices(finding)
        ]
        wanted += self._list_replaced()
        given = [await self._engine.read(endings.is_given, due.notice) for due in wanted]
        return [due for due, was_given in zip(wanted, given, strict=True) if not was_given]

    async def note_given(self, due: DueNotice) -> None:
        await self._engine.write(endings.note_given, due.notice, now=self._calendar.now())

    def _list_replaced(self) -> list[DueNotice]:
        """For the operator: models that a server had no more before their day, and who answers for them."""
        today = self._today()
        return [
            DueNotice(
                EndingNotice("", "", model, UNANNOUNCED, ENDED),
                Finding(Ending(model, today, follower), 0, (Chosen("", model),)),
            )
            for model, follower in self._catalogue.replaced.items()
            if (ending := self._catalogue.find_ending(model)) is None or ending.ends > today
        ]

    def _today(self) -> date:
        return datetime.fromtimestamp(self._calendar.now(), UTC).date()


def _list_notices(finding: Finding) -> list[EndingNotice]:
    """Who is to be told of it at this mark: the operator, and each channel and workspace that chose it."""
    mark = ENDED if finding.days <= 0 else min(mark for mark in MARKS if finding.days <= mark)
    ending = finding.ending
    places = dict.fromkeys((one.team, one.channel) for one in finding.chosen if one.team)
    return [
        EndingNotice(team, channel, ending.model, ending.ends.isoformat(), mark)
        for team, channel in [("", ""), *places]
    ]


def read_dates(reported: Mapping[str, str]) -> dict[str, date | None]:
    """A date that cannot be read is none."""
    found = dict[str, date | None]()
    for model, ends in reported.items():
        try:
            found[model] = date.fromisoformat(ends)
        except ValueError:
            found[model] = None
    return found
