"""The frame of every web page: one HTML file that needs nothing else, no network either, and its headers.

Everything that came from outside is escaped here; what a page shows is its room's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from string import Template

_FRAME = Template(Path(__file__).with_name("page.html").read_text("utf-8"))
_STYLE = Path(__file__).with_name("style.css").read_text("utf-8")
HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# A page runs its own scripts, and asks nobody for anything.
_POLICY = (
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; form-action 'self'; script-src 'nonce-{}'"
)


@dataclass(frozen=True, slots=True)
class Response:
    """Bytes and headers for HTTP. `shows` goes into the list of who looked at what: ids and words of ours."""

    body: bytes
    headers: Mapping[str, str]
    shows: str


def respond(html: str, *, nonce: str, shows: str) -> Response:
    """The answer with a whole page in it; only scripts with this nonce run."""
    kind = {"Content-Type": "text/html; charset=utf-8", "Content-Security-Policy": _POLICY.format(nonce)}
    return Response(html.encode(), HEADERS | kind, shows)


def download(body: bytes, *, kind: str, name: str, shows: str) -> Response:
    """The answer that a browser saves as a file."""
    named = {"Content-Type": kind, "Content-Disposition": f'attachment; filename="{name}"'}
    return Response(body, HEADERS | named, shows)


def frame(title: str, subtitle: str, body: str, *, style: str = "", scripts: str = "") -> str:
    """A whole page. `title` and `subtitle` are text; `body`, `style` and `scripts` are markup of ours."""
    parts = {"title": escape(title), "subtitle": escape(subtitle)}
    return _FRAME.substitute(parts, body=body, style=_STYLE + style, scripts=scripts)


def select(name: str, label: str, options: Iterable[tuple[str, str]], chosen: str) -> str:
    """A labelled choice; `options` are pairs of value and text."""
    shown = "".join(
        f'<option value="{escape(value)}"{" selected" if value == chosen else ""}>{escape(text)}</option>'
        for value, text in options
    )
    return f'<label>{label}<select name="{name}">{shown}</select></label>'


def figures(values: Mapping[str, str]) -> str:
    """Large figures beside each other, by what each of them is."""
    return "".join(
        f"<div><dt>{escape(name)}</dt><dd>{escape(value)}</dd></div>" for name, value in values.items()
    )
