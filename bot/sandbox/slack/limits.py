"""Lists every limit, tier, deadline and argument the fake Slack enforces, each with where it is written down.

Only figures and names live here; the other files apply them. Pages named "methods/x" are
docs.slack.dev/reference/methods/x as of November 2026. "Observed" means users measured it on Slack's own
servers and the documentation is silent; "believed" means neither, and the strict reading was taken.
"""

from __future__ import annotations

from dataclasses import dataclass

# Text. Source: methods/chat.postMessage, methods/chat.update, methods/chat.startStream.
POST_TEXT_CHARS = 40_000  # longer text is cut, with a warning
UPDATE_TEXT_BYTES = 4_000  # UTF-8 after &, <, > are escaped. Observed: gitlab-org/gitlab!258898
MARKDOWN_TEXT_CHARS = 12_000
# One streamed message holds no more than one markdown_text, however many appends carry it.
# Observed: CopilotKit/CopilotKit#6064 (11,977 of 15,668 characters posted, then msg_too_long for good).
STREAM_TEXT_CHARS = 12_000
METADATA_BYTES = 8_000  # Source: docs.slack.dev/messaging/message-metadata

# Blocks. Source: docs.slack.dev/reference/block-kit and the classes of slack-sdk 3.47.
MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
BLOCKS_CHARS = 13_200  # Observed: slackapi/bolt-js#2509, msg_blocks_too_long
MARKDOWN_BLOCKS_CHARS = 12_000  # all markdown blocks of a payload together
SECTION_CHARS = 3_000
SECTION_FIELDS = 10
FIELD_CHARS = 2_000
HEADER_CHARS = 150
CONTEXT_ELEMENTS = 10
ACTIONS_ELEMENTS = 25
CONTEXT_ACTIONS_ELEMENTS = 5
BUTTON_TEXT_CHARS = 75
BUTTON_VALUE_CHARS = 2_000
IDENTIFIER_CHARS = 255  # action_id, block_id, callback_id, external_id
OPTIONS = 100
OPTION_TEXT_CHARS = 75
INPUT_CHARS = 3_000  # of a plain_text_input
LABEL_CHARS = 2_000  # of an input's label and hint
PLACEHOLDER_CHARS = 150
IMAGE_ALT_CHARS = 2_000
FILE_INPUT_FILES = 10  # of a file_input, and its max_files
TABLE_ROWS = 100
TABLE_COLUMNS = 20

# Views. Source: docs.slack.dev/reference/views.
VIEW_TITLE_CHARS = 24
VIEW_METADATA_CHARS = 3_000
VIEW_CHARS = 250_000  # believed: Slack answers view_too_large and documents no figure
VIEW_STACK = 3
TRIGGER_LIFE_S = 3.0  # and one use. Source: docs.slack.dev/interactivity/handling-user-interaction

# Agents. Source: methods/assistant.threads.setStatus, methods/agents.sessions.setStatus, the manifest schema.
STATUS_LIFE_S = 120.0
LOADING_MESSAGES = 10
SUGGESTED_PROMPTS = 4
SESSION_TITLE_CHARS = 200
SESSION_STATUSES = frozenset({"processing", "active", "suspended", "closed"})
# Observed: slackapi/python-slack-sdk#1859, slackapi/node-slack-sdk#2702 (the server ends it, active or not).
STREAM_LIFE_S = 300.0
TASK_STATUSES = frozenset({"pending", "in_progress", "complete", "error"})
TASK_DISPLAY_MODES = frozenset({"timeline", "plan", "dense"})

# Delivery. Source: docs.slack.dev/apis/events-api and docs.slack.dev/apis/events-api/using-socket-mode.
ACK_DEADLINE_S = 3.0
RETRY_DELAYS_S = (1.0, 60.0, 300.0)  # "nearly immediately", a minute, five minutes
REDIRECTS = 2
SOCKET_CONNECTIONS = 10
SOCKET_PING_S = 10.0
CONNECTION_LIFE_S = 18_060  # what hello announces
RESPONSE_URL_LIFE_S = 1_800.0
RESPONSE_URL_USES = 5

