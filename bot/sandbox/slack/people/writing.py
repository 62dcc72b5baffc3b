"""Puts a person's message into a conversation and tells the app, as Slack's clients do."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from bot.sandbox.slack.api import file_objects
from bot.sandbox.slack.api.chat import announce
from bot.sandbox.slack.delivery import changes, events
from bot.sandbox.slack.people.acts import FileUpload
from bot.sandbox.slack.people.directory import find_message
from bot.sandbox.slack.people.forms import NotPossible
from bot.sandbox.slack.state import Message, Person, SlackChannel, SlackFile, Workspace
from bot.sandbox.slack.text import find_mentions, rich_text

Place = tuple[Workspace, Person, SlackChannel]


def write_message(
    at: Place,
    text: str,
    *,
    thread_ts: str | None = None,
    files: Sequence[FileUpload] = (),
    shared: Sequence[SlackFile] = (),
    more: Mapping[str, Any] | None = None,
) -> str:
    """A person's message, or that of another app's bot; its ts. `more`: fields that a client adds to it.

    `files` are uploaded with it, `shared` are there already.
    """
    ws, person, place = at
    if place.archived:
        raise NotPossible("the channel is archived")
    written, ts = ws.link_names(text), ws.ts()
    blocks = rich_text(written, f"r{ts[-6:]}") if written or files or shared else []
    if person.bot:
        message = events.bot_message(ws, ts, written, person.id) | {"blocks": blocks}
    else:
        message = events.person_message(person, ts, written, blocks)
    if thread_ts:
        root = find_message(place, thread_ts)
        message |= {"thread_ts": thread_ts, "parent_user_id": root.get("user", "")}
    if files:
        _attach(at, message, files)
    if shared:
        attach_files(at, message, shared)
    if place.kind == "im" and person.id in ws.contexts:
        message["app_context"] = ws.contexts[person.id]
    message |= more or {}
    ws.put(place, message)
    announce(ws, place, message)
    tell_mention(ws, place, message, set())
    return ts


def _attach(at: Place, message: Message, files: Sequence[FileUpload]) -> None:
    ws, person, _ = at
    kept = []
    for given in files:
        more = file_objects.clip(given.duration_s) if given.voice else {}
        if person.stranger:
            more["file_access"] = "check_file_info"
        more |= given.more
        file = file_objects.new_file(ws, person, given.name, given.content, thumbnail=given.thumbnail, **more)
        kept.append(file)
    attach_files(at, message, kept)


def attach_files(at: Place, message: Message, kept: Sequence[SlackFile]) -> None:
    """Put files that Slack has into a message that is being written."""
    ws, person, place = at
    message |= {
        "subtype": "file_share",
        "files": [file_objects.as_shared(file) for file in kept],
        "upload": True,
        "display_as_bot": False,
    }
    if not message["text"]:
        message.pop("blocks", None)
    for file in kept:
        file.shares.setdefault(place.id, []).append(message["ts"])
        if ws.bot in place.members:
            event = changes.file_shared(person.id, file.about["id"], place.id, message["ts"])
            ws.emit("file_shared", event)


def tell_mention(ws: Workspace, place: SlackChannel, message: Message, before: set[str]) -> None:
    """A post that names the app in a channel makes two events; in direct messages it makes one."""
    newly = find_mentions(message["text"]) - before
    if ws.bot in newly and ws.bot in place.members and place.kind != "im":
        ws.emit("app_mention", events.app_mention(place, message, bare=ws.bare_mentions))
