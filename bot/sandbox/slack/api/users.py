"""The Web API's auth.test, bots.info, users.info and users.list."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack import codes
from bot.sandbox.slack.api.blocks import SlackRefusal
from bot.sandbox.slack.api.paging import next_cursor, page
from bot.sandbox.slack.state import Person, Workspace

Arguments = dict[str, Any]
Response = dict[str, Any]


def auth_test(ws: Workspace, a: Arguments) -> Response:
    return {
        "ok": True,
        "url": f"https://{ws.domain}.slack.com/",
        "team": ws.name,
        "user": ws.bot_name,
        "team_id": ws.team,
        "user_id": ws.bot,
        "bot_id": ws.bot_id,
        **({"enterprise_id": ws.organisation} if ws.org_wide else {}),
        "is_enterprise_install": ws.org_wide,
    }


def bots_info(ws: Workspace, a: Arguments) -> Response:
    id = a.get("bot", ws.bot_id)
    if id in ws.apps:
        return {"ok": True, "bot": {"id": id, "deleted": False, "name": ws.apps[id]}}
    person = next((p for p in ws.people.values() if p.bot and p.bot_id == id), None)
    if person is None:
        raise SlackRefusal(codes.BOT_NOT_FOUND)
    bot = {
        "id": person.bot_id,
        "deleted": False,
        "name": person.name,
        "updated": 1_700_000_000,
        "app_id": person.app_id,
        "user_id": person.id,
        "icons": {},
    }
    return {"ok": True, "bot": bot}


def about_person(ws: Workspace, person: Person) -> Response:
    """A user object. Source: docs.slack.dev/reference/objects/user-object"""
    profile: Response = person.profile() | {
        "real_name_normalized": person.real_name,
        "display_name_normalized": person.name,
        "status_text": "",
        "status_emoji": "",
        "title": "",
    }
    if "users:read.email" in ws.scopes and not person.bot:
        profile["email"] = f"{person.name}@example.com"
    if person.bot:
        profile |= {"bot_id": person.bot_id, "api_app_id": person.app_id}
    about: Response = {
        "id": person.id,
        "team_id": person.team,
        "name": person.name,
        "deleted": person.deactivated,
        "color": "4bbe2e",
        "real_name": person.real_name,
        "tz": "Europe/Berlin",
        "tz_label": "Central European Time",
        "tz_offset": 3600,
        "profile": profile,
        "is_admin": person.admin,
        "is_owner": person.admin,
        "is_primary_owner": person.admin,
        "is_restricted": person.guest,
        "is_ultra_restricted": False,
        "is_bot": person.bot,
        "is_app_user": False,
        "updated": 1_700_000_000,
        "is_email_confirmed": True,
        "who_can_share_contact_card": "EVERYONE",
    }
    if ws.org_wide and not person.stranger:
        about["enterprise_user"] = {"id": person.id, "enterprise_id": ws.organisation, "teams": [person.team]}
    return about | ({"is_stranger": True} if person.stranger and not _is_in_sight(ws, person) else {})


def _is_in_sight(ws: Workspace, person: Person) -> bool:
    """Whether the app is in a channel with them; then Slack calls nobody a stranger."""
    both = {person.id, ws.bot}
    return any(both <= place.members.keys() for place in ws.channels.values() if place.kind != "im")


def user_info(ws: Workspace, a: Arguments) -> Response:
    person = ws.people.get(a["user"])
    if person is None:
        raise SlackRefusal(codes.USER_NOT_FOUND)
    about = about_person(ws, person)
    return {"ok": True, "user": about | ({"locale": "en-GB"} if a.get("include_locale") else {})}


def user_list(ws: Workspace, a: Arguments) -> Response:
    people, cursor = page(list(ws.people.values()), a)
    found = [about_person(ws, person) for person in people]
    return {"ok": True, "members": found, "cache_ts": int(ws.clock()), **next_cursor(cursor)}
