"""Small libraries that are loaded before libc, so that the real process meets a bad disk or a wrong clock."""

from __future__ import annotations

import atexit
import functools
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

COMPILER = shutil.which("cc") or shutil.which("gcc")
needs_compiler = pytest.mark.skipif(
    COMPILER is None or sys.platform != "linux", reason="needs Linux and a C compiler to come before libc"
)


@functools.cache
def built(name: str) -> Path:
    """The library made of tests/support/<name>.c, once."""
    folder = tempfile.mkdtemp(prefix="parley-preload-")
    atexit.register(shutil.rmtree, folder)
    library, source = Path(folder) / f"{name}.so", Path(__file__).parent / f"{name}.c"
    subprocess.run([str(COMPILER), "-shared", "-fPIC", "-O1", "-o", library, source, "-ldl"], check=True)
    return library
