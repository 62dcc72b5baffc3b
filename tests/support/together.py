"""Which tests run on one worker, because they share what takes seconds to begin.

By their files: pytest-xdist 3.8 writes the groups of `--dist loadgroup` where pytest 9.2 does not read them,
so they have no effect, and every worker began a Chromium of its own.
"""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling, Scheduling
from xdist.workermanage import WorkerController

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

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        """A group that is through is forgotten: with each test, all that was ever handed out is counted."""
        super().mark_test_complete(node, item_index, duration)
        given = self.assigned_work[node]
        scope = self._split_scope(self.registered_collections[node][item_index])
        if all(given[scope].values()):
            del given[scope]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduling | None:
    """The order of `--dist loadgroup`."""
    return SharedStarts(config, log) if config.getoption("dist") == "loadgroup" else None
