"""The windows of documents as pure functions: what can be done with a message, a list, and two forms."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from handlers.channel.fields import choice_field, text_field
from handlers.channel.form import OPEN_DOCUMENTS
from handlers.knowledge.blocks import list_blocks
from handlers.slack.blocks import Block, actions, button, context, section
from handlers.slack.modals import View, plain_text, window
from handlers.slack.mrkdwn import escape
from storage.knowledge.documents import Document

ADD_FILES, ADD_FILES_EVERYWHERE = "document_add_files", "document_add_files_everywhere"
KEEP_THREAD, KEEP_THREAD_EVERYWHERE = "document_keep_thread", "document_keep_thread_everywhere"
EXTRACT = "document_extract"
WRITE, UPLOAD, LIST = "document_write", "document_upload", OPEN_DOCUMENTS
TEXT_FORM, FILE_FORM = "document_text", "document_file"
FILE, TITLE, TEXT, WHERE = "file", "title", "text", "where"
TITLE_MOST = 150
TEXT_MOST = 3_000  # Source: docs.slack.dev/reference/block-kit/block-elements/plain-text-input-element
EMPTY = "There are no documents here yet."
HERE = {"channel": "In this channel", "person": "Here, for me alone"}
EVERYWHERE = "Everywhere in this workspace (for its admins to decide)"


@dataclass(frozen=True, slots=True)
class WindowPlace:
    """What a window is about, kept in it. `files`: ids; `replaces`: the id of a document; `repairs`: the
    topic of unanswered questions that is to be answered by what is added."""

    channel: str
    thread: str = ""
    files: tuple[str, ...] = ()
    replaces: str = ""
    repairs: int = 0


def dump_place(place: WindowPlace) -> str:
    """As a window carries it."""
    return json.dumps(asdict(place))


def load_place(view: View) -> WindowPlace:
    """What `dump_place` wrote."""
    read = json.loads(view["private_metadata"])
    return WindowPlace(**read | {"files": tuple(read["files"])})


def ask_window(place: WindowPlace, *, kind: str, names: Sequence[str], admin: bool, known: int) -> View:
    """“Ask Parley to…”: what can be done with a message and its thread. `known`: documents there are."""
    shown: list[Block] = []
    if names:
        files = ", ".join(f"*{escape(name)}*" for name in names)
        shown += _offer(f"Answer from {files}", (ADD_FILES, ADD_FILES_EVERYWHERE), kind, admin=admin)
        shown += [section(f"Extract fields from {files}"), actions(button(EXTRACT, "Choose the fields"))]
    shown += _offer(
        "Keep this thread and answer from it", (KEEP_THREAD, KEEP_THREAD_EVERYWHERE), kind, admin=admin
    )
    shown += [
        section("Answer from something else"),
        actions(button(UPLOAD, "Upload a file"), button(WRITE, "Write a text")),
        section(f"Documents here: {known}") | {"accessory": button(LIST, "Show them")},
    ]
    return window("Ask Parley to…", shown, private_metadata=dump_place(place))


def _offer(what: str, pressed: tuple[str, str], kind: str, *, admin: bool) -> list[Block]:
    here, everywhere = pressed
    buttons = [button(here, HERE[kind], value=kind)]
    if admin:
        buttons.append(button(everywhere, "Everywhere", value="workspace"))
    return [section(what), actions(*buttons)]


def list_window(place: WindowPlace, documents: Sequence[Document], *, removable: Iterable[str]) -> View:
    """The documents that somebody may know of there."""
    shown = list_blocks(documents, removable=removable) if documents else [section(EMPTY)]
    adding = actions(button(UPLOAD, "Upload a file"), button(WRITE, "Write a text"))
    return window("Documents", [*shown, adding], private_metadata=dump_place(place))


def text_form(place: WindowPlace, *, kind: str, title: str = "", text: str = "") -> View:
    """A titled piece of text to answer from."""
    return window(
        "A text to answer from",
        [
            _required(text_field(TITLE, "Title", title, most=TITLE_MOST)),
            _required(text_field(TEXT, "Text", text[:TEXT_MOST], most=TEXT_MOST)),
            *_where(kind, place),
        ],
        submit=plain_text("Take it in"),
        callback_id=TEXT_FORM,
        private_metadata=dump_place(place),
    )


def file_form(place: WindowPlace, *, kind: str, name: str = "") -> View:
    """Files to answer from; one that takes the place of another document where that is wanted."""
    most = 1 if place.replaces else 10
    element = {"type": "file_input", "action_id": FILE, "max_files": most}
    label = f"What takes the place of {name}" if name else "Files"
    field: dict[str, Any] = {
        "type": "input",
        "block_id": FILE,
        "label": plain_text(label[:TITLE_MOST]),
        "element": element,
    }
    note = context("Slack takes up to 10 MB here; drop larger files into the channel.")
    return window(
        "A file to answer from",
        [field, note, *_where(kind, place)],
        submit=plain_text("Take it in"),
        callback_id=FILE_FORM,
        private_metadata=dump_place(place),
    )


def _where(kind: str, place: WindowPlace) -> list[Block]:
    if place.replaces:
        return []
    return [choice_field(WHERE, "Where it is found", {kind: HERE[kind], "workspace": EVERYWHERE}, kind)]


def _required(field: Block) -> Block:
    return field | {"optional": False}


def read_form(view: View) -> tuple[dict[str, str], list[str]]:
    """What was typed and chosen in a form, and the ids of the files that were dropped into it."""
    given, files = dict[str, str](), list[str]()
    for field, answers in view["state"]["values"].items():
        (answer,) = answers.values()
        files += [str(file["id"]) for file in answer.get("files") or ()]
        chosen = answer.get("selected_option")
        given[field] = chosen["value"] if chosen else answer.get("value") or ""
    return given, files
