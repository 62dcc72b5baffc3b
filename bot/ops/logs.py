"""Logging: one event, one line, without secrets.

Plain lines for people at a terminal, JSON lines for everything else; either way a record cannot forge another
one. What people write is never logged by Parley, and the loggers of libraries, which would print messages and
refused requests, are kept to warnings. Secrets are bot/text/redact.py's.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
import sys
import threading
import time
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from queue import Full, Queue
from typing import Any, TextIO
from urllib.parse import quote

from bot.core.settings import Settings, table
from bot.text.redact import redact_all

# Whose records below a warning are told. Those of libraries print requests and messages. Source: slack_sdk
# web/async_internal_utils.py, slack_bolt middleware/request_verification, openai _base_client.py.
OURS = frozenset({"bot", "handlers", "storage", "tests", "root", "__main__"})

# Shorter values would redact half the log.
SHORTEST_SECRET = 8

KEPT_LINES = 10_000
LAST_LINES_S = 1.0  # for the last lines to be written at the end

# Everything that could begin a line, move a cursor, hide or reorder text.
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]")


def setup(settings: Settings) -> None:
    """Points the root logger at standard error; calling it again starts over."""
    form = PlainFormatter if sys.stderr.isatty() else JsonFormatter
    handler = BackgroundHandler(sys.stderr)
    handler.setFormatter(form(secrets_of(settings)))
    logging.basicConfig(level=settings.log_level, handlers=[handler], force=True)
    handler.addFilter(_is_told)
    logging.captureWarnings(True)


def use_for_commands(settings: Settings) -> None:
    """Warnings of a command that has no log of its own, in the same form and as free of secrets."""
    logging.lastResort = StderrHandler(PlainFormatter(secrets_of(settings)))


class StderrHandler(logging.Handler):
    """Writes warnings to standard error, whatever that is by then."""

    def __init__(self, formatter: logging.Formatter) -> None:
        super().__init__(logging.WARNING)
        self.setFormatter(formatter)

    def emit(self, record: logging.LogRecord) -> None:
        print(self.format(record), file=sys.stderr)  # noqa: T201


def catch_uncaught() -> None:
    """What nobody caught is logged like anything else, in one line without secrets, in every thread."""
    log = logging.getLogger(__name__)

    def tell(kind: type[BaseException], error: BaseException, trace: Any) -> None:
        log.critical("not caught", exc_info=(kind, error, trace))

    sys.excepthook = tell
    threading.excepthook = lambda args: log.critical(
        "not caught in thread %s", args.thread and args.thread.name, exc_info=args.exc_value
    )
    sys.unraisablehook = lambda args: log.error("not caught: %s", args.err_msg, exc_info=args.exc_value)


def _is_told(record: logging.LogRecord) -> bool:
    """Whether a record is ours, or a warning of somebody's."""
    return record.levelno >= logging.WARNING or record.name.partition(".")[0] in OURS


def secrets_of(settings: Settings) -> tuple[str, ...]:
    """The values of secret settings and of their parts, as they are and as an address holds them, longest
    first, so that one inside another leaves nothing behind."""
    given = (getattr(settings, row.name) for row in table() if row.secret)
    parts = [part for value in given for part in (value, *re.split(r"[,=\s]+", value))]
    values = parts + [quote(part, safe="") for part in parts]
    return tuple(sorted({v for v in values if len(v) >= SHORTEST_SECRET}, key=len, reverse=True))


class BackgroundHandler(logging.Handler):
    """Writes lines in a thread of its own: a reader that has stopped reading holds up the log, not the bot.

    Lines that nobody reads are kept up to KEPT_LINES, then lost.
    """

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._lines: Queue[str | None] = Queue(KEPT_LINES)
        threading.Thread(target=self._write, name="parley-log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        with contextlib.suppress(Full):
            self._lines.put_nowait(self.format(record))

    def flush(self) -> None:
        """Waits until all is written, for a moment."""
        ends_at = time.monotonic() + LAST_LINES_S
        while self._lines.unfinished_tasks and time.monotonic() < ends_at:
            time.sleep(0.005)

    def close(self) -> None:
        with contextlib.suppress(Full):
            self._lines.put_nowait(None)
        super().close()

    def _write(self) -> None:
        while (line := self._lines.get()) is not None:
            with contextlib.suppress(OSError, ValueError):  # nobody reads any more
                self._stream.write(line + "\n")
                self._stream.flush()
            self._lines.task_done()


class _Formatter(logging.Formatter):
    """Formats a record, its exception included, as one line without secrets and control characters."""

    def __init__(self, secrets: Collection[str] = ()) -> None:
        super().__init__()
        self._secrets = secrets

    def message(self, record: logging.LogRecord) -> str:
        try:
            message = record.getMessage()
        except (TypeError, ValueError):  # arguments that do not fit: the record is worth more than its form
            message = f"{record.msg} {record.args}"
        return self.clean(message)

    def error(self, record: logging.LogRecord) -> str:
        if record.exc_info is None or record.exc_info[1] is None:
            return ""
        return self.clean(" < ".join(_chain(record.exc_info[1])))

    def clean(self, text: str) -> str:
        return _CONTROL.sub(_escaped, redact_all(text, self._secrets))


class PlainFormatter(_Formatter):
    """`23:59:59 WARNING bot.jobs.inbox: text | why`"""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S")
        error = self.error(record)
        return f"{at} {record.levelname} {record.name}: {self.message(record)}{error and ' | ' + error}"


class JsonFormatter(_Formatter):
    """`{"at": …, "level": …, "logger": …, "message": …, "error": …}`, ASCII."""

    def format(self, record: logging.LogRecord) -> str:
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        line = {"at": at, "level": record.levelname, "logger": record.name, "message": self.message(record)}
        if error := self.error(record):
            line["error"] = error
        return json.dumps(line)


def _chain(error: BaseException) -> Iterator[str]:
    """The error, where it was raised, and what it came from."""
    seen: set[int] = set()
    cause: BaseException | None = error
    while cause is not None and id(cause) not in seen:
        seen.add(id(cause))
        yield f"{type(cause).__name__}: {cause}{_place(cause)}"
        cause = cause.__cause__ or (None if cause.__suppress_context__ else cause.__context__)


def _place(error: BaseException) -> str:
    """The innermost three places, outermost first."""
    frames = []
    trace = error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append(f"{code.co_filename.rpartition('/')[2]}:{trace.tb_lineno} {code.co_name}")
        trace = trace.tb_next
    return f" ({' > '.join(frames[-3:])})" if frames else ""


def _escaped(control: re.Match[str]) -> str:
    return (
        control[0].encode("ascii", "backslashreplace").decode()
        if control[0] > "\x7f"
        else repr(control[0])[1:-1]
    )
