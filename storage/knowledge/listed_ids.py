"""Many ids in a statement that is always the same: a server keeps each statement it has seen, on every
connection."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

_TOGETHER = 200
IDS = ", ".join(f":id{n}" for n in range(_TOGETHER))  # `where id in ({IDS})`


def in_portions(ids: Sequence[int]) -> Iterator[dict[str, int]]:
    """The values of IDS, again and again until all ids were among them. The last one fills what is left."""
    for at in range(0, len(ids), _TOGETHER):
        some = ids[at : at + _TOGETHER]
        yield {f"id{n}": some[min(n, len(some) - 1)] for n in range(_TOGETHER)}
