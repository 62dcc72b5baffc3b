"""`parley settings`: the table of settings as a file to copy; .env.example is its output."""

from __future__ import annotations

import argparse
import re
import textwrap

from bot.core.settings import Settings, table

# Means nothing to a shell.
_PLAIN = re.compile(r"[A-Za-z0-9_./:,@%+-]*")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


async def run(args: argparse.Namespace, settings: Settings) -> int:
    print(example(), end="")
    return 0


def example() -> str:
    """Every setting, commented out at its default."""
    lines = [
        "# Settings of Parley. Copy to .env, which is read in the folder that Parley starts in, and fill in",
        "# what you need; what is commented out is the default.",
        "# Made by `parley settings`.",
    ]
    for row in table():
        lines += ["", *textwrap.wrap(row.help, 100, initial_indent="# ", subsequent_indent="# ")]
        default = "" if row.default is None else str(row.default)
        lines.append(f"{row.env}=" if row.secret else f"# {row.env}={quote(default)}")
    return "\n".join(lines) + "\n"


def quote(value: str) -> str:
    """A value as both a shell and a reader of .env files take it."""
    if not value or _PLAIN.fullmatch(value):
        return value
    if "'" not in value:
        return f"'{value}'"
    return '"' + re.sub(r'[\\"$`]', r"\\\g<0>", value) + '"'
