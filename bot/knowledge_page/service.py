"""The entrance to the page `/knowledge`: its signed links, and what it shows to whom.

What a person may see is what they may see in the channel itself; `Reader` is that, as Slack told it when the
page was opened.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlencode

from bot.core.calendar import Calendar, first_day
from bot.core.errors import NotUnderstood
from bot.core.settings import Settings
from bot.fields.service import FieldExtraction
from bot.knowledge.ingestion import Documents
from bot.knowledge_page import documents, fields, notes, page, questions, unanswered
from bot.knowledge_page.filters import PageFilters
from bot.knowledge_page.page import KnowledgeView
from bot.knowledge_page.section import KnowledgeSection
from bot.notes.service import Notes
from bot.pages import signed_links
from bot.pages.html import Response
from bot.unanswered.service import UnansweredQuestions
from storage.engine import Engine
from storage.knowledge import document_days
from storage.knowledge.audiences import Audience
from storage.knowledge.documents import Document
from storage.place import Channel
from storage.unanswered.questions import count_by_channel

PATH = "/knowledge"
Names = Callable[[Iterable[str]], Awaitable[Mapping[str, str]]]
CLOSED = "Another company reads along there, so nothing of what I know is shown."


@dataclass(frozen=True, slots=True)
class Reader:
    """Who opened the page, and what they may see of the channel it is about. `channels`: names by id, of all
    they may choose from; `owner`: they look after that channel."""

    audience: Audience
    channels: Mapping[str, str]
    owner: bool = False
    gap: str = ""


@dataclass(frozen=True, slots=True)
class PageSources:
    """Where what the page shows comes from."""

    documents: Documents
    unanswered: UnansweredQuestions
    notes: Notes
    fields: FieldExtraction


class KnowledgePage:
    """One for the whole process."""

    def __init__(
        self, settings: Settings, engine: Engine, calendar: Calendar, secret: bytes, sources: PageSources
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._calendar = calendar
        self._secret = secret
        self._sources = sources

    def link(self, team: str, user: str, channel: str) -> str:
        """The page for this person for a quarter of an hour; "" where no page is served."""
        if not self._settings.public_url:
            return ""
        token = signed_links.sign(self._secret, team, user, now=self._calendar.now())
        query = urlencode({"token": token, "channel": channel})
        return f"{self._settings.public_url.rstrip('/')}{PATH}?{query}"

    def reader_of(self, token: str) -> tuple[str, str]:
        """(team, user) of a link that is still good, or NotPermitted."""
        return signed_links.verify(self._secret, token, now=self._calendar.now())

    async def list_channels(self, team: str) -> list[str]:
        """Every channel of which there is something to show, whoever may see it."""
        return await self._engine.read(document_days.list_channels, team)

    async def respond(self, reader: Reader, filters: PageFilters, names: Names) -> Response:
        """The page, or the file that is asked for. NotUnderstood for a table that there is not."""
        view = await self._gather(reader, replace(filters, channel=reader.audience.channel), names)
        if not filters.table:
            return page.respond(view)
        if found := page.download(view):
            return found
        raise NotUnderstood(filters.table, f"Tables are {', '.join(one.name for one in view.sections)}.")

    async def _gather(self, reader: Reader, filters: PageFilters, names: Names) -> KnowledgeView:
        if not reader.audience.open:
            return KnowledgeView(filters, reader.channels, {}, [], CLOSED)
        known = await self._sources.documents.list_at(reader.audience)
        noted = await self._sources.notes.list_at(reader.audience)
        weeks = await self._list_weeks(reader, int(filters.weeks))
        sections = [
            questions.make_section(weeks),
            *await self._list_unanswered(reader),
            *await self._list_fields(reader, known, filters),
            notes.make_section(noted, self._calendar.zone),
            await self._list_documents(known, names),
        ]
        figures = _sum_up(known, weeks, notes=len(noted)) | await self._count_repaired(reader, weeks)
        return KnowledgeView(filters, reader.channels, figures, sections, reader.gap)

    async def _count_repaired(
        self, reader: Reader, weeks: Sequence[questions.QuestionWeek]
    ) -> dict[str, str]:
        """Of questions that were refused, how many were answered in this time after all."""
        since = self._calendar.midnight(weeks[0].first).timestamp()
        counts = await self._engine.read(
            count_by_channel, reader.audience.team, since=since, until=self._calendar.now()
        )
        found = (one["answered"] for one in counts if one["channel"] == reader.audience.channel)
        return {"answered after all": f"{next(found, 0):,}"}

    async def _list_documents(self, known: Sequence[Document], names: Names) -> KnowledgeSection:
        told = await names({one.person for one in known})
        return documents.make_section(known, told, self._calendar.zone)

    async def _list_unanswered(self, reader: Reader) -> list[KnowledgeSection]:
        if not reader.owner:
            return []
        at = Channel(reader.audience.team, reader.audience.channel)
        return [unanswered.make_section(await self._sources.unanswered.list_topics(at), self._calendar.zone)]

    async def _list_fields(
        self, reader: Reader, known: Sequence[Document], filters: PageFilters
    ) -> list[KnowledgeSection]:
        """The table of the form that is chosen, of documents alone that can be asked about here."""
        forms = await self._sources.fields.list_forms(reader.audience.team, reader.audience.channel)
        if not forms:
            return []
        form = next((one for one in forms if one.id == filters.form), forms[0])
        seen = {one.id for one in known if one.state == "searchable" and not one.hidden}
        rows = [row for row in await self._sources.fields.rows(form) if row.document in seen]
        return [fields.make_section(forms, form, rows, filters)]

    async def _list_weeks(self, reader: Reader, weeks: int) -> list[questions.QuestionWeek]:
        today = self._calendar.today()
        since = first_day(today, "week") - timedelta(weeks=weeks - 1)
        audience = reader.audience
        days = await self._engine.read(
            document_days.list_days, audience.team, audience.channel, since=since.isoformat()
        )
        return questions.list_weeks(days, today=today, weeks=weeks)


def _sum_up(
    known: Sequence[Document], weeks: Sequence[questions.QuestionWeek], *, notes: int
) -> dict[str, str]:
    return {
        "documents": f"{len(known):,}",
        "pages read": f"{sum(one.pages_read for one in known):,}",
        "notes": f"{notes:,}",
        "questions": f"{sum(week.asked for week in weeks):,}",
        "answered from documents": f"{sum(week.answered for week in weeks):,}",
    }
