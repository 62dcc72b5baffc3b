"""Which tests run on one worker, because they share what takes seconds to begin.

By their files: pytest-xdist 3.8 writes the groups of `--dist loadgroup` where pytest 9.2 does not read them,
so they have no effect, and every worker began a Chromium of its own.
"""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling, Scheduling

TOGETHER = {
    "tests/browser/test_sandbox_page.py": "one Chromium and one sandbox",
    "tests/cli/test_wheel.py": "one installed wheel",
    "tests/ml/test_discriminator.py": "one trained model",
    "tests/sandbox/test_one_sandbox.py": "one sandbox",
    "tests/simulator/test_simulator.py": "the told stories",
    "tests/test_rooms.py": "the parsed source",
    "tests/test_tests.py": "the parsed source",
}


class SharedStarts(LoadScopeScheduling):
    """Each test by itself to whoever is free, but those of one group to the same worker."""

    def _split_scope(self, nodeid: str) -> str:
        return TOGETHER.get(nodeid.partition("::")[0], nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """The order of `--dist loadgroup`."""
    return SharedStarts(config, log) if config.getoption("dist") == "loadgroup" else None
