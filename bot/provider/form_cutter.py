"""Cuts the JSON of a fixed form out of an answer as it comes, and tells when there will be none.

A server that heeds a form writes nothing else. One that does not writes prose, for a thousand tokens if it is
let: that is ended with the first character that no JSON of the form can have.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from pydantic_core import from_json

_FENCE = re.compile(r"\s*```[a-z]*\s*\n?", re.IGNORECASE)  # models like to mark what is JSON
_FENCE_BEGINS = re.compile(r"\s*(?:`{1,3}[a-z]{0,10}\s?)?", re.IGNORECASE)
_MOST_BLANK = 200  # characters: some models, held to a form, go on with blanks for ever
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "boolean": (bool,),
    "number": (int, float),
    "integer": (int,),
    "null": (type(None),),
}


class FormCutter:
    """One answer. `whole`: all of the JSON is there. `impossible`: it cannot be of the form any more.
    `runs_on`: words follow it."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self._schema = schema
        self._text = ""
        self._begins: int | None = None  # where the JSON begins
        self._ends = _ObjectEnd()
        self.whole = False
        self.impossible = False
        self.runs_on = False

    @property
    def ended(self) -> bool:
        """Whether nothing that may follow is of any use. Behind JSON that is whole the server still says what
        it used."""
        return self.impossible or self.runs_on

    def anew(self) -> FormCutter:
        """For an answer that begins anew, because what came was none."""
        return FormCutter(self._schema)

    def feed(self, text: str) -> str:
        """The part of the JSON that came with this text; of an impossible one the text as it is."""
        if self.whole:
            self.runs_on = self.runs_on or _says_something(text)
        if self.whole or self.impossible:
            return ""
        self._text += text
        if self._begins is None:
            return self._begin()
        return self._read(len(self._text) - len(text))

    def _begin(self) -> str:
        fence = _FENCE.match(self._text)
        begins = fence.end() if fence else len(self._text) - len(self._text.lstrip())
        if begins == len(self._text) or (fence is None and _FENCE_BEGINS.fullmatch(self._text)):
            self.impossible = len(self._text) > _MOST_BLANK
            return ""
        self._begins = begins
        return self._read(begins)

    def _read(self, at: int) -> str:
        end = self._ends.find(self._text, at)
        shown = self._text[at:end]
        json = self._text[self._begins : end]
        self.impossible = not _may_become(json, self._schema, whole=end is not None) or _is_blank(json)
        self.whole = end is not None and not self.impossible
        self.runs_on = self.whole and _says_something(self._text[end:])
        return self._text[at:] if self.impossible else shown


class _ObjectEnd:
    """Finds where the object that a text begins with ends, however the text is cut."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = self._escaped = False

    def find(self, text: str, at: int) -> int | None:
        """Behind its last bracket; None while that is not there. `at`: up to there it was read."""
        for index in range(at, len(text)):
            character = text[index]
            if self._in_string:
                if self._escaped or character == "\\":
                    self._escaped = not self._escaped
                elif character == '"':
                    self._in_string = False
            elif character == '"':
                self._in_string = True
            elif character in "{[":
                self._depth += 1
            elif character in "}]":
                self._depth -= 1
                if self._depth <= 0:
                    return index + 1
        return None


def _says_something(text: str) -> bool:
    return bool(text.strip("` \t\r\n"))


def _is_blank(json: str) -> bool:
    return len(json) - len(json.rstrip()) > _MOST_BLANK


def _may_become(json: str, schema: Mapping[str, Any], *, whole: bool) -> bool:
    """Whether a beginning of JSON can still become a value of the schema."""
    if not json.startswith("{"):
        return False
    try:
        value = from_json(json, allow_partial=False if whole else "trailing-strings")
    except ValueError:
        return False
    return _fits(value, schema, whole=whole)


def _fits(value: Any, schema: Mapping[str, Any], *, whole: bool) -> bool:
    kind = schema.get("type", "")
    if kind == "object":
        return isinstance(value, dict) and _has_properties(value, schema, whole=whole)
    if kind == "array":
        items = schema.get("items", {})
        return isinstance(value, list) and all(_fits(one, items, whole=whole) for one in value)
    if isinstance(value, bool) and kind in ("number", "integer"):
        return False
    return isinstance(value, _TYPES.get(kind, (object,)))


def _has_properties(value: dict[str, Any], schema: Mapping[str, Any], *, whole: bool) -> bool:
    properties = schema.get("properties", {})
    if whole and not set(schema.get("required", ())) <= value.keys():
        return False
    return value.keys() <= properties.keys() and all(
        _fits(one, properties[name], whole=whole) for name, one in value.items()
    )