# Reading. Source: methods/conversations.history (rate limit change of 2025-05-29 for distributed apps).
PAGE_DEFAULT = 100
PAGE_MOST = 999
DISTRIBUTED_PAGE = 15

UPLOAD_CHANNELS = 100  # Source: methods/files.completeUploadExternal

# Requests per minute, method and workspace. Source: docs.slack.dev/apis/web-api/rate-limits; which tier a
# method has stands on its page. Compared with all pages in slack_kit's copy of May 2026.
TIER_1, TIER_2, TIER_3, TIER_4 = 1, 20, 50, 100
DISTRIBUTED_PER_MINUTE = TIER_1
# Methods with a limit called special take "hundreds of requests per minute". Source of the figure:
# slackapi/java-slack-sdk, MethodsRateLimitTier, which has it for auth.test and chat.getPermalink.
HUNDREDS = 600
# Beside one a second and channel a workspace takes "several hundred messages per minute". No figure is
# published, so it is the one above. Source: docs.slack.dev/apis/web-api/rate-limits, and for
# assistant.threads.setStatus ("similar to chat.postMessage", 60 a minute and direct channel) java-slack-sdk.
ONE_A_SECOND_AND_CHANNEL = {"chat.postMessage": "channel", "assistant.threads.setStatus": "channel_id"}

# How arguments are read when they come as strings in a query or a form.
JSON_ARGUMENTS = frozenset(
    {"attachments", "blocks", "chunks", "metadata", "view", "prompts", "files", "loading_messages"}
)
FLAG_ARGUMENTS = frozenset(
    {
        "as_user", "exclude_archived", "include_all_metadata", "include_locale", "include_num_members",
        "inclusive", "link_names", "mrkdwn", "prevent_creation", "reply_broadcast", "return_im",
        "unfurl_links", "unfurl_media",
    }
)  # fmt: skip
NUMBER_ARGUMENTS = frozenset({"count", "length", "limit", "page"})
# Taken by every method: the token may travel as an argument, org-wide apps add the workspace.
COMMON_ARGUMENTS = frozenset({"token", "team_id"})
# Of these an app that is installed for a whole organisation has to say for which workspace it asks.
# Source: team_id on the page of each of these methods.
OF_ONE_WORKSPACE = frozenset({"conversations.list", "users.conversations", "users.list"})


# What the token of a request begins with, by its kind.
BOT_TOKEN, APP_TOKEN, CONFIGURATION_TOKEN = "xoxb-", "xapp-", "xoxe.xoxp-"


@dataclass(frozen=True, slots=True)
class Method:
    """What one Web API method takes and asks for. `per_minute`: requests, in one workspace."""

    arguments: frozenset[str]
    required: tuple[str, ...]
    per_minute: int
    scopes: tuple[str, ...]  # any one of them; empty: none, or decided by the kind of channel
    token: str = BOT_TOKEN


def _method(arguments: str, per_minute: int, *scopes: str, token: str = BOT_TOKEN) -> Method:
    """`arguments` by name, those marked with * are required."""
    names = arguments.split()
    return Method(
        arguments=frozenset(name.rstrip("*") for name in names) | COMMON_ARGUMENTS,
        required=tuple(name[:-1] for name in names if name.endswith("*")),
        per_minute=per_minute,
        scopes=scopes,
        token=token,
    )


_LOOK = "icon_emoji icon_url username"
_PAGE = "cursor limit"
_TEXT = "text blocks attachments markdown_text link_names parse"
_SPAN = "cursor include_all_metadata inclusive latest limit oldest"

