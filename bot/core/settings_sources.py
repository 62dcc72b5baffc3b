"""Settings as an operator gives them: from the environment and files, every problem in one readable line.

A setting comes from the environment, else from the file `.env` of this folder (or the one that
PARLEY_ENV_FILE names; empty: none), else from the TOML file that PARLEY_CONFIG names (same keys), else from
its default. All problems are found at once; a secret is never echoed.
"""

from __future__ import annotations

import difflib
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dotenv.parser import Binding, parse_stream
from pydantic import ValidationError
from pydantic_core import ErrorDetails
from pydantic_settings import DotEnvSettingsSource

from bot.core.errors import SetupError
from bot.core.settings import Settings, table

PREFIX = "PARLEY_"
# What else may be in the environment under our name; the last three are the sandbox's.
BESIDE_SETTINGS = (
    "PARLEY_CONFIG",
    "PARLEY_ENV_FILE",
    "PARLEY_SANDBOX_PORT",
    "PARLEY_SANDBOX_LOCAL",
    "PARLEY_SANDBOX_SPEECH",
)


def load(environ: Mapping[str, str], *, env_file: Path | None = None) -> Settings:
    """Settings from the environment and the optional files; SetupError lists every problem."""
    problems: list[str] = []
    given = _from_toml(environ.get("PARLEY_CONFIG", ""), problems)
    given |= _from_env_file(env_file, problems)
    given |= _from_environment(environ)
    try:
        settings = Settings(**given)
    except ValidationError as exc:
        problems += map(_in_words, exc.errors(include_url=False))
    if problems:
        raise SetupError(problems)
    return settings


def find_unknown(environ: Mapping[str, str], *, env_file: Path | None = None) -> list[str]:
    """A line for each PARLEY_… name that is no setting, with the one that may be meant."""
    names = {name for name, value in environ.items() if not _is_of_kubernetes(name, value)}
    if env_file is not None and env_file.is_file():
        names |= _names_in(env_file)
    known = {row.env for row in table()} | set(BESIDE_SETTINGS)
    unknown = sorted(name for name in names - known if name.upper().startswith(PREFIX))
    return [f"{name} is no setting{_suggestion(name, known)}" for name in unknown]


def _from_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """What is set and not empty; in small letters too, as the library takes it from a file."""
    given = {name.upper(): value for name, value in environ.items() if value}
    return {row.env: given[row.env] for row in table() if row.env in given}


def _from_toml(path: str, problems: list[str]) -> dict[str, Any]:
    if not path:
        return {}
    try:
        read = tomllib.loads(Path(path).read_text("utf-8"))
    except (OSError, ValueError) as exc:
        problems.append(f"PARLEY_CONFIG: cannot read {path}: {exc}")
        return {}
    known = {row.env for row in table()}
    problems += [
        f"{path}: unknown setting {name}{_suggestion(name, known)}" for name in read if name not in known
    ]
    return {name: value for name, value in read.items() if name in known}


def _from_env_file(path: Path | None, problems: list[str]) -> dict[str, Any]:
    if path is None or not path.exists():
        return {}
    try:
        wrong = [binding.original.line for binding in _bindings(path) if binding.error]
    except (OSError, ValueError) as exc:
        problems.append(f"{path}: cannot be read: {exc}")
        return {}
    problems += [f"{path}: line {line} is not NAME=value" for line in wrong]
    return {} if wrong else DotEnvSettingsSource(Settings, env_file=path, dotenv_filtering="only_existing")()


def _names_in(path: Path) -> set[str]:
    try:
        return {binding.key for binding in _bindings(path) if binding.key}
    except (OSError, ValueError):  # which `load` tells
        return set()


def _bindings(path: Path) -> list[Binding]:
    with path.open(encoding="utf-8") as file:
        return list(parse_stream(file))


def _is_of_kubernetes(name: str, value: str) -> bool:
    """Whether it is there because a service in the cluster is called parley."""
    return name.startswith(("PARLEY_SERVICE_", "PARLEY_PORT_")) or (
        name == "PARLEY_PORT" and value.startswith(("tcp://", "udp://"))
    )


def _suggestion(name: str, known: set[str]) -> str:
    by_end = {one.removeprefix(PREFIX): one for one in known}
    near = difflib.get_close_matches(name.upper().removeprefix(PREFIX), by_end, n=1, cutoff=0.75)
    return f"; is {by_end[near[0]]} meant?" if near else ""


def _in_words(error: ErrorDetails) -> str:
    """One problem in a line that names the setting, never a secret."""
    name = str(error["loc"][0])
    row = next(row for row in table() if name in (row.env, row.name))
    if error["type"] == "setting":
        return f"{row.env}: {error['msg']}"
    shown = "its value" if row.secret else repr(error["input"])
    return f"{row.env}: {shown} is not a {'text' if isinstance(row.default, str) else 'number'}"
