"""Slack's payloads: what events are called, a shared file as a `File`, and who wrote something.

A post as an `Incoming` is handlers/slack/posts.py, the words in it handlers/slack/contents.py.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from bot.core.values import File, Invitation
from bot.text.file_names import show_name
from handlers.slack.reading import as_number, as_text

# Subtypes of `message` that are a person saying something.
# Source: https://docs.slack.dev/reference/events/message#subtypes
POST_SUBTYPES = frozenset({None, "file_share", "thread_broadcast", "me_message"})
# The subtype of what an app posts under a name of its own. Apps also post without it.
BY_APP = "bot_message"
# Subtypes of a file that was recorded in Slack's own client.
RECORDED_SUBTYPES = frozenset({"slack_audio", "slack_video"})
# What people call files of a mode or a subtype. Source: https://docs.slack.dev/reference/objects/file-object
KINDS = {
    "tombstone": "deleted file",
    "quip": "canvas",
    "canvas": "canvas",
    "list": "list",
    "email": "email",
    "slack_audio": "voice clip",
    "slack_video": "video clip",
}
MOST_BYTES = 1 << 50
# Pictures that need no other one beside them, and the sizes of those that Slack makes, the largest first.
SHOWN_EVERYWHERE = frozenset({"image/png", "image/jpeg", "image/webp", "image/gif"})
PREVIEWS = (1024, 960, 800, 720, 480, 360)
# What stays of a deleted message that has replies.
TOMBSTONE = "tombstone"
SLACKBOT = "USLACKBOT"
ORGANISATION = "E"  # what the ids of organisations begin with


def invitation_from(body: dict[str, Any], event: dict[str, Any]) -> Invitation:
    """That somebody called us into a channel. Where we came by ourselves, or by default, nobody is named."""
    team, channel, ts = team_of(body), event["channel"], event.get("event_ts") or body["event_time"]
    inviter = event.get("inviter") or ""
    if not all(isinstance(id, str) for id in (channel, inviter)):
        raise TypeError("an id that is no text")
    return Invitation(
        key=f"joined:{team}:{channel}:{ts}",
        team=team,
        channel=channel,
        inviter=inviter,
        at=float(ts),
        external=bool(body.get("is_ext_shared_channel")),
    )


def file_from(file: dict[str, Any]) -> File:
    """A shared file as a value; where Slack gives a promise only, `stub` is set."""
    subtype, mime = as_text(file.get("subtype")), as_text(file.get("mimetype"))
    return File(
        id=file["id"],
        name=_name_file(file),
        mime=mime,
        size_bytes=as_number(file.get("size"), MOST_BYTES),
        url=as_text(file.get("url_private_download")) or as_text(file.get("url_private")),
        voice=subtype in RECORDED_SUBTYPES,
        stub=file.get("file_access") == "check_file_info",
        preview=_find_preview(file, mime),
        kind=KINDS.get(as_text(file.get("mode"))) or KINDS.get(subtype) or _name_type(mime),
        link=as_text(file.get("permalink")),
    )


def _find_preview(file: dict[str, Any], mime: str) -> str:
    """The largest picture that Slack made of one that few can show. Source: the file object's thumbnails."""
    if not mime.startswith("image/") or mime in SHOWN_EVERYWHERE:
        return ""
    return next((address for size in PREVIEWS if (address := as_text(file.get(f"thumb_{size}")))), "")


def _name_file(file: dict[str, Any]) -> str:
    """Its name, or its title, with what is hidden in it written out."""
    given = (file.get(key) for key in ("name", "title"))
    return show_name(next((name for name in given if isinstance(name, str) and as_text(name)), ""))


def in_thread(body: dict[str, Any]) -> dict[str, str]:
    """What has an answer to a pressed button appear in the thread in which the button stands."""
    thread = (body.get("message") or {}).get("thread_ts") or (body.get("container") or {}).get("thread_ts")
    return {"thread_ts": thread} if isinstance(thread, str) and thread else {}


def _name_type(mime: str) -> str:
    return "picture" if mime.startswith("image/") else "file"


def team_of(body: dict[str, Any]) -> str:
    """The workspace that a delivery is about; the organisation where Slack names no workspace.

    An app that is installed for a whole organisation gets `team: null` with what people press and send, and
    its events may name the workspace in their authorizations only. Of a window that people of another company
    opened, it is the workspace that has the app.
    Source: slack_bolt.request.internals.extract_team_id; an organisation's id begins with E.
    """
    named = [id for id in _named_teams(body) if isinstance(id, str) and id]
    workspaces = (id for id in named if not id.startswith(ORGANISATION))
    return next(workspaces, named[0] if named else "")


def user_of(body: dict[str, Any]) -> str:
    """Who gave a command, pressed or chose something."""
    return str(body.get("user_id") or _part(body, "user").get("id") or "")


def channel_of(body: dict[str, Any]) -> str:
    """Where that was done; "" where it was done in no conversation."""
    return str(body.get("channel_id") or _part(body, "channel").get("id") or "")


def _named_teams(body: dict[str, Any]) -> Iterator[Any]:
    """Every place in which a delivery may name its workspace, the surest first."""
    team, view, event = body.get("team"), _part(body, "view"), _part(body, "event")
    yield view.get("app_installed_team_id")
    yield team if isinstance(team, str) else _part(body, "team").get("id")
    yield body.get("team_id")
    for authorization in body.get("authorizations") or ():
        yield authorization.get("team_id")
    yield _part(body, "user").get("team_id")
    yield view.get("team_id")
    yield event.get("team")
    yield event.get("user_team")
    yield _part(body, "message").get("team")
    yield from _named_organisations(body)


def _named_organisations(body: dict[str, Any]) -> Iterator[Any]:
    enterprise = body.get("enterprise")
    yield enterprise if isinstance(enterprise, str) else _part(body, "enterprise").get("id")
    yield body.get("enterprise_id")
    yield _part(body, "team").get("enterprise_id")
    for authorization in body.get("authorizations") or ():
        yield authorization.get("enterprise_id")


def _part(body: dict[str, Any], name: str) -> dict[str, Any]:
    part = body.get(name)
    return part if isinstance(part, dict) else {}


def is_bot(message: dict[str, Any], bot: str) -> bool:
    """Whether a bot wrote it, we or another. Bots ask nothing, but for those that the operator names."""
    app = bool(message.get("bot_id")) or message.get("subtype") == BY_APP
    return app or message.get("user") in (bot, SLACKBOT)


def is_own(body: dict[str, Any], message: dict[str, Any], bot: str) -> bool:
    """Whether we wrote it. `bot`: our own user id."""
    own = {body.get("api_app_id"), bot} - {None, ""}
    return not own.isdisjoint(list_app_ids(message))


def list_app_ids(message: dict[str, Any]) -> list[str]:
    """Every id by which the app, the bot or the workflow that posted a message can be named: its user first,
    if it has one, then its bot."""
    profile = _part(message, "bot_profile")
    named = (
        message.get("user"), profile.get("user_id"), message.get("bot_id"), profile.get("id"),
        message.get("workflow_id"), profile.get("workflow_id"), message.get("app_id"), profile.get("app_id"),
    )  # fmt: skip
    return [id for id in named if isinstance(id, str) and id]


def is_external(body: dict[str, Any], message: dict[str, Any], team: str) -> bool:
    """Whether the writer belongs to another company, or the channel is shared with one."""
    home = {team, *_named_organisations(body)}
    elsewhere = {message.get("user_team"), message.get("source_team")} - home - {None, ""}
    return bool(body.get("is_ext_shared_channel")) or bool(elsewhere)
