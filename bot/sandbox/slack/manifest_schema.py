"""What Slack takes as an app's manifest: every problem of one with the place where it stands.

Sources: slackapi/manifest-schema (2.0.0) for names and lengths, docs.slack.dev/reference/scopes and
docs.slack.dev/reference/events for what may be asked for, which that schema does not know, and the messages
of methods/apps.manifest.validate for what hangs together. Sections that no app of ours has are refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Problem = tuple[str, str]  # (pointer, message)
Check = Callable[[Any, str], Iterator[Problem]]

_SCOPES = """
    app_mentions:read assistant:write bookmarks:read bookmarks:write calls:read calls:write canvases:read
    canvases:write channels:history channels:join channels:manage channels:read channels:write.invites
    channels:write.topic chat:write chat:write.customize chat:write.public commands
    conversations.connect:manage conversations.connect:read conversations.connect:write dnd:read emoji:read
    files:read files:write groups:history groups:read groups:write groups:write.invites groups:write.topic
    im:history im:read im:write im:write.topic incoming-webhook links.embed:write links:read links:write
    lists:read lists:write metadata.message:read mpim:history mpim:read mpim:write mpim:write.topic pins:read
    pins:write reactions:read reactions:write reminders:read reminders:write remote_files:read
    remote_files:share remote_files:write search:read.files search:read.public search:read.users
    team.billing:read team.preferences:read team:read usergroups:read usergroups:write users.profile:read
    users:read users:read.email users:write workflow.steps:execute"""
SCOPES = frozenset(_SCOPES.split())
_EVENTS = """
    agent_session_stopped app_context_changed app_deleted app_home_opened app_installed app_mention
    app_rate_limited app_requested app_uninstalled app_uninstalled_team assistant_thread_context_changed
    assistant_thread_started call_rejected channel_archive channel_created channel_deleted
    channel_history_changed channel_id_changed channel_left channel_rename channel_shared channel_unarchive
    channel_unshared dnd_updated_user email_domain_changed emoji_changed file_change file_created file_deleted
    file_public file_shared file_unshared function_executed group_archive group_close group_deleted
    group_history_changed group_left group_open group_rename group_unarchive im_close im_created
    im_history_changed im_open invite_requested link_shared member_joined_channel member_left_channel
    message.app_home message.channels message.groups message.im message.mpim message_metadata_deleted
    message_metadata_posted message_metadata_updated pin_added pin_removed reaction_added reaction_removed
    shared_channel_invite_accepted shared_channel_invite_approved shared_channel_invite_declined
    shared_channel_invite_received shared_channel_invite_requested star_added star_removed
    subteam_created subteam_members_changed subteam_self_added subteam_self_removed subteam_updated
    team_access_granted team_access_revoked team_domain_change team_join team_rename tokens_revoked
    user_change user_huddle_changed user_profile_changed user_status_changed workflow_deleted
    workflow_published workflow_step_deleted workflow_step_execute workflow_unpublished"""
EVENTS = frozenset(_EVENTS.split())


def text(most: int, least: int = 1, pattern: str = "") -> Check:
    def check(value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, str):
            yield at, "Must be a string"
        elif not least <= len(value) <= most:
            yield at, f"Must be between {least} and {most} characters, is {len(value)}"
        elif pattern and not re.search(pattern, value):
            yield at, f"Must match {pattern}"

    return check


def flag(value: Any, at: str) -> Iterator[Problem]:
    if not isinstance(value, bool):
        yield at, "Must be a boolean"


def number(value: Any, at: str) -> Iterator[Problem]:
    if isinstance(value, bool) or not isinstance(value, int):
        yield at, "Must be an integer"


def one_of(known: frozenset[str]) -> Check:
    def check(value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, str) or value not in known:
            yield at, f"Unknown value: {value}"

    return check


def items(of: Check, most: int, *, unique: bool = False) -> Check:
    def check(value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, list):
            yield at, "Must be an array"
            return
        if len(value) > most:
            yield at, f"Must have at most {most} items, has {len(value)}"
        if unique and len({repr(one) for one in value}) < len(value):
            yield at, "Must have no item twice"
        for number, one in enumerate(value):
            yield from of(one, f"{at}/{number}")

    return check


def group(**members: Check) -> Check:
    """An object with these members, those whose name ends in an underscore in any case, and no others."""
    known = {name.rstrip("_"): check for name, check in members.items()}
    required = [name[:-1] for name in members if name.endswith("_")]

    def check(value: Any, at: str) -> Iterator[Problem]:
        if not isinstance(value, dict):
            yield at, "Must be an object"
            return
        yield from ((f"{at}/{name}", "Is required") for name in required if name not in value)
        for name, one in value.items():
            if name not in known:
                yield f"{at}/{name}", "Unknown property"
            else:
                yield from known[name](one, f"{at}/{name}")

    return check


_HTTPS = "^https://"
_URL = text(3000, 1, _HTTPS)
_PROMPTS = items(group(title_=text(75), message_=text(500)), 4)
_SCOPE = items(one_of(SCOPES), 255, unique=True)
_EVENT = items(one_of(EVENTS), 100, unique=True)
_COMMAND = group(
    command_=text(32, 2, "^/[a-z0-9_-]+$"),
    description_=text(2000),
    usage_hint=text(1000),
    should_escape=flag,
    url=_URL,
)
_SHORTCUT = group(
    name_=text(24),
    type_=one_of(frozenset({"message", "global"})),
    callback_id_=text(255),
    description_=text(150),
)
_MANIFEST = group(
    _metadata=group(major_version=number, minor_version=number),
    display_information_=group(
        name_=text(35),
        description=text(140),
        long_description=text(4000, 175),
        background_color=text(7, 4, "^#([0-9a-fA-F]{3}){1,2}$"),
    ),
    features=group(
        agent_view=group(agent_description=text(300), suggested_prompts=_PROMPTS),
        assistant_view=group(assistant_description_=text(300), suggested_prompts=_PROMPTS),
        app_home=group(home_tab_enabled=flag, messages_tab_enabled=flag, messages_tab_read_only_enabled=flag),
        bot_user=group(display_name_=text(80), always_online=flag),
        shortcuts=items(_SHORTCUT, 10),
        slash_commands=items(_COMMAND, 50),
        unfurl_domains=items(text(255), 5, unique=True),
    ),
    oauth_config=group(
        redirect_urls=items(_URL, 1000),
        scopes=group(bot=_SCOPE, user=_SCOPE, bot_optional=_SCOPE, user_optional=_SCOPE),
        token_management_enabled=flag,
        pkce_enabled=flag,
    ),
    settings=group(
        allowed_ip_address_ranges=items(text(18), 10),
        event_subscriptions=group(request_url=_URL, bot_events=_EVENT, user_events=_EVENT),
        interactivity=group(is_enabled_=flag, request_url=_URL, message_menu_options_url=_URL),
        org_deploy_enabled=flag,
        socket_mode_enabled=flag,
        token_rotation_enabled=flag,
        is_mcp_enabled=flag,
        is_hosted=flag,
        function_runtime=one_of(frozenset({"local", "remote", "slack"})),
    ),
)


def find_problems(manifest: Any) -> list[dict[str, str]]:
    """Every problem as Slack tells it, none of a good manifest."""
    found = list(_MANIFEST(manifest, "")) or list(_connections(manifest))
    return [{"message": message, "pointer": pointer or "/"} for pointer, message in found]


def _connections(manifest: Mapping[str, Any]) -> Iterator[Problem]:
    """What hangs together in a manifest whose parts are right by themselves."""
    features, settings = manifest.get("features", {}), manifest.get("settings", {})
    if "agent_view" in features and "assistant_view" in features:
        yield "/features/agent_view", "Cannot be combined with assistant_view"
    if settings.get("socket_mode_enabled"):
        return
    events, interactivity = settings.get("event_subscriptions", {}), settings.get("interactivity", {})
    if (events.get("bot_events") or events.get("user_events")) and not events.get("request_url"):
        at = "/settings/event_subscriptions"
        yield at, "Event Subscription requires either Request URL or Socket Mode Enabled"
    if interactivity.get("is_enabled") and not interactivity.get("request_url"):
        yield "/settings/interactivity", "Interactivity requires a Request URL"
        yield "/settings/interactivity", "Interactivity requires Socket Mode enabled"
    for number, command in enumerate(features.get("slash_commands", ())):
        if not command.get("url"):
            at = f"/features/slash_commands/{number}"
            yield at, "Slash command requires either a URL or Socket Mode enabled"
