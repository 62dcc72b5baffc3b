"""What an engine did, told to those who wait for it in the event loop."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

Outcome = tuple["asyncio.Future[Any]", Any, BaseException | None]
Job = tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], "asyncio.Future[Any]"]


def answer(
    loop: asyncio.AbstractEventLoop, tell: Callable[[list[Outcome]], None], outcomes: list[Outcome]
) -> None:
    """From a thread: wakes the event loop once for all of them."""
    try:
        loop.call_soon_threadsafe(tell, outcomes)
    except RuntimeError:  # the loop ended without leaving our context; nobody waits any more
        return


def resolve(outcomes: list[Outcome]) -> None:
    """Everybody who still waits gets a value or an error."""
    for future, value, error in outcomes:
        if future.done():  # the caller was cancelled
            continue
        if error is None:
            future.set_result(value)
        else:
            future.set_exception(error)


async def wait_to_the_end(future: asyncio.Future[Any]) -> Any:
    """What is asked for goes on when its caller is cancelled, who hears so when it has ended, one way or the
    other."""
    try:
        return await asyncio.shield(future)
    except asyncio.CancelledError:
        if not future.cancelled():
            await asyncio.wait([future])
            future.exception()  # nobody is told
        raise
