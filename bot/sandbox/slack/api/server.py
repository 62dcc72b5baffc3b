"""Serves the Web API: reads a request, checks token, limits, scopes and arguments, and calls the method.

Arguments are taken wherever slack-sdk puts them: in the query (also of a POST), a form, or a JSON body. What
a method takes is in limits.METHODS, what it does in the other files of this folder.
Unknown methods and arguments are refused, so that a misspelling is
never silent.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
from aiohttp import web

from bot.sandbox.slack import codes, limits
from bot.sandbox.slack.api import chat, conversations, files, reactions, sessions, streams, users, views
from bot.sandbox.slack.api.blocks import SlackRefusal
from bot.sandbox.slack.api.manifests import AppManifests
from bot.sandbox.slack.api.rates import RateLimits
from bot.sandbox.slack.faults import SlackFault, SlackFaults
from bot.sandbox.slack.record import Record, SlackRequest
from bot.sandbox.slack.state import Workspace

Arguments = dict[str, Any]
Response = dict[str, Any]
LOGIN_PAGE = "<!DOCTYPE html><html><head><title>Slack</title></head><body>Sign in</body></html>"

HANDLERS: dict[str, Callable[[Workspace, Arguments], Response]] = {
    "auth.test": users.auth_test,
    "bots.info": users.bots_info,
    "chat.postMessage": chat.post_message,
    "chat.update": chat.update,
    "chat.delete": chat.delete,
    "chat.postEphemeral": chat.post_ephemeral,
    "chat.getPermalink": chat.get_permalink,
    "chat.startStream": streams.start,
    "chat.appendStream": streams.append,
    "chat.stopStream": streams.stop,
    "assistant.threads.setStatus": sessions.set_status,
    "assistant.threads.setTitle": sessions.set_title,
    "assistant.threads.setSuggestedPrompts": sessions.set_suggested_prompts,
    "agents.sessions.setStatus": sessions.set_session_status,
    "agents.sessions.rename": sessions.rename_session,
    "conversations.history": conversations.history,
    "conversations.replies": conversations.replies,
    "conversations.info": conversations.conversation_info,
    "conversations.list": conversations.conversation_list,
    "conversations.members": conversations.members,
    "conversations.open": conversations.open_conversation,
    "users.info": users.user_info,
    "users.list": users.user_list,
    "users.conversations": conversations.user_conversations,
    "reactions.add": reactions.add_reaction,
    "reactions.remove": reactions.remove_reaction,
    "files.info": files.info,
    "files.delete": files.delete,
    "files.getUploadURLExternal": files.get_upload_url,
    "files.completeUploadExternal": files.complete_upload,
    "views.open": views.open_view,
    "views.push": views.push_view,
    "views.update": views.update_view,
    "views.publish": views.publish_view,
}


class WebApi:
    """Serves /api/{method} for all workspaces."""

    def __init__(
        self,
        workspaces: Callable[[str], Workspace | None],  # by bot token
        app_token: str,
        open_connection: Callable[[], str],  # a single-use socket address
        configuration_token: str,
        manifests: AppManifests,
        *,
        clock: Callable[[], float],
        faults: SlackFaults,
        record: Record,
        rates: RateLimits,
        announce: Callable[[SlackRequest], None],
    ) -> None:
        self._workspaces, self._app_token, self._open_connection = workspaces, app_token, open_connection
        self._clock, self._faults, self._record, self._rates = clock, faults, record, rates
        self._announce = announce
        self._configuration_token, self._manifests = configuration_token, manifests

    async def handle(self, http: web.Request) -> web.StreamResponse:
        method = http.match_info["method"]
        arguments = await _read_arguments(http)
        at = self._clock()
        fault = self._faults.take(method, arguments) if self._faults.methods else None
        if fault and fault.delay_s:
            await asyncio.sleep(fault.delay_s)
        token = http.headers.get("Authorization", "").removeprefix("Bearer ") or arguments.get("token", "")
        ws = self._workspaces(token)
        if fault is None or fault.accepted or fault.lose_response or not fault.answers:
            answer, status, headers = self.answer(method, arguments, token, ws)
        else:
            answer, status, headers = {}, 200, {}
        if fault:
            return await self._answer_with_fault(
                http, fault, method, arguments, at, answer, status, headers, ws
            )
        self.note(method, arguments, at, status, answer, ws)
        return _json(answer, status, headers)

    def note(
        self,
        method: str,
        arguments: Arguments,
        at: float,
        status: int,
        answer: Response,
        ws: Workspace | None,
    ) -> None:
        """Put it down as a request that was made."""
        request = SlackRequest(method, arguments, at, status, answer, ws.team if ws else "")
        self._record.request(request)
        self._announce(request)

    def answer(
        self, method: str, arguments: Arguments, token: str, ws: Workspace | None
    ) -> tuple[Response, int, dict[str, str]]:
        """(body, status, headers) as Slack itself would answer; carries the request out."""
        try:
            known = limits.METHODS.get(method)
            if known is None:
                raise SlackRefusal(codes.UNKNOWN_METHOD, req_method=method)
            workspace = _authorise(token, ws) if known.token == limits.BOT_TOKEN else None
            wait_s = self._rates.retry_after_s(workspace.team if workspace else "", method, arguments)
            if wait_s:
                return {"ok": False, "error": codes.RATELIMITED}, 429, {"Retry-After": str(wait_s)}
            if known.token == limits.CONFIGURATION_TOKEN:
                _check_token(token, self._configuration_token, known)
                return self._manifests.answer(method, _check_arguments(known, arguments)), 200, {}
            if workspace is None:
                _check_token(token, self._app_token, known)
                return {"ok": True, "url": self._open_connection()}, 200, {}
            _check_scopes(known, workspace)
            _check_workspace(method, workspace, arguments)
            answer = HANDLERS[method](workspace, _check_arguments(known, arguments))
            return answer, 200, {"x-oauth-scopes": ",".join(sorted(workspace.scopes))}
        except SlackRefusal as refusal:
            return refusal.answer, 200, {}

    async def _answer_with_fault(
        self,
        http: web.Request,
        fault: SlackFault,
        method: str,
        arguments: Arguments,
        at: float,
        answer: Response,
        status: int,
        headers: dict[str, str],
        ws: Workspace | None,
    ) -> web.StreamResponse:
        if fault.hold_s:
            await asyncio.sleep(fault.hold_s)
        if fault.lose_response:
            self.note(method, arguments, at, 0, answer, ws)
            return reset_connection(http)
        if not fault.answers:
            self.note(method, arguments, at, status, answer, ws)
            return _json(answer, status, headers)
        answer = {"ok": False, "error": fault.error} if fault.error else {"ok": False}
        self.note(method, arguments, at, fault.status, answer, ws)
        extra = {} if fault.retry_after_s is None else {"Retry-After": _seconds(fault.retry_after_s)}
        if fault.html or not fault.error:
            return web.Response(text=LOGIN_PAGE, content_type="text/html", status=fault.status, headers=extra)
        return _json(answer, fault.status, extra)


def _seconds(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def reset_connection(http: web.Request) -> web.StreamResponse:
    """Cut the connection without an answer."""
    if http.transport is not None:
        http.transport.abort()
    return web.Response()


def _json(answer: Response, status: int, headers: Mapping[str, str]) -> web.Response:
    return web.Response(
        body=orjson.dumps(answer),
        status=status,
        headers={**headers, "Content-Type": "application/json; charset=utf-8"},
    )


async def _read_arguments(http: web.Request) -> Arguments:
    """The arguments of a request from query, form or JSON; a body that cannot be read has none."""
    arguments: Arguments = dict(http.query)
    if http.method != "POST" or not http.can_read_body:
        return arguments
    kind = http.content_type
    if kind == "application/json":
        try:
            body = orjson.loads(await http.read())
        except orjson.JSONDecodeError:
            return arguments | {codes.INVALID_JSON: True}
        return arguments | body if isinstance(body, dict) else arguments
    if kind.startswith("multipart/"):
        return arguments | dict(await http.post())
    return arguments | dict(parse_qsl((await http.read()).decode(), keep_blank_values=True))


def _check_token(token: str, right: str, method: limits.Method) -> None:
    """That it is the right one, of a method that no bot token opens."""
    if not token:
        raise SlackRefusal(codes.NOT_AUTHED)
    if token != right:
        other = token.startswith("x") and not token.startswith(method.token)
        raise SlackRefusal(codes.NOT_ALLOWED_TOKEN_TYPE if other else codes.INVALID_AUTH)


def _authorise(token: str, ws: Workspace | None) -> Workspace:
    if not token:
        raise SlackRefusal(codes.NOT_AUTHED)
    if token.startswith((limits.APP_TOKEN, limits.CONFIGURATION_TOKEN)):
        raise SlackRefusal(codes.NOT_ALLOWED_TOKEN_TYPE)
    if ws is None:
        raise SlackRefusal(codes.INVALID_AUTH)
    if ws.revoked:
        raise SlackRefusal(codes.TOKEN_REVOKED)
    return ws


def _check_scopes(method: limits.Method, ws: Workspace) -> None:
    if method.scopes and ws.scopes.isdisjoint(method.scopes):
        raise refuse_scope(ws, method.scopes[0])


def _check_workspace(method: str, ws: Workspace, arguments: Arguments) -> None:
    if ws.org_wide and method in limits.OF_ONE_WORKSPACE and arguments.get("team_id") != ws.team:
        raise SlackRefusal(codes.MISSING_ARGUMENT)


def refuse_scope(ws: Workspace, needed: str) -> SlackRefusal:
    return SlackRefusal(codes.MISSING_SCOPE, needed=needed, provided=",".join(sorted(ws.scopes)))


def _check_arguments(method: limits.Method, arguments: Arguments) -> Arguments:
    """The arguments in their types; unknown and missing ones are refused."""
    given = {k: v for k, v in arguments.items() if v is not None and v != ""}
    if codes.INVALID_JSON in given:
        raise SlackRefusal(codes.INVALID_JSON)
    unknown = given.keys() - method.arguments
    if unknown:
        raise SlackRefusal(
            codes.INVALID_ARGUMENTS, *(f"unknown argument: {name}" for name in sorted(unknown))
        )
    # An empty status or text means something, so only a required argument that is absent is missing.
    missing = [name for name in method.required if arguments.get(name) is None]
    if missing:
        raise SlackRefusal(codes.INVALID_ARGUMENTS, *(f"missing required field: {name}" for name in missing))
    return {k: _parse(k, v) for k, v in given.items()} | {
        k: arguments[k] for k in method.required if k not in given
    }


def _parse(name: str, value: Any) -> Any:
    if not isinstance(value, str):
        return value
    if name in limits.JSON_ARGUMENTS:
        try:
            return orjson.loads(value)
        except orjson.JSONDecodeError:
            code = codes.INVALID_BLOCKS_FORMAT if name == "blocks" else codes.INVALID_ARGUMENTS
            raise SlackRefusal(code, f"invalid JSON [json-pointer:/{name}]") from None
    if name in limits.FLAG_ARGUMENTS:
        return value.lower() in ("1", "true")
    if name in limits.NUMBER_ARGUMENTS:
        if not value.isdigit():
            raise SlackRefusal(codes.INVALID_ARGUMENTS, f"must be a number [json-pointer:/{name}]")
        return int(value)
    return value
