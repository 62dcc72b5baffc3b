"""What the page is asked for, read from its address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlencode

from bot.core.errors import NotUnderstood

WEEKS = {"12": "12 weeks", "26": "half a year", "52": "a year"}
DOUBTFUL = "doubtful"
FIELD = "f."  # what the names of field filters begin with


@dataclass(frozen=True, slots=True)
class PageFilters:
    """`channel` "": where there is most to see; `table`: whose rows are wanted as a file, "" for the page;
    `form`: whose field table is shown; `where`: which value of which of its fields;
    `rows`: DOUBTFUL for those of it that somebody has to look at."""

    token: str = ""
    channel: str = ""
    weeks: str = "12"
    table: str = ""
    form: str = ""
    where: Mapping[str, str] = field(default_factory=dict)
    rows: str = ""

    @property
    def address(self) -> str:
        """The same page again."""
        where = {f"{FIELD}{name}": value for name, value in self.where.items() if value}
        given = {
            "token": self.token,
            "channel": self.channel,
            "weeks": self.weeks,
            "table": self.table,
            "form": self.form,
            "rows": self.rows,
            **where,
        }
        return f"?{urlencode({name: value for name, value in given.items() if value})}"

    def download(self, table: str) -> str:
        """The address of a table's file."""
        return replace(self, table=table).address


def read_filters(query: Mapping[str, str]) -> PageFilters:
    """NotUnderstood for a time that is not offered."""
    weeks = query.get("weeks") or "12"
    if weeks not in WEEKS:
        raise NotUnderstood(weeks, f"Weeks are {', '.join(WEEKS)}.")
    return PageFilters(
        token=query.get("token", ""),
        channel=query.get("channel", ""),
        weeks=weeks,
        table=query.get("table", ""),
        form=query.get("form", ""),
        rows=query.get("rows", ""),
        where={name.removeprefix(FIELD): value for name, value in query.items() if name.startswith(FIELD)},
    )
