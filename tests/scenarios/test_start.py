"""What a start loads: the model SDK only when the bot is ready, and next to nothing to list the commands."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path

import pytest

from bot.cli import main
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from tests.support.workspace import MANIFEST, environment

ROOT = Path(__file__).parents[2]
LOADED = "import sys; print(*sorted({name.partition('.')[0] for name in sys.modules}))"

# `parley serve` that ends itself with exit status 0 once the SDK's client is there.
SERVE = """
import asyncio, os, signal, sys
from bot.cli import main
from bot.provider.transport import Transport
load = Transport.load
async def load_and_stop(self):
    Transport.load = load  # whoever else asks waits for the same
    assert "openai" not in sys.modules
    await load(self)
    assert "openai" in sys.modules
    os.kill(os.getpid(), signal.SIGTERM)
Transport.load = load_and_stop
sys.exit(main.main(["serve"]))
"""


async def run(code: str, **environ: str) -> tuple[int, str, str]:
    """A fresh interpreter with some code: exit status, what it printed, what it complained of."""
    pipe = asyncio.subprocess.PIPE
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | environ
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", code, env=given, stdout=pipe, stderr=pipe
    )
    try:
        out, errors = await asyncio.wait_for(process.communicate(), 60)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return process.returncode, out.decode(), errors.decode()


async def serve(tmp_path: Path, **environ: str) -> tuple[int, str, str]:
    """A bot that nobody writes to, until it ends by itself."""
    async with FakeSlack(manifest=MANIFEST, rate_limits=False) as slack, FakeModel() as model:
        ended = await run(SERVE, **environment(slack, model, tmp_path) | environ)
        assert not model.requests
        return ended


async def test_the_bot_is_imported_without_the_model_sdk() -> None:
    status, out, errors = await run(f"import handlers.serve; {LOADED}")
    assert (status, errors) == (0, "")
    assert {"handlers", "slack_bolt"} <= set(out.split())
    assert not {"openai", "httpx2"} & set(out.split())


async def test_once_it_is_ready_the_model_sdk_is_loaded_before_anybody_writes(tmp_path: Path) -> None:
    status, out, errors = await serve(tmp_path)
    assert (status, out.startswith("parley is ready: ")) == (0, True), errors


async def test_a_missing_model_sdk_is_told_before_it_is_ready(tmp_path: Path) -> None:
    code = "import sys, importlib.util as util; find = util.find_spec; "
    code += "util.find_spec = lambda name, *a: None if name == 'openai' else find(name, *a); "
    code += "from bot.cli import main; sys.exit(main.main(['serve']))"
    async with FakeSlack(manifest=MANIFEST, rate_limits=False) as slack, FakeModel() as model:
        status, out, errors = await run(code, **environment(slack, model, tmp_path))
    assert (status, out) == (main.EXIT_USAGE, "")
    assert errors.splitlines()[-1] == "parley: the package openai is not installed"


async def test_a_broken_model_sdk_ends_the_bot_before_anybody_writes(tmp_path: Path) -> None:
    broken = tmp_path / "broken" / "openai"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text("raise ImportError('this copy is broken')")
    status, _, errors = await serve(tmp_path, PYTHONPATH=f"{broken.parent}:{ROOT}")
    assert status == 1
    assert "ImportError: this copy is broken" in errors.splitlines()[-1]


@pytest.mark.parametrize("words", [["--help"], ["serve", "--help"]])
async def test_help_on_the_commands_needs_no_model_sdk(words: list[str]) -> None:
    code = f"import atexit, sys; from bot.cli import main; atexit.register(lambda: exec({LOADED!r}))"
    status, out, errors = await run(f"{code}; main.main({words!r})")
    assert (status, errors) == (0, "")
    loaded = set(out.splitlines()[-1].split())
    assert "argparse" in loaded
    assert "openai" not in loaded
    assert ("handlers" in loaded) is (words != ["--help"])
