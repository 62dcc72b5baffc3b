"""Statements as they are written in storage/, in the words of PostgreSQL's own protocol."""

from __future__ import annotations

import re
from functools import cache

# What stands in quotes is left alone, and so is a cast.
_PARTS = re.compile(r"'[^']*'|::|:([a-z_]\w*)", re.IGNORECASE)


@cache
def translate(sql: str) -> tuple[bytes, tuple[str, ...]]:
    """`:name` becomes `$1` and so on; the names in that order."""
    names: list[str] = []

    def number(found: re.Match[str]) -> str:
        name = found[1]
        if name is None:
            return found[0]
        if name not in names:
            names.append(name)
        return f"${names.index(name) + 1}"

    return _PARTS.sub(number, sql).encode(), tuple(names)
