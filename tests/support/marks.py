"""Which tests start a process or the whole bot, drive a browser or train: read off what they call.

`make quick` leaves those out. What a test reaches through the running bot alone is named here by the helper
that causes it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

import pytest

from tests.support.engines import POSTGRESQL, engine_of

CAUSES = {
    "process": {
        "asyncio.create_subprocess_exec", "subprocess.Popen", "subprocess.run",
        "tests.support.forked.start_module", "tests.support.supervised.supervised",
        "bot.sandbox.run.sandbox", "bot.sandbox.bot_process.BotProcess",
        "bot.voice.decoding.decode_file", "bot.voice.recognition.Recognizer",  # a process decodes
        "tests.support.clips.drop", "tests.support.clips.clip", "tests.support.clips.bundled",
        "bot.reports.chart_images.draw", "bot.reports.chart_images.script",  # a process draws
    },
    "bot": {"tests.support.workspace.started"},
    "training": {
        "bot.ml.discriminator.train", "bot.ml.answer_classifier.train", "bot.learning.trainer.Trainer",
        "tests.support.guarded_channel.teach", "tests.support.guarded_channel.save",
    },
    "browser": {"tests.support.browser.browser"},
}  # fmt: skip
# Their work is a process by its nature, wherever it is started.
FOLDERS = {
    "kills": "process", "simulator": "process", "bench": "process", "browser": "browser",
    "models": "models",
}  # fmt: skip


def add_marks(item: pytest.Item, *, what_it_calls: bool = True) -> None:
    """Marks a test with what it starts, by its folder and, where that is asked for, by what it calls."""
    folder = item.nodeid.split("/")[1]
    found = {FOLDERS[folder]} if folder in FOLDERS else set[str]()
    fixtures = getattr(item, "_fixtureinfo", None)
    functions = [getattr(item, "function", None)]
    if fixtures:
        functions += [definition.func for those in fixtures.name2fixturedefs.values() for definition in those]
    for function in functions if what_it_calls else ():
        found |= causes(getattr(function, "__wrapped__", function))
    if engine_of(item) == POSTGRESQL:
        found.add("process")
    for mark in found:
        item.add_marker(mark)


@cache
def causes(function: Callable[..., Any]) -> frozenset[str]:
    """What a function starts, by itself or through a helper of the tests."""
    found, seen, left = set[str](), {function}, [function]
    while left:
        for value in mentioned(left.pop()):
            name = f"{getattr(value, '__module__', '')}.{getattr(value, '__qualname__', '')}"
            name = name.replace("asyncio.subprocess.create", "asyncio.create")
            found |= {mark for mark, names in CAUSES.items() if name in names}
            value = getattr(value, "__wrapped__", value)
            ours = isinstance(value, FunctionType) and value.__module__.startswith("tests.")
            if ours and value not in seen:
                seen.add(value)
                left.append(value)
    return frozenset(found)


def mentioned(function: Any) -> Iterator[Any]:
    """The functions and classes that a function names, as globals or as attributes of modules."""
    if not isinstance(function, FunctionType):
        return
    for code in nested(function.__code__):
        for name in code.co_names:
            value = function.__globals__.get(name)
            if isinstance(value, ModuleType):
                yield from (getattr(value, other, None) for other in code.co_names)
            elif callable(value):
                yield value


def nested(code: CodeType) -> Iterator[CodeType]:
    yield code
    for inner in code.co_consts:
        if isinstance(inner, CodeType):
            yield from nested(inner)
