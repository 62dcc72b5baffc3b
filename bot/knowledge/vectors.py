"""Chunks that are near a question in meaning: signs of all vectors in memory, the nearest few compared whole.

Of each number of a vector its sign alone is kept in memory, 48 bytes for a vector of 384. Which signs differ
tells roughly how near two vectors are; the chunks of the few hundred nearest are then read and compared
exactly. With numpy where it is installed; without it, whole numbers of Python do the same. A database that
counts differing bits is asked instead (storage/knowledge/nearest.py); then nothing is in memory.
"""

from __future__ import annotations

import heapq
import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from operator import mul
from typing import Any

from storage.engine import Tx
from storage.knowledge import vectors as stored
from storage.knowledge.nearest import find_nearest
from storage.knowledge.vectors import EmbeddedDocument, PackedVector

RESCORED = 400  # vectors, whose chunks are compared exactly
OWN = 1 / 3  # what a chunk's own vector counts beside that of its best part
_KEPT_CODES = 1_000_000  # of vectors, in all documents together


@dataclass(frozen=True, slots=True)
class NearChunk:
    """A chunk by its id, and the cosine of the question's vector and its own, where it has some of sentences
    together with that of the nearest."""

    chunk: int
    cosine: float


@cache
def has_numpy() -> bool:
    return find_spec("numpy") is not None


def pack(vector: Sequence[float]) -> PackedVector:
    """A vector of length 1, as it is kept."""
    return PackedVector(_signs(vector), struct.pack(f"<{len(vector)}e", *vector))


