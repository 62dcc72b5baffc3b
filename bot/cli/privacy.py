"""`parley privacy`: a page about privacy to publish, made from the settings."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from bot.core.errors import SetupError
from bot.core.settings import Settings
from bot.privacy import page

FORMATS: dict[str, Callable[..., str]] = {"markdown": page.as_markdown, "html": page.as_html}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The form of the page, and a file for it."""
    parser.add_argument(
        "--format", choices=tuple(FORMATS), default="markdown", help="markdown (default) or html"
    )
    parser.add_argument("--output", metavar="FILE", help="write it there, and not to standard output")


async def run(args: argparse.Namespace, settings: Settings) -> int:
    text = FORMATS[args.format](settings, today=datetime.now(UTC).date())
    if not settings.privacy_contact.strip():
        print("parley: PARLEY_PRIVACY_CONTACT is not set: the page names nobody to write to", file=sys.stderr)
    if not args.output:
        print(text, end="")
        return 0
    try:
        Path(args.output).write_text(text, "utf-8")
    except OSError as exc:
        raise SetupError([f"{args.output}: cannot be written: {exc.strerror}"]) from exc
    print(args.output)
    return 0
