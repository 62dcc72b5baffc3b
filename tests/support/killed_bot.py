"""`parley serve` that kills itself with SIGKILL at one point: PARLEY_KILL_AT="write:remember_turn:after:1".

The point is (what, name, before|after, how often it was passed): a write to the database by the name of its
storage function, a request to Slack by its method, or a model request by its endpoint. Nothing else differs
from the real program; without the variable it is the real program.
"""

from __future__ import annotations

import functools
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

from bot.__main__ import main
from handlers.reply import stream
from handlers.slack import own_messages
from handlers.slack.client import SlackClient
from storage.database import open_engine


def killing(what: str, name_of: Callable[..., str], method: Callable[..., Any]) -> Callable[..., Any]:
    """The method, with the kill point before and after it."""
    wanted_what, wanted, when, times = os.environ["PARLEY_KILL_AT"].split(":")
    left = int(times)

    def pass_point(name: str, now: str) -> None:
        nonlocal left
        if (what, name, now) == (wanted_what, wanted, when):
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    @functools.wraps(method)
    async def passing(self: Any, *args: Any, **kw: Any) -> Any:
        name = name_of(*args)
        pass_point(name, "before")
        result = await method(self, *args, **kw)
        pass_point(name, "after")
        return result

    return passing


def function_name(fn: Any, *_: Any) -> str:
    return str(getattr(fn, "func", fn).__name__).strip("_")


if __name__ == "__main__":
    # How long an answer may take and still be posted whole; it comes slowly where there is much else to do.
    stream.GRACE_S = float(os.environ.get("PARLEY_GRACE_S", stream.GRACE_S))
    own_messages.HISTORY_LAG_S = float(os.environ["PARLEY_HISTORY_LAG_S"])
    own_messages.LOOK_AFTER_S = min(own_messages.LOOK_AFTER_S, own_messages.HISTORY_LAG_S)
    if "PARLEY_HUNG_AFTER_S" in os.environ:
        from storage.postgres import presence

        presence.HUNG_AFTER_S = float(os.environ["PARLEY_HUNG_AFTER_S"])
        presence.ACTS_FOR_S = presence.HUNG_AFTER_S * 0.75
    if os.environ.get("PARLEY_KILL_AT"):
        engine: Any = type(open_engine(os.environ["PARLEY_DATABASE"]))
        engine.write = killing("write", function_name, engine.write)
        engine.write_aside = killing("write", function_name, engine.write_aside)
        SlackClient.send = killing("slack", lambda method: method, SlackClient.send)  # type: ignore[method-assign]
    sys.exit(main())