METHODS: dict[str, Method] = {
    "auth.test": _method("", HUNDREDS),
    "apps.connections.open": _method("", TIER_3, token=APP_TOKEN),
    "apps.manifest.create": _method("manifest*", TIER_1, token=CONFIGURATION_TOKEN),
    "apps.manifest.export": _method("app_id*", TIER_3, token=CONFIGURATION_TOKEN),
    "apps.manifest.update": _method("app_id* manifest*", TIER_1, token=CONFIGURATION_TOKEN),
    "apps.manifest.validate": _method("manifest* app_id", TIER_3, token=CONFIGURATION_TOKEN),
    "bots.info": _method("bot", TIER_3, "users:read"),
    "chat.postMessage": _method(
        f"channel* {_TEXT} {_LOOK} as_user mrkdwn metadata reply_broadcast thread_ts "
        "unfurl_links unfurl_media",
        HUNDREDS,
        "chat:write",
    ),
    "chat.update": _method(
        f"channel* ts* {_TEXT} as_user file_ids metadata reply_broadcast", TIER_3, "chat:write"
    ),
    "chat.delete": _method("channel* ts* as_user", TIER_3, "chat:write"),
    "chat.postEphemeral": _method(f"channel* user* {_TEXT} {_LOOK} as_user thread_ts", TIER_4, "chat:write"),
    "chat.getPermalink": _method("channel* message_ts*", HUNDREDS),
    "chat.startStream": _method(
        f"channel* thread_ts* markdown_text chunks recipient_team_id recipient_user_id "
        f"task_display_mode {_LOOK}",
        TIER_2,
        "chat:write",
    ),
    "chat.appendStream": _method("channel* ts* markdown_text chunks", TIER_4, "chat:write"),
    "chat.stopStream": _method(
        "channel* ts* markdown_text chunks blocks metadata session_status", TIER_2, "chat:write"
    ),
    "assistant.threads.setStatus": _method(
        f"channel_id* thread_ts* status* loading_messages {_LOOK}", HUNDREDS, "chat:write", "assistant:write"
    ),
    "assistant.threads.setTitle": _method("channel_id* thread_ts* title*", TIER_4, "assistant:write"),
    "assistant.threads.setSuggestedPrompts": _method(
        "channel_id* prompts* thread_ts title", TIER_4, "assistant:write"
    ),
    # Source of both tiers: slackapi/java-slack-sdk#1633.
    "agents.sessions.setStatus": _method(
        f"channel_id* status* thread_ts title initiator_user_id {_LOOK}", TIER_3, "chat:write"
    ),
    "agents.sessions.rename": _method("channel_id* title* thread_ts", TIER_3, "chat:write"),
    "conversations.history": _method(f"channel* {_SPAN}", TIER_3),
    "conversations.replies": _method(f"channel* ts* {_SPAN}", TIER_3),
    "conversations.info": _method("channel* include_locale include_num_members", TIER_3),
    "conversations.list": _method(f"{_PAGE} exclude_archived types", TIER_2),
    "conversations.members": _method(f"channel* {_PAGE}", TIER_4),
    "conversations.open": _method(
        "channel users prevent_creation return_im", TIER_3, "im:write", "mpim:write"
    ),
    "users.info": _method("user* include_locale", TIER_4, "users:read"),
    "users.list": _method(f"{_PAGE} include_locale", TIER_2, "users:read"),
    "users.conversations": _method(f"{_PAGE} exclude_archived types user", TIER_3),
    "reactions.add": _method("channel* name* timestamp*", TIER_3, "reactions:write"),
    "reactions.remove": _method("name* channel timestamp file file_comment", TIER_2, "reactions:write"),
    "files.info": _method("file* count cursor limit page", TIER_4, "files:read"),
    "files.delete": _method("file*", TIER_3, "files:write"),
    "files.getUploadURLExternal": _method("filename* length* alt_txt snippet_type", TIER_4, "files:write"),
    "files.completeUploadExternal": _method(
        "files* blocks channel_id channels initial_comment thread_ts", TIER_4, "files:write"
    ),
    "views.open": _method("view* trigger_id interactivity_pointer", TIER_4),
    "views.push": _method("view* trigger_id interactivity_pointer", TIER_4),
    "views.update": _method("view* view_id external_id hash", TIER_4),
    "views.publish": _method("user_id* view* hash", TIER_4),
}  # fmt: skip

