"""The tests run on the event loop that the bot runs on; each is marked with what it starts."""

from __future__ import annotations

import asyncio
import atexit
import gc
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import hypothesis
import pytest

from tests.support.engines import both_engines
from tests.support.engines import database_engine as database_engine  # a fixture
from tests.support.limited_starts import started_by_itself as started_by_itself  # a fixture
from tests.support.made_once import share
from tests.support.marks import CAUSES, add_marks
from tests.support.together import pytest_xdist_make_scheduler as pytest_xdist_make_scheduler  # a hook
from tests.support.undrawn_charts import undrawn_charts as undrawn_charts  # a fixture

# The tests speak to this machine alone, over plain HTTP: at each start all authorities were read for nothing.
TRUSTED = tempfile.TemporaryDirectory(prefix="parley-trusts-nobody-")
atexit.register(TRUSTED.cleanup)
os.environ.pop("SSL_CERT_FILE", None)
os.environ["SSL_CERT_DIR"] = TRUSTED.name
os.environ["PARLEY_ENV_FILE"] = ""  # whoever runs the tests may have a workspace set up in this folder

# A busy machine is no mistake; each run draws other examples, so half as many find as much in two runs.
hypothesis.settings.register_profile("patient", deadline=None, max_examples=50)
hypothesis.settings.load_profile("patient")


def pytest_asyncio_loop_factories() -> Mapping[str, Callable[[], asyncio.AbstractEventLoop]]:
    """`parley` runs on uvloop, whose timers and transports are not those of asyncio."""
    if sys.platform == "win32":
        return {"asyncio": asyncio.new_event_loop}
    import uvloop

    return {"uvloop": uvloop.new_event_loop}


def pytest_configure(config: pytest.Config) -> None:
    if os.environ.get("PYTEST_XDIST_WORKER"):
        share(Path(config.option.basetemp).parent)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    both_engines(metafunc)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    looked_up = any(mark in config.option.markexpr for mark in CAUSES)  # it takes a second, for each worker
    for item in items:
        add_marks(item, what_it_calls=looked_up)


def pytest_collection_finish() -> None:
    """What was collected stays: it is not looked through again with every search for what can be freed."""
    gc.collect()
    gc.freeze()
