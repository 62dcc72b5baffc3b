"""What one ability of the bot brings into a story: what people do with it, and what must hold then."""

from __future__ import annotations

import random
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from tests.simulator.model import Asked
from tests.simulator.plan import Act

if TYPE_CHECKING:
    from tests.simulator.story import Story

Doing = Callable[[Act], Awaitable[None]]


class Part:
    """Draws from dice of its own, so that a seed's other parts stay as they are when one changes."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.dice = random.Random(f"{type(self).__name__} of {story.outcome.seed}")

    def environment(self) -> Mapping[str, str]:
        """Settings by their environment names."""
        return {}

    def furnish(self) -> None:
        """Puts into the database what is there before the first life."""

    def acts(self) -> Iterable[Act]:
        """What people and operators will do."""
        return ()

    def does(self) -> Mapping[str, Doing]:
        """How each kind of those acts is done."""
        return {}

    def made(self, asked: Asked) -> Iterator[str]:
        """Promises that were broken by the model request that has just left the process."""
        return iter(())

    def committed(self) -> Iterator[str]:
        """Promises that were broken by the commit of this moment."""
        return iter(())

    def broken(self) -> Iterator[str]:
        """Promises that were not kept, once the story is over."""
        return iter(())
