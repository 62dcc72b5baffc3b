"""The order of chunks by meaning: what else a chunk's section says speaks for it.

Asked in other words, a question is a little near to several chunks of the section that answers it, and very
near by chance to one of another. Both numbers are chosen on the two invented companies of the bench.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from storage.knowledge.search import FoundChunk

BEST = 3  # chunks of a section that speak for each of them
BESIDE = BEST - 1  # chunks on each side among which the rest of so small a section is
WEIGHT = 0.7  # what they count beside the chunk itself
_BETWEEN_HEADINGS = " › "


def order_by_sections(
    nearness: Mapping[int, float],
    chunks: Mapping[int, FoundChunk],
    *,
    headings: Mapping[tuple[str, int], str],
) -> list[int]:
    """Ids of the chunks, best first. A section is what has the same first heading in a document, its title
    aside.

    `headings`: by document and number, also of `BESIDE` chunks before and after each. Chunks of a section
    that are not among these are no nearer than the last of these.
    """
    least = min(nearness.values(), default=0.0)
    sections = defaultdict[tuple[str, str], list[float]](list)
    for id, value in nearness.items():
        sections[_section_of(chunks[id])].append(value)

    def score(id: int) -> float:
        size = _count_beside(chunks[id], headings)
        near = sorted(sections[_section_of(chunks[id])], reverse=True)[:size]
        return nearness[id] + WEIGHT * (sum(near) + least * (size - len(near))) / size

    return sorted(nearness, key=lambda id: (-score(id), id))


def _section_of(chunk: FoundChunk) -> tuple[str, str]:
    return chunk.document, _name_section(chunk.heading, chunk.title)


def _count_beside(chunk: FoundChunk, headings: Mapping[tuple[str, int], str]) -> int:
    """How many of `BEST` chunks its section has."""
    numbers = range(chunk.number - BESIDE, chunk.number + BESIDE + 1)
    beside = (headings.get((chunk.document, number)) for number in numbers)
    own = _name_section(chunk.heading, chunk.title)
    count = sum(heading is not None and _name_section(heading, chunk.title) == own for heading in beside)
    return max(1, min(BEST, count))


def _name_section(heading: str, title: str) -> str:
    """The first heading, or the one below it where that is the title, which all of a document may have."""
    first, _, rest = heading.partition(_BETWEEN_HEADINGS)
    return rest.partition(_BETWEEN_HEADINGS)[0] if first == title else first
