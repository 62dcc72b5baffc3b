"""The app as Slack is told of it: manifest.yml, read where it stands.

`parley connect` sends it to Slack, the sandbox installs its app from it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

_BOT = Path(__file__).parents[1]
# In a wheel; in the repository.
_PLACES = (_BOT / "manifest.yml", _BOT.parent / "manifest.yml")


def read_manifest() -> dict[str, Any]:
    """The manifest as it was released."""
    import yaml

    path = next(path for path in _PLACES if path.exists())
    manifest: dict[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return manifest
