"""The Web API's assistant.threads.* and agents.sessions.*: status, titles, suggested prompts, sessions."""

from __future__ import annotations

from typing import Any

from bot.sandbox.slack import codes, limits
from bot.sandbox.slack.api.blocks import SlackRefusal
from bot.sandbox.slack.state import SlackChannel, Workspace

Arguments = dict[str, Any]
Response = dict[str, Any]
NO_STOP_EVENT = "missing_agent_session_stopped_event_subscription"


def _find_place(ws: Workspace, a: Arguments) -> SlackChannel:
    channel = ws.channels.get(a["channel_id"])
    if channel is None or ws.bot not in channel.members:
        raise SlackRefusal(codes.CHANNEL_NOT_FOUND)
    thread = a.get("thread_ts")
    if thread and thread not in channel.messages:
        raise SlackRefusal(codes.INVALID_THREAD_TS)
    return channel


def set_status(ws: Workspace, a: Arguments) -> Response:
    channel = _find_place(ws, a)
    messages = a.get("loading_messages") or []
    if len(messages) > limits.LOADING_MESSAGES:
        raise SlackRefusal(
            codes.INVALID_ARGUMENTS,
            f"no more than {limits.LOADING_MESSAGES} items allowed [json-pointer:/loading_messages]",
        )
    ws.set_status(channel.id, a["thread_ts"], a["status"], messages)
    return {"ok": True}


def set_title(ws: Workspace, a: Arguments) -> Response:
    channel = _find_place(ws, a)
    ws.titles[channel.id, a["thread_ts"]] = a["title"]
    ws.publish({"type": "title", "channel": channel.id, "thread_ts": a["thread_ts"], "title": a["title"]})
    return {"ok": True}


def set_suggested_prompts(ws: Workspace, a: Arguments) -> Response:
    channel = _find_place(ws, a)
    prompts = a["prompts"]
    if (
        not isinstance(prompts, list)
        or not 0 < len(prompts) <= limits.SUGGESTED_PROMPTS
        or not all(isinstance(p, dict) and p.get("title") and p.get("message") for p in prompts)
    ):
        raise SlackRefusal(
            codes.INVALID_ARGUMENTS, "1 to 4 objects with title and message [json-pointer:/prompts]"
        )
    thread = a.get("thread_ts", "")
    ws.prompts[channel.id, thread] = {"title": a.get("title", ""), "prompts": prompts}
    ws.publish(
        {"type": "prompts", "channel": channel.id, "thread_ts": thread, **ws.prompts[channel.id, thread]}
    )
    return {"ok": True}


def put_session(ws: Workspace, channel: str, thread: str, status: str, **more: Any) -> dict[str, Any]:
    """Create or change the agent session of a thread."""
    session = ws.sessions.setdefault((channel, thread), {"title": "", "initiator_user_id": ""})
    session["status"] = status
    session.update({k: v for k, v in more.items() if v})
    ws.publish({"type": "session", "channel": channel, "thread_ts": thread, **session})
    return session


def set_session_status(ws: Workspace, a: Arguments) -> Response:
    channel = _find_place(ws, a)
    if a["status"] not in limits.SESSION_STATUSES:
        raise SlackRefusal(codes.INVALID_ARGUMENTS, "unknown status [json-pointer:/status]")
    thread = a.get("thread_ts", "")
    # A title is taken when the session begins, later it is renamed. Source: methods/agents.sessions.setStatus
    title = "" if (channel.id, thread) in ws.sessions else _check_title(a.get("title", ""))
    put_session(
        ws, channel.id, thread, a["status"], title=title, initiator_user_id=a.get("initiator_user_id", "")
    )
    if a["status"] == "processing" and "agent_session_stopped" not in ws.subscriptions:
        return {"ok": True, "warning": NO_STOP_EVENT, "response_metadata": {"warnings": [NO_STOP_EVENT]}}
    return {"ok": True}


def rename_session(ws: Workspace, a: Arguments) -> Response:
    channel = _find_place(ws, a)
    key = (channel.id, a.get("thread_ts", ""))
    if key not in ws.sessions:
        raise SlackRefusal(codes.SESSION_NOT_FOUND)  # the code is believed
    put_session(ws, *key, ws.sessions[key]["status"], title=_check_title(a["title"]))
    return {"ok": True}


def _check_title(title: str) -> str:
    if len(title) > limits.SESSION_TITLE_CHARS:
        raise SlackRefusal(
            codes.INVALID_ARGUMENTS,
            f"must be less than {limits.SESSION_TITLE_CHARS + 1} characters [json-pointer:/title]",
        )
    return title
