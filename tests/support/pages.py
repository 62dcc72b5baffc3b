"""Writes what the pages repeat of the code, between their markers: `python -m tests.support.pages`.

Settings, commands and rooms are written down once, in the code; tests/test_pages.py fails when a page says
something else.
"""

from __future__ import annotations

import argparse
import ast
import importlib
import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import yaml

from bot.cli.main import COMMANDS
from bot.core import settings
from handlers import commands, routes
from handlers.channel import form, workspace
from handlers.fields import blocks as field_blocks
from handlers.fields import review_windows
from handlers.fields import windows as field_windows
from handlers.guard import blocks as guard
from handlers.knowledge import blocks as document_blocks
from handlers.knowledge import learning_blocks, windows
from handlers.notes import window as note_window
from handlers.slack import blocks, note_question
from handlers.unanswered import blocks as unanswered
from handlers.unanswered import people, refusal
from handlers.voice import blocks as voice
from handlers.welcome import note
from tests.support.house import FOLDERS, ROOMS, ROOT

# What is written on the buttons and menus that Slack tells us of.
BUTTONS = {
    document_blocks.OPEN: "Open",
    document_blocks.REPLACE: "Replace",
    document_blocks.REMOVE: "Remove",
    windows.ADD_FILES: "In this channel",
    windows.ADD_FILES_EVERYWHERE: "Everywhere",
    windows.KEEP_THREAD: "In this channel",
    windows.KEEP_THREAD_EVERYWHERE: "Everywhere",
    windows.WRITE: "Write a text",
    windows.UPLOAD: "Upload a file",
    windows.LIST: "Documents",
    windows.EXTRACT: "Choose the fields",
    field_windows.EXTRACT: "Extract",
    field_windows.DESCRIBE: "Describe fields",
    field_windows.CHANGE: "Change",
    field_windows.REMOVE_FORM: "Remove",
    field_windows.ROWS: "Rows",
    field_blocks.OPEN_TABLE: "All rows",
    field_windows.EXPORT_CSV: "As CSV",
    field_windows.EXPORT_JSONL: "As JSONL",
    field_blocks.READ_NOW: "Read them",
    field_blocks.NOT_NOW: "Not now",
    field_blocks.STOP: "Stop",
    field_blocks.AGAIN: "Go on",
    field_blocks.REVIEW: "Review",
    field_windows.REVIEW_ALL: "Review",
    review_windows.TAKE: "This one",
    review_windows.MISSING: "It is missing",
    review_windows.TYPE: "Type it",
    note_window.WRITE_NOTE: "Write a note",
    note_question.EDIT_NOTE: "Edit",
    note_question.ERASE_NOTE: "Erase",
    note_question.STILL_RIGHT: "Still right",
    blocks.UNDO_NOTE: "Undo",
    blocks.NEW_HOLDS: "The new one",
    blocks.OLD_HOLDS: "The older one",
    blocks.BOTH_HOLD: "Both",
    blocks.FEEDBACK: "👍 👎",
    blocks.RETRY: "Try again",
    **blocks.FOLLOW_UPS,
    blocks.ASK_FORGET: "Forget everything of mine…",
    blocks.FORGET_ALL: "Forget everything of mine",
    blocks.SHOULD_ANSWER: "Should have answered",
    blocks.SHOULD_REFUSE: "Should have refused",
    blocks.SETTINGS_OF: "Choose a channel",
    workspace.OPEN: "Settings of the workspace",
    note.OPEN_SETTINGS: "Channel settings",
    form.OPEN_RECORD: "What the guard did",
    form.OPEN_QUESTIONS: "Unanswered questions",
    guard.USE: "Use this",
    form.OPEN_LEARNING: "What answers taught",
    learning_blocks.USE: "Use this",
    unanswered.ADD: "Add a document",
    unanswered.WRITE: "Write the answer",
    unanswered.ASK_AGAIN: "Ask again",
    unanswered.NOT_OURS: "Not ours",
    refusal.WANTED: "This should be answerable",
    people.ASK: people.ASK_LABEL,
    people.THIS_ONE: people.THIS_LABEL,
    people.NEWEST: people.NEWEST_LABEL,
    voice.EDIT: "Correct and ask again",
    voice.TRANSLATE: "Translate",
    voice.FORGET_CLIP: "Forget",
}


