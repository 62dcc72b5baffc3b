"""`parley settings`: the table of settings as a file to copy; .env.example is its output."""

from __future__ import annotations

import argparse
import textwrap

from bot.core.settings import Settings, table


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No arguments."""


async def run(args: argparse.Namespace, settings: Settings) -> int:
    print(example(), end="")
    return 0


def example() -> str:
    """Every setting, commented out at its default."""
    lines = [
        "# Settings of Parley. Copy to .env and fill in what you need; what is commented out is the default.",
        "# Made by `parley settings`.",
    ]
    for env, default, help, secret in table():
        lines += ["", *textwrap.wrap(help, 100, initial_indent="# ", subsequent_indent="# ")]
        lines.append(f"{env}=" if secret else f"# {env}={default}")
    return "\n".join(lines) + "\n"
