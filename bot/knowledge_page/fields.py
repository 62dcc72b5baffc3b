"""Tables of fields: the rows that documents yielded for one form, filtered, with what is still to be looked
at marked."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from bot.fields.exports import write_csv
from bot.fields.values import Field, FieldForm, FieldRow, RowFilter, Value
from bot.knowledge_page.field_charts import draw_charts, find_sure
from bot.knowledge_page.filters import DOUBTFUL, FIELD, PageFilters
from bot.knowledge_page.section import KnowledgeSection
from bot.pages.html import select
from bot.pages.tables import Column, Link

NOTHING = "No row is like that."
CHOICES_MOST = 40


def read_filter(form: FieldForm, filters: PageFilters) -> RowFilter:
    """Which rows are wanted; of filters on what the form has not, nothing."""
    values = {name: value for name, value in filters.where.items() if form.find(name) and value}
    return RowFilter(doubtful=filters.rows == DOUBTFUL, values=values)


def make_section(
    forms: Sequence[FieldForm], form: FieldForm, rows: Sequence[FieldRow], filters: PageFilters
) -> KnowledgeSection:
    """The table of `form`, one of `forms`. `rows`: all of it that may be seen."""
    wanted = read_filter(form, filters)
    chosen = [row for row in rows if _is_wanted(row, wanted)]
    columns = (
        Column("document", is_name=True),
        Column("page"),
        *(Column(field.name, is_name=field.type in ("text", "choice")) for field in form.fields),
        Column("to be looked at", is_name=True),
    )
    doubtful = sum(row.state == "doubtful" for row in chosen)
    note = f"{len(chosen):,} of {len(rows):,} rows; in {doubtful:,} of them something is to be looked at."
    above = _draw_filters(forms, form, rows, filters) + draw_charts(form, chosen)
    shown = [_make_row(form, row) for row in chosen]
    return KnowledgeSection(
        "fields", f"Fields: {form.name}", columns, shown, NOTHING, note, above, write_csv(form, chosen)
    )


def _is_wanted(row: FieldRow, wanted: RowFilter) -> bool:
    if wanted.doubtful and row.state != "doubtful":
        return False
    return all((row.find(name) or Value(name)).value == value for name, value in wanted.values.items())


def _make_row(form: FieldForm, row: FieldRow) -> Sequence[str | int | Link | None]:
    values = [row.find(field.name) or Value(field.name) for field in form.fields]
    doubtful = "; ".join(f"{value.field}: {value.why}" for value in values if value.open)
    shown = (f"{value.value or value.text}{' (?)' if value.open else ''}" for value in values)
    return (Link(row.title, row.link), row.page or None, *shown, doubtful)


def _draw_filters(
    forms: Sequence[FieldForm], form: FieldForm, rows: Sequence[FieldRow], filters: PageFilters
) -> str:
    selects = [select("form", "Table", [(one.id, one.name) for one in forms], form.id)]
    for field in form.fields:
        if options := list_choices(field, rows):
            name, all_of_it = f"{FIELD}{field.name}", [("", "all"), *((one, one) for one in options)]
            selects.append(
                select(escape(name), escape(field.name), all_of_it, filters.where.get(field.name, ""))
            )
    states = [("", "all"), (DOUBTFUL, "to be looked at")]
    selects.append(select("rows", "Rows", states, filters.rows))
    return (
        f'<form class="narrow" method="get" action="#fields">{_keep(filters)}{"".join(selects)}'
        "<button>Show rows</button></form>"
    )


def list_choices(field: Field, rows: Iterable[FieldRow]) -> list[str]:
    """The values of a field that rows can be narrowed to; none of a field that is different each time."""
    if field.type not in ("text", "choice"):
        return []
    sure = [value for row in rows if (value := find_sure(row, field))]
    different = sorted(set(sure), key=str.casefold)
    return different if len(different) <= CHOICES_MOST and len(different) < len(sure) else []


def _keep(filters: PageFilters) -> str:
    given = {"token": filters.token, "channel": filters.channel, "weeks": filters.weeks}
    return "".join(
        f'<input type="hidden" name="{name}" value="{escape(value)}">' for name, value in given.items()
    )
