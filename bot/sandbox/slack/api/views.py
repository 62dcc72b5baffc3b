"""Modals and the Home tab: views.open, push, update and publish, and the triggers that open them."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack import codes, limits
from bot.sandbox.slack.api.blocks import SlackRefusal, check_view
from bot.sandbox.slack.state import APP, Trigger, Workspace

Arguments = dict[str, Any]
Response = dict[str, Any]
View = dict[str, Any]


def new_trigger(ws: Workspace, user: str) -> str:
    """A trigger_id: one use, three seconds."""
    id = f"{ws.ids.new('', 6)}.{ws.number}.sandbox"
    ws.triggers[id] = Trigger(user, ws.clock())
    if len(ws.triggers) > 1_000:
        del ws.triggers[next(iter(ws.triggers))]
    return id


def _redeem(ws: Workspace, a: Arguments) -> str:
    """The person who pulled the trigger."""
    trigger = ws.triggers.get(a.get("trigger_id", ""))
    if trigger is None:
        raise SlackRefusal(codes.INVALID_TRIGGER_ID)
    if trigger.used:
        raise SlackRefusal(codes.EXCHANGED_TRIGGER_ID)
    if ws.clock() - trigger.at > limits.TRIGGER_LIFE_S:
        raise SlackRefusal(codes.EXPIRED_TRIGGER_ID)
    trigger.used = True
    return trigger.user


def _new_view(ws: Workspace, given: View, **more: Any) -> View:
    external = given.get("external_id", "")
    if external and any(v["external_id"] == external for v in ws.views.values()):
        raise SlackRefusal(codes.DUPLICATE_EXTERNAL_ID)
    id = ws.ids.new(f"V0{ws.number}", 7)
    view: View = {
        "id": id,
        "team_id": ws.team,
        "type": given["type"],
        **_app_fields(given),
        "state": {"values": {}},
        "hash": _hash(ws, id),
        "previous_view_id": None,
        "root_view_id": id,
        "app_id": APP,
        "external_id": external,
        "app_installed_team_id": ws.organisation if ws.org_wide else ws.team,
        "bot_id": ws.bot_id,
        **more,
    }
    ws.views[id] = view
    return view


def _app_fields(given: View) -> View:
    """The parts of a view that an app sets."""
    return {
        "blocks": [
            block if "block_id" in block else {**block, "block_id": f"v{n}"}
            for n, block in enumerate(given["blocks"])
        ],
        "private_metadata": given.get("private_metadata", ""),
        "callback_id": given.get("callback_id", ""),
        "title": given.get("title", {"type": "plain_text", "text": "View Title", "emoji": True}),
        "close": given.get("close"),
        "submit": given.get("submit"),
        "clear_on_close": bool(given.get("clear_on_close", False)),
        "notify_on_close": bool(given.get("notify_on_close", False)),
        "submit_disabled": bool(given.get("submit_disabled", False)),
    }


def _hash(ws: Workspace, id: str) -> str:
    return f"{int(ws.clock())}.{id}.{ws.ids.new('h', 4)}"


def open_view(ws: Workspace, a: Arguments) -> Response:
    given = check_view(a["view"], kind="modal")
    user = _redeem(ws, a)
    for id in ws.modals.get(user, ()):
        ws.views.pop(id, None)
    view = _new_view(ws, given)
    ws.modals[user] = [view["id"]]
    return _show(ws, user, view)


def push_view(ws: Workspace, a: Arguments) -> Response:
    given = check_view(a["view"], kind="modal")
    return _show(ws, *push(ws, _redeem(ws, a), given))


def push(ws: Workspace, user: str, given: View) -> tuple[str, View]:
    """Put a view on top of what the person has open."""
    stack = ws.modals.get(user, [])
    if not stack:
        raise SlackRefusal(codes.NOT_FOUND)
    if len(stack) >= limits.VIEW_STACK:
        raise SlackRefusal(codes.PUSH_LIMIT_REACHED)
    view = _new_view(ws, given, previous_view_id=stack[-1], root_view_id=stack[0])
    stack.append(view["id"])
    return user, view


def update_view(ws: Workspace, a: Arguments) -> Response:
    view = _find(ws, a)
    given = check_view(a["view"], kind=view["type"])
    if a.get("hash") and a["hash"] != view["hash"]:
        raise SlackRefusal(codes.HASH_CONFLICT)
    change(ws, view, given)
    owner = next((user for user, stack in ws.modals.items() if view["id"] in stack), "")
    return _show(ws, owner, view)


def _find(ws: Workspace, a: Arguments) -> View:
    view = ws.views.get(a.get("view_id", ""))
    if view is None and (external := a.get("external_id")):
        view = next((v for v in ws.views.values() if v["external_id"] == external), None)
    if view is None:
        raise SlackRefusal(codes.NOT_FOUND)
    return view


def change(ws: Workspace, view: View, given: View) -> None:
    """Replace what an app sets; answers already given to blocks that stay are kept."""
    view.update(_app_fields(given))
    view["hash"] = _hash(ws, view["id"])
    kept = {block["block_id"] for block in view["blocks"]}
    view["state"] = {"values": {k: v for k, v in view["state"]["values"].items() if k in kept}}


def _show(ws: Workspace, user: str, view: View) -> Response:
    ws.publish({"type": "modals", "only": user, "views": stack(ws, user)})
    return {"ok": True, "view": view}


def stack(ws: Workspace, user: str) -> list[View]:
    """The modals a person has open, the lowest first."""
    return [ws.views[id] for id in ws.modals.get(user, ())]


def close(ws: Workspace, user: str, *, everything: bool) -> list[View]:
    """Take the topmost modal, or all of them, off a person's stack; what was closed."""
    open_ids = ws.modals.get(user, [])
    keep = 0 if everything else max(0, len(open_ids) - 1)
    closed = [ws.views.pop(id) for id in open_ids[keep:]]
    ws.modals[user] = open_ids[:keep]
    ws.publish({"type": "modals", "only": user, "views": stack(ws, user)})
    return closed


