"""Uploads what a person adds to the file fields of a modal: the app gets it, no conversation does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from bot.sandbox.slack import limits
from bot.sandbox.slack.api.file_objects import new_file
from bot.sandbox.slack.people.acts import FileUpload, as_upload
from bot.sandbox.slack.people.forms import Block, Element, NotPossible, find_elements
from bot.sandbox.slack.state import Person, Workspace


def upload_given(
    ws: Workspace, person: Person, blocks: list[Block], values: Mapping[str, Any]
) -> dict[str, Any]:
    """The answers of a modal, with Slack's own objects where files were added."""
    fields = {e["action_id"]: e for _, e in find_elements(blocks) if e["type"] == "file_input"}
    return {
        name: _upload(ws, person, fields[name], value) if name in fields and value else value
        for name, value in values.items()
    }


def _upload(ws: Workspace, person: Person, element: Element, given: list[Any]) -> list[dict[str, Any]]:
    if "files:read" not in ws.scopes:
        raise NotPossible("the app may not read files: it lacks the scope files:read")
    files = [as_upload(one) for one in given]
    if len(files) > element.get("max_files", limits.FILE_INPUT_FILES):
        raise NotPossible(f"no more than {element['max_files']} files can be added")
    for file in files:
        _check_kind(element, file)
    kept = [new_file(ws, person, f.name, f.content, thumbnail=f.thumbnail, **f.more) for f in files]
    for each in kept:
        each.for_app = True
    return [dict(each.about) for each in kept]


def _check_kind(element: Element, file: FileUpload) -> None:
    """Slack goes by the name's ending here."""
    kinds = [kind.lower() for kind in element.get("filetypes", ())]
    if kinds and file.name.rpartition(".")[2].lower() not in kinds:
        raise NotPossible(f"{file.name} is none of {', '.join(kinds)}")
