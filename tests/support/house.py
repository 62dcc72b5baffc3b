"""The rooms of the house and what each may import: the table that tests and ARCHITECTURE.md read.

A room is a folder of `bot/`, `handlers/` or `storage/`, or a file beside them that stands alone. It may
import what its row names, and its row names nothing that it does not import.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
FOLDERS = ("bot", "handlers", "storage")
CODE = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))

# Room → the rooms it imports, each of them above it.
ROOMS: dict[str, str] = {
    "bot/core": "",
    "storage/engine": "",
    "storage/place": "",
    "storage/schema": "",
    "storage/audit": "storage/engine",
    "storage/results": "",
    "storage/sqlite": "bot/core storage/engine storage/schema storage/results",
    "storage/postgres": "bot/core storage/engine storage/schema storage/results",
    "storage/database": "bot/core storage/engine storage/sqlite storage/postgres",
    "storage/transfer": (
        "bot/core storage/engine storage/schema storage/audit storage/sqlite storage/postgres"
    ),
    "storage/jobs": "bot/core storage/engine storage/audit",
    "storage/workers": "storage/engine storage/place storage/jobs",
    "storage/conversation": "bot/core storage/engine storage/place",
    "storage/costs": "storage/engine storage/audit",
    "storage/voice": "bot/core storage/engine storage/audit storage/conversation",
    "storage/learning": "storage/engine storage/place storage/audit storage/jobs storage/workers",
    "storage/guard": "storage/engine storage/place storage/audit storage/workers storage/learning",
    "storage/limits": "storage/engine",
    "storage/provider": "storage/engine storage/workers",
    "storage/channel": "storage/engine storage/audit",
    "storage/welcome": "storage/engine storage/audit",
    "storage/retirement": "storage/engine storage/workers",
    "storage/fields": "storage/engine storage/audit",
    "storage/knowledge": (
        "storage/engine storage/place storage/audit storage/workers storage/learning storage/fields"
    ),
    "storage/unanswered": "storage/engine storage/place storage/audit",
    "storage/privacy": (
        "storage/engine storage/place storage/schema storage/audit storage/conversation storage/costs "
        "storage/guard storage/knowledge storage/workers"
    ),
    "bot/text": "bot/core",
    "bot/ops": "bot/core bot/text",
    "bot/ml": "bot/core",
    "bot/jobs": "bot/core storage/engine storage/jobs bot/ops",
    "bot/workers": "bot/core storage/engine storage/workers",
    "bot/limits": "bot/core storage/engine storage/limits",
    "bot/costs": "bot/core storage/engine storage/costs bot/text",
    "bot/pages": "bot/core",
    "bot/reports": (
        "bot/core storage/engine storage/costs storage/channel storage/unanswered bot/text bot/costs "
        "bot/pages"
    ),
    "bot/provider": ("bot/core storage/engine storage/provider bot/text bot/ops bot/ml bot/limits bot/costs"),
    "bot/learning": "storage/learning bot/core storage/engine storage/place storage/jobs bot/ml bot/jobs",
    "bot/channel": ("bot/core storage/engine storage/place storage/channel bot/text bot/costs bot/provider"),
    "bot/guard": (
        "bot/core storage/engine storage/place storage/conversation storage/guard storage/channel "
        "bot/text bot/ops bot/ml bot/jobs bot/costs bot/provider bot/learning bot/channel"
    ),
    "bot/voice": (
        "bot/core storage/engine storage/jobs storage/workers storage/conversation storage/voice "
        "storage/channel bot/text bot/ops bot/jobs bot/workers bot/costs bot/provider"
    ),
    "bot/documents": "bot/core",
    "bot/images": "bot/core",
    "bot/knowledge": (
        "bot/core storage/engine storage/place storage/audit storage/jobs storage/conversation "
        "storage/knowledge storage/unanswered storage/fields storage/privacy bot/text bot/ml bot/jobs "
        "bot/costs bot/provider bot/documents bot/images bot/learning"
    ),
    "bot/notes": (
        "bot/core storage/engine storage/place storage/audit storage/conversation "
        "storage/knowledge bot/text bot/jobs bot/documents bot/knowledge"
    ),
    "bot/fields": (
        "bot/core storage/engine storage/fields storage/knowledge bot/jobs bot/costs bot/pages "
        "bot/provider bot/knowledge bot/documents"
    ),
    "bot/welcome": (
        "bot/core storage/engine storage/place storage/welcome bot/jobs bot/costs bot/channel bot/guard "
        "bot/voice"
    ),
    "bot/conversation": (
        "bot/core storage/engine storage/place storage/audit storage/jobs storage/workers "
        "storage/conversation storage/voice storage/guard storage/welcome storage/privacy storage/knowledge "
        "storage/unanswered bot/text bot/ops bot/jobs bot/workers bot/provider bot/channel bot/guard "
        "bot/images bot/voice bot/knowledge bot/notes bot/welcome"
    ),
    "bot/unanswered": (
        "bot/core storage/engine storage/place storage/audit storage/jobs storage/conversation "
        "storage/knowledge storage/unanswered bot/ml bot/jobs bot/provider bot/guard bot/knowledge "
        "bot/notes bot/conversation"
    ),
    "bot/privacy": (
        "bot/core storage/engine storage/place storage/audit storage/jobs storage/conversation "
        "storage/channel storage/privacy bot/text bot/ops bot/jobs bot/pages bot/provider "
        "bot/guard bot/voice bot/knowledge bot/welcome bot/conversation"
    ),
    "bot/knowledge_page": (
        "bot/core storage/engine storage/place storage/knowledge storage/unanswered bot/ml bot/pages "
        "bot/knowledge bot/unanswered bot/notes bot/fields"
    ),
    "bot/retirement": ("bot/core storage/engine storage/retirement bot/provider bot/channel"),
    "bot/health": "bot/core storage/engine storage/jobs bot/ops bot/jobs bot/provider",
    "bot/housekeeping": (
        "bot/core storage/engine storage/jobs storage/workers storage/conversation storage/voice "
        "storage/provider bot/privacy"
    ),
    "bot/setup_problems": "bot/core storage/database bot/costs bot/provider bot/channel bot/guard",
    "bot/app": (
        "bot/core storage/engine storage/workers bot/ops bot/jobs bot/workers bot/limits "
        "bot/costs bot/reports bot/provider bot/learning bot/channel bot/guard bot/voice bot/knowledge "
        "bot/notes bot/fields bot/welcome bot/conversation bot/unanswered bot/privacy bot/knowledge_page "
        "bot/retirement bot/health bot/housekeeping bot/setup_problems"
    ),
    "bot/sandbox": "",
    "bot/cli": (
        "bot/core storage/engine storage/place storage/audit storage/database storage/transfer storage/jobs "
        "storage/costs storage/guard storage/knowledge storage/unanswered storage/fields bot/text bot/ops "
        "bot/ml bot/jobs bot/costs bot/reports bot/provider bot/learning bot/guard bot/voice bot/knowledge "
        "bot/fields bot/unanswered bot/privacy bot/sandbox"
    ),
    "bot/__main__": "bot/cli",
    "handlers/slack": "bot/core storage/place bot/text bot/ops bot/limits bot/costs",
    "handlers/reply": "bot/core bot/text bot/ops bot/voice handlers/slack",
    "handlers/welcome": ("bot/core bot/text bot/costs bot/guard bot/welcome handlers/slack"),
    "handlers/adapter": (
        "bot/core bot/text bot/notes bot/welcome bot/conversation bot/unanswered handlers/slack "
        "handlers/reply handlers/welcome"
    ),
    "handlers/voice": (
        "bot/core storage/voice bot/text bot/costs bot/reports bot/voice bot/app handlers/slack "
        "handlers/reply handlers/adapter"
    ),
    "handlers/costs": (
        "bot/core storage/place bot/text bot/costs bot/pages bot/reports bot/app handlers/slack "
        "handlers/adapter"
    ),
    "handlers/channel": (
        "bot/core storage/place bot/costs bot/channel bot/guard bot/voice bot/app handlers/slack "
        "handlers/adapter"
    ),
    "handlers/guard": (
        "bot/core storage/place bot/learning bot/guard bot/app handlers/slack handlers/adapter "
        "handlers/channel"
    ),
    "handlers/knowledge": (
        "bot/core storage/place storage/knowledge bot/text bot/costs bot/knowledge bot/conversation bot/app "
        "bot/learning handlers/slack handlers/adapter handlers/channel"
    ),
    "handlers/unanswered": (
        "bot/core storage/place bot/conversation bot/unanswered bot/app handlers/slack handlers/adapter "
        "handlers/channel handlers/guard handlers/knowledge"
    ),
    "handlers/notes": (
        "bot/core storage/place storage/knowledge bot/text bot/notes bot/app handlers/slack handlers/adapter "
        "handlers/channel handlers/knowledge"
    ),
    "handlers/fields": (
        "bot/core storage/place storage/knowledge bot/text bot/costs bot/knowledge bot/fields bot/app "
        "handlers/slack handlers/adapter handlers/channel handlers/knowledge"
    ),
    "handlers/commands": (
        "bot/core bot/text bot/app handlers/slack handlers/adapter handlers/costs handlers/channel "
        "handlers/knowledge handlers/notes handlers/unanswered handlers/fields"
    ),
    "handlers/retirement": (
        "bot/core storage/place bot/costs bot/retirement bot/app handlers/slack handlers/adapter"
    ),
    "handlers/home": (
        "bot/core bot/costs bot/app handlers/slack handlers/welcome handlers/adapter handlers/costs "
        "handlers/channel handlers/commands handlers/retirement"
    ),
    "handlers/actions": ("storage/place bot/guard bot/app handlers/slack handlers/adapter handlers/guard"),
    "handlers/shortcuts": "bot/conversation bot/app handlers/slack",
    "handlers/intake": (
        "bot/core bot/jobs bot/voice bot/knowledge bot/welcome bot/conversation bot/privacy handlers/slack"
    ),
    "handlers/http": "bot/core bot/ops bot/jobs bot/voice bot/knowledge bot/privacy handlers/slack",
    "handlers/why": (
        "bot/core storage/place bot/costs bot/guard bot/conversation bot/app handlers/slack handlers/adapter "
        "handlers/guard handlers/knowledge handlers/unanswered"
    ),
    "handlers/routes": (
        "bot/app handlers/slack handlers/welcome handlers/adapter handlers/voice handlers/channel "
        "handlers/guard handlers/knowledge handlers/notes handlers/unanswered handlers/commands "
        "handlers/home handlers/actions handlers/shortcuts handlers/why handlers/fields"
    ),
    "handlers/knowledge_page": (
        "bot/core storage/place bot/pages bot/knowledge_page bot/app handlers/adapter handlers/knowledge "
        "handlers/costs"
    ),
    "handlers/serve": (
        "bot/core storage/engine storage/database bot/ops bot/limits bot/knowledge bot/setup_problems "
        "bot/app handlers/slack handlers/adapter handlers/voice handlers/costs handlers/knowledge "
        "handlers/unanswered handlers/fields handlers/knowledge_page handlers/intake handlers/http "
        "handlers/routes handlers/retirement"
    ),
    "handlers/connect": "bot/core handlers/slack handlers/http",
    "handlers/check_models": (
        "bot/core storage/database bot/ops bot/costs bot/provider bot/channel bot/retirement"
    ),
    "handlers/check": (
        "bot/core storage/channel storage/database bot/text bot/costs bot/provider bot/channel "
        "bot/privacy bot/setup_problems handlers/slack handlers/routes handlers/check_models"
    ),
}


def dotted(path: Path) -> str:
    """The module's name, of a package without `__init__`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {dotted(path): path for path in CODE}


@cache
def imports(path: Path) -> set[str]:
    """Every module that a file imports, anywhere in it."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else str(node.module) for name in names}
    return found


def room(module: str) -> str:
    """`bot.voice.service` stands in `bot/voice`; `bot.app`, a file alone, in `bot/app`."""
    return "/".join(module.split(".")[:2])


@cache
def room_imports() -> dict[str, set[str]]:
    """Each room with the rooms that its files import."""
    found: dict[str, set[str]] = {}
    for module, path in MODULES.items():
        if "." not in module:
            continue
        theirs = {room(name) for name in imports(path) if name.split(".")[0] in FOLDERS and "." in name}
        found.setdefault(room(module), set()).update(theirs - {room(module)})
    return found


def circles(edges: dict[str, set[str]]) -> Iterator[list[str]]:
    """Ways that lead back to where they began, one for each that is found."""
    done: set[str] = set()

    def walk(at: str, way: list[str]) -> Iterator[list[str]]:
        if at in way:
            yield [*way[way.index(at) :], at]
        elif at not in done:
            for ahead in sorted(edges.get(at, ())):
                yield from walk(ahead, [*way, at])
            done.add(at)

    for start in sorted(edges):
        yield from walk(start, [])
