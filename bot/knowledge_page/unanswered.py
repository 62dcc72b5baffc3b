"""What could not be answered in a channel, for those who look after it: grouped by what is meant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from bot.knowledge_page.section import KnowledgeSection, tell_day
from bot.pages.tables import Column
from bot.unanswered.service import Topic

COLUMNS = (
    Column("question", is_name=True),
    Column("times asked"),
    Column("people"),
    Column("should be answered", is_name=True),
    Column("nearest thing known", is_name=True),
    Column("first asked"),
    Column("last asked"),
)
NOTHING = "No question is open."
NOTE = "For those who look after this channel. What is done about a question: /parley knowledge unanswered."


def make_section(topics: Sequence[Topic], zone: tzinfo) -> KnowledgeSection:
    """Topics in the order in which they are to be looked at."""
    rows = [
        (
            topic.question,
            topic.times,
            topic.people,
            "yes" if topic.wanted else "",
            topic.nearest,
            tell_day(topic.first_at, zone),
            tell_day(topic.last_at, zone),
        )
        for topic in topics
    ]
    return KnowledgeSection("unanswered", "Unanswered questions", COLUMNS, rows, NOTHING, NOTE)
