"""How the page looks: sections of one channel become one HTML file on the frame of all pages.

It runs no script. Everything that came from outside is escaped.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

from bot.knowledge_page.filters import WEEKS, PageFilters
from bot.knowledge_page.section import KnowledgeSection
from bot.pages import bars, html, spreadsheets
from bot.pages.html import Response, select

_BODY = Template(Path(__file__).with_name("page.html").read_text("utf-8"))
_STYLE = Path(__file__).with_name("page.css").read_text("utf-8") + bars.STYLE
SUBTITLE = "What is answered from here, and what people asked"


@dataclass(frozen=True, slots=True)
class KnowledgeView:
    """All that one page shows, already only what its viewer may see. `channels`: names by id, of those they
    may choose from; `gap`: what is missing, in a sentence."""

    filters: PageFilters
    channels: Mapping[str, str]
    figures: Mapping[str, str]
    sections: Sequence[KnowledgeSection]
    gap: str = ""

    @property
    def name(self) -> str:
        return self.channels[self.filters.channel]


def respond(view: KnowledgeView) -> Response:
    """The whole page."""
    filters = view.filters
    body = _BODY.substitute(
        token=escape(filters.token),
        selects="\n".join(
            (
                select("channel", "Where", view.channels.items(), filters.channel),
                select("weeks", "Questions of", WEEKS.items(), filters.weeks),
            )
        ),
        figures=html.figures(view.figures),
        sections="\n".join(section.show(filters.download(section.name)) for section in view.sections),
    )
    subtitle = f"{SUBTITLE}. {view.gap}" if view.gap else SUBTITLE
    whole = html.frame(f"Knowledge of {view.name}", subtitle, body, style=_STYLE)
    return html.respond(whole, nonce=secrets.token_urlsafe(16), shows=filters.channel)


def download(view: KnowledgeView) -> Response | None:
    """The file that is asked for; None where the page has no such table."""
    wanted = view.filters.table
    for section in view.sections:
        if section.name == wanted:
            shows = f"{wanted} of {view.filters.channel} as csv"
            return html.download(section.csv, kind=spreadsheets.KIND, name=f"{section.name}.csv", shows=shows)
    return None
