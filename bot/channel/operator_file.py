"""What an operator says of channels in a file (PARLEY_POLICIES): TOML with a table for each channel id.

A table holds what the channel is for (bot/guard/policy.py reads that part) and how it is answered.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from bot.channel.options import MODEL, OF_CHANNEL
from bot.core.errors import SetupError

Tables = Mapping[str, Mapping[str, Any]]
Check = Callable[[Mapping[str, str]], dict[str, str]]


def read_tables(path: str) -> Tables:
    """The tables by channel; no path is none. SetupError for a file that cannot be read."""
    if not path:
        return {}
    try:
        tables = tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as exc:
        raise SetupError([f"PARLEY_POLICIES: cannot read {path}: {exc}"]) from exc
    # `C1 = "billing"` says what a channel is for and nothing else.
    return {
        channel: table if isinstance(table, dict) else {"purpose": table} for channel, table in tables.items()
    }


def read_policy_tables(path: str) -> Tables:
    """What channels are for: the tables without how they are answered, where there is anything else."""
    return {
        channel: {name: value for name, value in table.items() if name not in OF_CHANNEL}
        for channel, table in read_tables(path).items()
        if not table or table.keys() - set(OF_CHANNEL)
    }


def read_answer_options(path: str, check: Check) -> dict[str, dict[str, str]]:
    """How channels are answered, by channel. An operator may name any model. SetupError: every problem."""
    found, problems = dict[str, dict[str, str]](), list[str]()
    for channel, table in read_tables(path).items():
        given = {name: table[name] for name in OF_CHANNEL if name in table}
        wrong = [f"{name}: not a text" for name, value in given.items() if not _is_plain(value)]
        plain = {name: str(value) for name, value in given.items() if _is_plain(value)}
        model = {MODEL: plain.pop(MODEL)} if MODEL in plain else {}
        try:
            found[channel] = check(plain) | model
        except SetupError as exc:
            wrong += exc.problems
        problems += [f"{path}: {channel}: {problem}" for problem in wrong]
    if problems:
        raise SetupError(problems)
    return found


def _is_plain(value: Any) -> bool:
    return isinstance(value, str) or (isinstance(value, int) and not isinstance(value, bool))
