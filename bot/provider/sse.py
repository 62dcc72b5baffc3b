"""Parses server-sent events from bytes: the data of each event, however the bytes were cut on their way.

Event names, ids and comments are skipped: every API we read says in the data itself what it is. Only an event
named error may not, so its data comes as that of an error. What the data means is
bot/provider/stream_readers.py's.
"""

from __future__ import annotations

import re

import orjson

EVENT_LIMIT_BYTES = 4 * 1024 * 1024  # ours: a longer event is not text that somebody reads

# Some servers leave out the empty line: the next event begins behind a whole JSON object.
_BETWEEN = re.compile(rb"\n(?:\n|(?<=\}\n)(?=data: ?(?:\{|\[DONE\])))")
_ERROR = re.compile(rb"^event: ?error[ \t]*$", re.MULTILINE)


class EventParser:
    """Collects the bytes of one stream."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, part: bytes) -> list[bytes]:
        """The data of each event that is complete with this part; ValueError for one that never ends.

        Source: WHATWG HTML, "Server-sent events": lines end in LF, CR or CRLF, an empty line ends an event.
        """
        if (
            not self._rest
            and part[:6] == b"data: "
            and part[-2:] == b"\n\n"
            and part.find(b"\n") == len(part) - 2
        ):
            return [part[6:-2]]  # one whole event, as nearly always while a model writes
        text = self._rest + part
        held = b""
        if b"\r" in text:
            if text.endswith(b"\r"):  # perhaps the first half of a CRLF
                text, held = text[:-1], b"\r"
            text = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        *events, rest = _BETWEEN.split(text)
        self._rest = rest + held
        if len(self._rest) > EVENT_LIMIT_BYTES:
            raise ValueError("an event of the stream is larger than any answer")
        return [data for event in events if (data := _read_data(event))]

    def finish(self) -> list[bytes]:
        """What came last, when the stream ended without the empty line that should end it."""
        return self.feed(b"\n\n")


def _read_data(event: bytes) -> bytes:
    if event.startswith(b"data: ") and b"\n" not in event:  # nearly always
        return event[6:]
    lines = event.removeprefix(b"\xef\xbb\xbf").split(b"\n")
    data = b"\n".join(line[5:].removeprefix(b" ") for line in lines if line.startswith(b"data:"))
    return _as_error(data) if _ERROR.search(event) else data


def _as_error(data: bytes) -> bytes:
    """The data of an event named error in the form in which other servers report one."""
    if not data.strip().startswith(b"{"):
        data = orjson.dumps(data.decode(errors="replace") or "error")
    return b'{"error": %b}' % data