def table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [tuple(head), *map(tuple, rows)]
    lines.insert(1, ("---",) * len(lines[0]))
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def settings_tables() -> str:
    """One table for each group of settings, as the comments in bot/core/settings.py part them."""
    rows = {row.env: row for row in settings.table()}
    groups: dict[str, list[tuple[str, str, str]]] = {}
    source = inspect.getsource(settings.Settings)
    for comment, env in re.findall(r'^    # (.+)$|_setting\(\s*"([A-Z_]+)"', source, re.MULTILINE):
        if comment:
            groups[comment] = current = []
            continue
        row = rows[env]
        default = "" if row.secret or row.default in ("", None) else f"`{row.default}`"
        current.append((f"`{env}`", default, row.help))
    head = ("setting", "default", "what it is")
    return "\n\n".join(f"## {group}\n\n{table(head, found)}" for group, found in groups.items())


def slash_table() -> str:
    return table(
        ("you write", "you get"), ((f"`/parley {words}`", help) for words, help in commands.HELP.items())
    )


def shortcuts_table() -> str:
    manifest = yaml.safe_load((ROOT / "manifest.yml").read_text("utf-8"))
    return table(
        ("in the ⋮ menu of a message", "what it does"),
        ((one["name"], one["description"]) for one in manifest["features"]["shortcuts"]),
    )


def buttons_table() -> str:
    listeners = routes.table(None, None)["action"]  # type: ignore[arg-type]
    return table(
        ("button", "what it does"),
        ((BUTTONS[action], first_line(listener.__doc__)) for action, listener in listeners.items()),
    )


def command_line() -> str:
    return "\n\n".join(part for name in COMMANDS for part in command(name))


def command(name: str) -> Iterator[str]:
    """A command with its arguments and options; then each of its actions."""
    module, help = COMMANDS[name]
    parser = argparse.ArgumentParser(prog=f"parley {name}")
    importlib.import_module(module).add_arguments(parser)
    yield f"### `parley {name}`\n\n{help[0].upper()}{help[1:]}."
    if rows := list(options(parser)):
        yield table(("argument", "what it is"), rows)
    for group in parser._subparsers._group_actions if parser._subparsers else ():
        for action in group._choices_actions:  # type: ignore[attr-defined]
            yield f"`parley {name} {action.dest}`: {action.help}."
            if rows := list(options(group.choices[action.dest])):  # type: ignore[index,call-overload]
                yield table(("argument", "what it is"), rows)


def options(parser: argparse.ArgumentParser) -> Iterator[tuple[str, str]]:
    for action in parser._actions:
        if isinstance(action, argparse._HelpAction | argparse._SubParsersAction):
            continue
        if action.help == argparse.SUPPRESS:  # accepted, and not offered
            continue
        value = action.metavar or ("" if action.nargs == 0 else action.dest.upper())
        shown = " ".join(value) if isinstance(value, tuple) else value
        if action.choices and not action.metavar:
            shown = "|".join(map(str, action.choices))
        names = ", ".join(f"`{name} {shown}`" if shown else f"`{name}`" for name in action.option_strings)
        yield names or f"`{shown}`", action.help or ""


def rooms_table() -> str:
    """Each room with what it says of itself in each folder in one line, above the rooms that import it."""
    rooms = [room.split("/") for room in ROOMS if (ROOT / room / "__init__.py").exists()]
    names = dict.fromkeys(name for folder in FOLDERS for place, name in rooms if place == folder)
    return table(
        ("room", *(f"in `{folder}/`" for folder in FOLDERS)),
        ((f"`{name}`", *(first_line_of_room(folder, name) for folder in FOLDERS)) for name in names),
    )


def first_line_of_room(folder: str, name: str) -> str:
    path = ROOT / folder / name / "__init__.py"
    return first_line(docstring(path)) if path.exists() else ""


def docstring(path: Path) -> str | None:
    return ast.get_docstring(ast.parse(path.read_text("utf-8")))


def first_line(text: str | None) -> str:
    return inspect.cleandoc(text or "").partition("\n")[0]


# Page → marker → what stands between its two comments.
PAGES: dict[str, dict[str, Callable[[], str]]] = {
    "docs/settings.md": {"settings": settings_tables},
    "docs/commands.md": {
        "slash": slash_table,
        "shortcuts": shortcuts_table,
        "buttons": buttons_table,
        "command line": command_line,
    },
    "ARCHITECTURE.md": {"rooms": rooms_table},
}


def rewritten(page: str) -> str:
    """A page as it has to be."""
    text = (ROOT / page).read_text("utf-8")
    for marker, made in PAGES[page].items():
        begin, end = f"<!-- {marker} -->", f"<!-- /{marker} -->"
        head, _, rest = text.partition(begin)
        _, found, tail = rest.partition(end)
        if not found:
            raise ValueError(f"{page}: {begin} … {end} is missing")
        text = f"{head}{begin}\n{made()}\n{end}{tail}"
    return text


if __name__ == "__main__":
    for page in PAGES:
        (ROOT / page).write_text(rewritten(page), "utf-8")
