"""What became of questions to a channel's documents, week by week, with how many there were."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from bot.core.calendar import first_day
from bot.knowledge_page.section import KnowledgeSection
from bot.ml.gain import measure_rate
from bot.pages.bars import Series, draw_over_time
from bot.pages.tables import Column
from storage.knowledge.document_days import DocumentDay

COLUMNS = (
    Column("week of"),
    Column("answered"),
    Column("refused"),
    Column("from what the model knows"),
    Column("questions (n)"),
    Column("answered from documents, %"),
    Column("95 % interval"),
)
NOTHING = "No question was asked of documents in this time."
FEWEST = 10  # of less than this a share says nothing


@dataclass(frozen=True, slots=True)
class QuestionWeek:
    """A week's counts; it begins on a Monday."""

    first: date
    answered: int = 0
    refused: int = 0
    general: int = 0

    @property
    def asked(self) -> int:
        return self.answered + self.refused + self.general


def list_weeks(days: Iterable[DocumentDay], *, today: date, weeks: int) -> list[QuestionWeek]:
    """So many weeks, the one that is under way last; those too in which nothing was asked."""
    last = first_day(today, "week")
    found = {last - timedelta(weeks=back): [0, 0, 0] for back in reversed(range(weeks))}
    for day in days:
        counts = found.get(first_day(date.fromisoformat(day.day), "week"))
        if counts is not None:
            for n, more in enumerate((day.answered, day.refused, day.general)):
                counts[n] += more
    return [QuestionWeek(first, *counts) for first, counts in found.items()]


def make_section(weeks: Sequence[QuestionWeek]) -> KnowledgeSection:
    """The weeks in which something was asked, newest first, below their chart."""
    asked = [week for week in weeks if week.asked]
    rows = [_make_row(week) for week in reversed(asked)]
    chart = _draw(weeks) if asked else ""
    note = f"A share is shown from {FEWEST} questions on." if asked else ""
    return KnowledgeSection("questions", "Questions to documents", COLUMNS, rows, NOTHING, note, chart)


def _make_row(week: QuestionWeek) -> Sequence[str | int]:
    counts = (week.first.isoformat(), week.answered, week.refused, week.general, week.asked)
    if week.asked < FEWEST:
        return (*counts, "", "")
    rate = measure_rate(week.answered, week.asked)
    share = f"{100 * week.answered / week.asked:.0f}"
    return (*counts, share, f"{100 * rate.low:.0f} to {100 * rate.high:.0f}")


def _draw(weeks: Sequence[QuestionWeek]) -> str:
    series = (
        Series("answered", [week.answered for week in weeks]),
        Series("refused", [week.refused for week in weeks]),
        Series("from what the model knows", [week.general for week in weeks]),
    )
    sums = ", ".join(f"{sum(one.values):,.0f} {one.name}" for one in series)
    labels = [f"{week.first.day} {week.first:%b}" for week in weeks]
    title = f"Questions per week, n = {sum(week.asked for week in weeks):,}"
    said = f"{title}: bars from the week of {labels[0]} to that of {labels[-1]}; in all {sums}."
    return draw_over_time(title, labels, series, said=said)