# A scope per kind of conversation, e.g. im:history. Source: methods/conversations.history, …info, …list.
SCOPE_PREFIX = {"channel": "channels", "group": "groups", "im": "im", "mpim": "mpim"}

# Which subscription of the manifest an event of the app comes under. Source: docs.slack.dev/reference/events
MESSAGE_SUBSCRIPTION = {
    "channel": "message.channels",
    "group": "message.groups",
    "im": "message.im",
    "mpim": "message.mpim",
}

# Which scopes, any of them, an event asks for; without one it is not delivered. Source: the event's page in
# docs.slack.dev/reference/events, "Required Scopes".
_OF_CHANNELS, _OF_GROUPS = ("channels:read",), ("groups:read",)
EVENT_SCOPES: dict[str, tuple[str, ...]] = {
    "app_mention": ("app_mentions:read",),
    "message.channels": ("channels:history",),
    "message.groups": ("groups:history",),
    "message.im": ("im:history",),
    "message.mpim": ("mpim:history",),
    "member_joined_channel": (*_OF_CHANNELS, *_OF_GROUPS),
    "member_left_channel": (*_OF_CHANNELS, *_OF_GROUPS),
    **dict.fromkeys(("reaction_added", "reaction_removed"), ("reactions:read",)),
    **dict.fromkeys(("file_shared", "file_unshared", "file_change", "file_deleted"), ("files:read",)),
    **dict.fromkeys(
        ("channel_archive", "channel_unarchive", "channel_deleted", "channel_left", "channel_rename"),
        _OF_CHANNELS,
    ),
    **dict.fromkeys(("group_archive", "group_unarchive", "group_deleted", "group_left"), _OF_GROUPS),
    **dict.fromkeys(
        ("channel_shared", "channel_unshared", "channel_id_changed"), (*_OF_CHANNELS, *_OF_GROUPS)
    ),
    "user_change": ("users:read",),
}

# What an app is when nobody says otherwise: all that a team assistant can ask for.
MANIFEST: dict[str, object] = {
    "display_information": {"name": "Parley"},
    "features": {
        "agent_view": {"agent_description": "Team assistant.", "suggested_prompts": []},
        "app_home": {
            "home_tab_enabled": True,
            "messages_tab_enabled": True,
            "messages_tab_read_only_enabled": False,
        },
        "bot_user": {"display_name": "parley", "always_online": True},
        "slash_commands": [],
        "shortcuts": [],
    },
    "oauth_config": {
        "scopes": {
            "bot": [
                "app_mentions:read", "assistant:write", "channels:history", "channels:read", "chat:write",
                "commands", "files:read", "files:write", "groups:history", "groups:read", "im:history",
                "im:read", "im:write", "mpim:history", "mpim:read", "reactions:read", "reactions:write",
                "users:read", "users:read.email",
            ]
        }
    },
    "settings": {
        "event_subscriptions": {
            "bot_events": [
                "agent_session_stopped", "app_context_changed", "app_home_opened", "app_mention",
                "app_uninstalled", "channel_archive", "channel_deleted", "channel_id_changed", "channel_left",
                "channel_rename",
                "channel_shared", "channel_unarchive", "channel_unshared", "file_change", "file_deleted",
                "file_shared", "file_unshared", "group_archive", "group_deleted", "group_left",
                "group_unarchive", "member_joined_channel", "member_left_channel", "message.channels",
                "message.groups", "message.im", "message.mpim", "reaction_added", "reaction_removed",
                "tokens_revoked", "user_change",
            ]
        }
    },
}  # fmt: skip