def _signs(vector: Sequence[float]) -> bytes:
    bits = int("".join("1" if x > 0 else "0" for x in vector), 2)
    return bits.to_bytes(-(-len(vector) // 8), "big")


class NearnessSearch:
    """The signs of what was searched before, by document; those of no use for long are dropped.

    Several threads search at once, while others forget: what goes through all documents goes through a copy.
    """

    def __init__(self) -> None:
        self._codes = dict[EmbeddedDocument, _Codes]()
        self._joined: tuple[tuple[EmbeddedDocument, ...], _Codes] | None = None

    def forget(self, document: str) -> None:
        """Its chunks are erased."""
        self._codes = {key: codes for key, codes in self._codes.copy().items() if key.id != document}
        self._joined = None

    def find(
        self, tx: Tx, documents: Sequence[EmbeddedDocument], question: Sequence[float], *, limit: int
    ) -> list[NearChunk]:
        """Chunks nearest to a question, nearest first. `documents` are of the embedder that made its
        vector."""
        if not documents:
            return []
        near = self._find_nearest(tx, documents, _signs(question))
        parts = stored.fetch(tx, documents[0].embedder, near)
        cosines = _compare([one for packed in parts.values() for one in packed], question)
        near_chunks = _join_parts(parts, cosines)
        return heapq.nsmallest(limit, near_chunks, key=lambda one: (-one.cosine, one.chunk))

    def _find_nearest(self, tx: Tx, documents: Sequence[EmbeddedDocument], asked: bytes) -> list[int]:
        """By the database where it can; else by the signs in memory."""
        found = find_nearest(tx, documents, asked, limit=RESCORED)
        return self._load(tx, documents, len(asked)).nearest(asked, RESCORED) if found is None else found

    def _load(self, tx: Tx, documents: Sequence[EmbeddedDocument], width: int) -> _Codes:
        """The signs of all of them one after the other, read where they are not known or have become more.
        What is known of a document is a piece of that, so that nothing is in memory twice."""
        key = tuple(documents)
        if self._joined and self._joined[0] == key:
            return self._joined[1]
        counts = [self._count(tx, document) for document in documents]
        self._drop_others(documents, sum(counts))
        joined, at = _make_room(sum(counts), width), 0
        for document, count in zip(documents, counts, strict=True):
            codes = self._codes.get(document) or _make(stored.list_codes(tx, document.id, document.embedder))
            self._codes[document] = joined.put(at, codes)
            at += count
        self._joined = key, joined
        return joined

    def _count(self, tx: Tx, document: EmbeddedDocument) -> int:
        if known := self._codes.get(document):
            return len(known.chunks)
        return stored.count_codes(tx, document.id, document.embedder)

    def _drop_others(self, used: Sequence[EmbeddedDocument], count: int) -> None:
        """Where too much would be in memory."""
        kept = self._codes.copy()
        others = kept.keys() - set(used)
        if count + sum(len(kept[other].chunks) for other in others) > _KEPT_CODES:
            self._codes = {document: kept[document] for document in kept.keys() - others}


def _join_parts(parts: Mapping[int, Sequence[bytes]], cosines: Sequence[float]) -> Iterator[NearChunk]:
    """One cosine of all parts of a chunk, the first of which is its own."""
    at = 0
    for chunk, packed in parts.items():
        theirs = cosines[at : at + len(packed)]
        yield NearChunk(chunk, OWN * theirs[0] + (1 - OWN) * max(theirs))
        at += len(packed)


class _Codes:
    """Signs as whole numbers, and whose they are: a chunk stands there as often as it has vectors."""

    def __init__(self, chunks: Any, signs: Any) -> None:
        self.chunks, self.signs = chunks, signs

    def nearest(self, asked: bytes, count: int) -> list[int]:
        """The chunks of the nearest so many vectors, each once."""
        wanted = int.from_bytes(asked, "big")
        different = [(signs ^ wanted).bit_count() for signs in self.signs]
        nearest = heapq.nsmallest(count, range(len(different)), key=different.__getitem__)
        return list(dict.fromkeys(self.chunks[at] for at in nearest))

    def put(self, at: int, codes: _Codes) -> _Codes:
        """Copies codes to a place in these; the piece of these that they are now."""
        self.chunks[at : at + len(codes.chunks)] = codes.chunks
        self.signs[at : at + len(codes.chunks)] = codes.signs
        return codes


class _NumpyCodes(_Codes):
    """Signs by rows: of each vector the first eight bytes, then the next."""

    def nearest(self, asked: bytes, count: int) -> list[int]:
        import numpy as np

        if not len(self.chunks):
            return []
        different = np.zeros(len(self.chunks), np.uint16)
        for row, wanted in zip(self.signs, np.frombuffer(asked, self.signs.dtype), strict=True):
            different += np.bitwise_count(row ^ wanted)
        near = np.argpartition(different, min(count, len(different)) - 1)[:count]
        found: list[int] = np.unique(self.chunks[near]).tolist()
        return found

    def put(self, at: int, codes: _Codes) -> _Codes:
        end = at + len(codes.chunks)
        if end > at:
            self.chunks[at:end] = codes.chunks
            self.signs[:, at:end] = codes.signs
        return _NumpyCodes(self.chunks[at:end], self.signs[:, at:end])


def _make(rows: Sequence[tuple[int, bytes]]) -> _Codes:
    chunks = [chunk for chunk, _ in rows]
    if has_numpy() and rows:
        import numpy as np

        joined = np.frombuffer(b"".join(code for _, code in rows), _kind_of(len(rows[0][1])))
        signs = joined.reshape(len(rows), -1).T
        return _NumpyCodes(np.array(chunks, np.int64), np.ascontiguousarray(signs))
    return _Codes(chunks, [int.from_bytes(code, "big") for _, code in rows])


def _make_room(count: int, width: int) -> _Codes:
    """For so many signs of so many bytes."""
    if has_numpy():
        import numpy as np

        kind = _kind_of(width)
        return _NumpyCodes(np.empty(count, np.int64), np.empty((width // kind.itemsize, count), kind))
    return _Codes([0] * count, [0] * count)


def _kind_of(width: int) -> Any:
    """What bytes of signs are compared as."""
    import numpy as np

    return np.dtype(np.uint64 if width % 8 == 0 else np.uint8)


def _compare(packed: Sequence[bytes], question: Sequence[float]) -> list[float]:
    """The cosine of each vector and the question's."""
    if has_numpy() and packed:
        import numpy as np

        vectors = np.frombuffer(b"".join(packed), "<f2").reshape(len(packed), -1)
        cosines: list[float] = (vectors.astype(np.float32) @ np.array(question, np.float32)).tolist()
        return cosines
    form = f"<{len(question)}e"
    return [float(sum(map(mul, struct.unpack(form, one), question))) for one in packed]
