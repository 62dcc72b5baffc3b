"""Vectors by a model on this machine, in a process of its own that is started when the first is wanted.

What the model costs in time and memory, and what its C code does with hostile text, is that process's. One
text is embedded at a time, and a question is next: passages, of which there may be thousands, queue among
themselves.
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import threading
import weakref
from array import array
from base64 import b64decode
from collections.abc import Callable, Sequence
from pathlib import Path

from bot.core.errors import Unavailable
from bot.core.values import Scope
from bot.ml import e5, minilm
from bot.ml.minilm import to_unit_length

log = logging.getLogger(__name__)

_ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "LC_ALL": "C.UTF-8"}
_TRIES = 2  # of a text that the process died over
UNRELATED = {minilm.NAME: 0.1, e5.NAME: 0.75}
CHECKS: dict[str, Callable[[], None]] = {minilm.NAME: minilm.check_installed, e5.NAME: e5.check_installed}


class LocalEmbedder:
    """A model by its name, see `CHECKS`."""

    def __init__(self, name: str = minilm.NAME) -> None:
        """SetupError names what it needs and is not installed."""
        CHECKS[name]()
        self.name, self.unrelated = name, UNRELATED[name]
        self._process: subprocess.Popen[bytes] | None = None
        self._asking = threading.Lock()
        self._passages = asyncio.Lock()

    async def embed(
        self, texts: Sequence[str], scope: Scope, *, kept: bool = True, passages: bool = False
    ) -> list[list[float]]:
        """Unavailable when the model does not run."""
        if not passages:
            return [await asyncio.to_thread(self._ask, text, False) for text in texts]
        found = list[list[float]]()
        for text in texts:
            async with self._passages:
                found.append(await asyncio.to_thread(self._ask, text, True))
        return found

    def _ask(self, text: str, passages: bool) -> list[float]:
        for _ in range(_TRIES):
            with self._asking:
                if vector := self._try(text, passages):
                    return vector
        raise Unavailable(f"the local model {self.name} does not run")

    def _try(self, text: str, passages: bool) -> list[float]:
        """Nothing when the process died over it: the next one starts anew."""
        process = self._process or self._begin()
        assert process.stdin
        assert process.stdout
        order = json.dumps({"texts": [text], "passages": passages}) + "\n"
        try:
            process.stdin.write(order.encode())
            process.stdin.flush()
            answer = json.loads(process.stdout.readline())
        except (OSError, ValueError):
            log.warning("the process of the local model %s ended", self.name)
            self._end()
            self._process = None
            return []
        return to_unit_length(array("f", b64decode(answer["vectors"][0])))

    def _begin(self) -> subprocess.Popen[bytes]:
        self._process = process = _start(self.name)
        self._end = weakref.finalize(self, _end, process)  # also when we end
        return process


def _start(name: str) -> subprocess.Popen[bytes]:
    path = filter(None, (str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH")))
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-P", "-m", "bot.ml.embedding_process", name],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(path)},
    )


def _end(process: subprocess.Popen[bytes]) -> None:
    """At once, and waited for."""
    process.kill()
    process.communicate()
