"""The entrance to the page `/knowledge`: its signed links, and what it shows to whom.

What a person may see is what they may see in the channel itself; `Reader` is that, as Slack told it when the
page was opened.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from urllib.parse import urlencode

from bot.core.calendar import Calendar, first_day
from bot.core.errors import NotUnderstood
from bot.core.settings import Settings
from bot.knowledge.ingestion import Documents
from bot.knowledge_page import documents, page, questions
from bot.knowledge_page.filters import PageFilters
from bot.knowledge_page.page import KnowledgeView
from bot.knowledge_page.section import KnowledgeSection
from bot.pages import signed_links
from bot.pages.html import Response
from storage.engine import Engine
from storage.knowledge import document_days
from storage.knowledge.audiences import Audience

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


class KnowledgePage:
    """One for the whole process."""

    def __init__(
        self, settings: Settings, engine: Engine, calendar: Calendar, secret: bytes, documents: Documents
    ) -> None:
        self._settings = settings
        self._engine = engine
        self._calendar = calendar
        self._secret = secret
        self._documents = documents

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
        known = await self._documents.list_at(reader.audience)
        weeks = await self._list_weeks(reader, int(filters.weeks))
        told = await names({one.person for one in known})
        sections: list[KnowledgeSection] = [
            questions.make_section(weeks),
            documents.make_section(known, told, self._calendar.zone),
        ]
        asked, answered = sum(week.asked for week in weeks), sum(week.answered for week in weeks)
        figures = {
            "documents": f"{len(known):,}",
            "pages read": f"{sum(one.pages_read for one in known):,}",
            "questions": f"{asked:,}",
            "answered from documents": f"{answered:,}",
        }
        return KnowledgeView(filters, reader.channels, figures, sections, reader.gap)

    async def _list_weeks(self, reader: Reader, weeks: int) -> list[questions.QuestionWeek]:
        today = self._calendar.today()
        since = first_day(today, "week") - timedelta(weeks=weeks - 1)
        audience = reader.audience
        days = await self._engine.read(
            document_days.list_days, audience.team, audience.channel, since=since.isoformat()
        )
        return questions.list_weeks(days, today=today, weeks=weeks)
