"""Opens the packages that Office files are: zip archives of XML, read as little and as carefully as needed.

An archive may claim anything. No part is unpacked beyond what it says of itself, none that says too much is
opened at all, archives inside are not looked at, and XML with a DTD (entities, references to elsewhere) is
refused before its first element.
"""

from __future__ import annotations

import posixpath
import zipfile
import zlib
from collections.abc import Iterator
from functools import lru_cache
from typing import IO, BinaryIO
from xml.etree.ElementTree import Element, ParseError, iterparse
from xml.parsers import expat

from bot.core.limited_child import FileRefused

DAMAGED = "it is damaged"
BOMB = "it unpacks to far more than a document holds"
LOCKED = "it is locked with a password; share it without one"
DECLARES = "it holds declarations (a DTD) that documents do not need and that can do harm"
DEEPEST = 200  # elements within elements; honest documents stay below 50
MOST_PARTS = 20_000
# What a broken or lying archive raises, whoever reads it.
UNREADABLE = (
    *(zipfile.BadZipFile, zlib.error, NotImplementedError, OSError, EOFError, ValueError, RuntimeError),
    *(ParseError, expat.ExpatError),
)
MOST_RATIO = 400  # what honest parts pack to is 1/5 to 1/100
RATIO_FROM = 1_000_000  # bytes; small parts may be as regular as they like


class Package:
    """An open archive and how much of it may still be unpacked. Whoever reads it maps UNREADABLE."""

    def __init__(self, source: BinaryIO, *, unpacked_bytes: int) -> None:
        self._archive = zipfile.ZipFile(source)
        if len(self._archive.infolist()) > MOST_PARTS:
            raise FileRefused(BOMB)
        self._left = unpacked_bytes
        self._opened: set[str] = set()
        self.names = frozenset(self._archive.namelist())

    def open(self, part: str) -> IO[bytes]:
        """A part as a stream of its bytes. KeyError."""
        info = self._archive.getinfo(part)
        if info.flag_bits & 1:
            raise FileRefused(LOCKED)
        self._left -= 0 if part in self._opened else info.file_size
        self._opened.add(part)
        much = info.file_size > RATIO_FROM and info.file_size > MOST_RATIO * max(info.compress_size, 1)
        if self._left < 0 or much:
            raise FileRefused(BOMB)
        return self._archive.open(info)

    def elements(self, part: str, wanted: frozenset[str]) -> Iterator[Element]:
        """Each outermost element of a part that has a wanted name; nothing where there is no such part."""
        if part not in self.names:
            return
        with self.open(part) as stream:
            refuse_declarations(stream)
        with self.open(part) as stream:
            yield from outermost(stream, wanted)

    def relations(self, part: str) -> dict[str, tuple[str, str]]:
        """What a part refers to: id → (last word of the kind, name of the part referred to)."""
        folder, name = posixpath.split(part)
        found = {}
        for one in self.elements(f"{folder}/_rels/{name}.rels".lstrip("/"), frozenset({"Relationship"})):
            target = one.get("Target", "")
            path = target.lstrip("/") if target.startswith("/") else posixpath.join(folder, target)
            if one.get("TargetMode") != "External":
                found[one.get("Id", "")] = (
                    one.get("Type", "").rpartition("/")[2],
                    posixpath.normpath(path),
                )
        return found

    def title(self) -> str:
        """As the document's properties have it."""
        for one in self.elements("docProps/core.xml", frozenset({"title"})):
            return (one.text or "").strip()
        return ""


def refuse_declarations(stream: IO[bytes]) -> None:
    """FileRefused when something is declared before the first element."""
    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = _refuse
    parser.StartElementHandler = _begin
    try:
        while data := stream.read(4_096):
            parser.Parse(data)
    except _Begun:
        return


def outermost(stream: IO[bytes], wanted: frozenset[str]) -> Iterator[Element]:
    """Each outermost wanted element, whole; everything else is forgotten as the stream goes by."""
    path: list[Element] = []
    inside = 0
    for event, element in iterparse(stream, ("start", "end")):  # noqa: S314  (nothing is declared: checked before)
        here = local(element.tag) in wanted
        if event == "start":
            path.append(element)
            inside += here
            if len(path) > DEEPEST:
                raise FileRefused("it is nested too deeply")
            continue
        path.pop()
        inside -= here
        if here and not inside:
            yield element
        if not inside and path:
            path[-1].remove(element)


@lru_cache(maxsize=1_000)
def local(tag: str) -> str:
    """The name without its namespace: producers differ in prefixes and editions."""
    return tag.rpartition("}")[2]


def attribute(element: Element, name: str, default: str = "") -> str:
    """An attribute by its local name."""
    found = element.get(name)
    if found is not None:
        return found
    return next((value for key, value in element.items() if local(key) == name), default)


def child(element: Element | None, *names: str) -> Element | None:
    """The first child of such a name, of that the first of the next name, and so on."""
    for name in names:
        if element is None:
            return None
        element = next((one for one in element if local(one.tag) == name), None)
    return element


class _Begun(Exception):
    """The first element: nothing can be declared any more."""


def _begin(*_: object) -> None:
    raise _Begun


def _refuse(*_: object) -> None:
    raise FileRefused(DECLARES)