def apply_response(ws: Workspace, user: str, view: View, response: dict[str, Any]) -> None:
    """What becomes of a submitted modal, by the app's response_action."""
    act = response.get("response_action")
    if act == "errors":
        view["errors"] = _check_errors(view, response.get("errors"))
    elif act == "update":
        change(ws, view, check_view(response.get("view"), kind="modal"))
    elif act == "push":
        push(ws, user, check_view(response.get("view"), kind="modal"))
    elif stack(ws, user)[-1:] == [view]:
        close(ws, user, everything=act == "clear")
    ws.publish({"type": "modals", "only": user, "views": stack(ws, user)})


def _check_errors(view: View, errors: Any) -> dict[str, str]:
    """Errors stand at input blocks; what Slack cannot place, it does not show."""
    inputs = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
    if not isinstance(errors, dict) or not errors or not errors.keys() <= inputs:
        raise SlackRefusal(codes.INVALID_ERRORS, f"no input blocks: {errors}")
    return errors


def publish_view(ws: Workspace, a: Arguments) -> Response:
    given = check_view(a["view"], kind="home")
    if not ws.home_tab:
        raise SlackRefusal(codes.NOT_ENABLED)
    user = a["user_id"]
    if user not in ws.people:
        raise SlackRefusal(codes.INVALID_ARGUMENTS, "invalid user [json-pointer:/user_id]")
    old = ws.views.get(ws.homes.get(user, ""))
    if a.get("hash") and old and a["hash"] != old["hash"]:
        raise SlackRefusal(codes.HASH_CONFLICT)
    if old:
        change(ws, old, given)
    view = old or _new_view(ws, given)
    ws.homes[user] = view["id"]
    ws.publish({"type": "home", "only": user, "view": view})
    return {"ok": True, "view": view}
