"""Lists every error code the fake Slack answers with, each with the pages that list it.

"x.y" in a comment is docs.slack.dev/reference/methods/x.y, section Errors, as of May 2026; `*` are several
methods of the family. A test holds the fake to these names: no code stands anywhere else.
"""

from __future__ import annotations

# Common to all methods. Source: the section Errors of every page of a method.
INVALID_ARGUMENTS = "invalid_arguments"
INVALID_AUTH = "invalid_auth"
MISSING_SCOPE = "missing_scope"
NOT_ALLOWED_TOKEN_TYPE = "not_allowed_token_type"
NOT_AUTHED = "not_authed"
RATELIMITED = "ratelimited"
TOKEN_REVOKED = "token_revoked"

# Of single methods.
ALREADY_REACTED = "already_reacted"  # reactions.add
BOT_NOT_FOUND = "bot_not_found"  # bots.info
CANNOT_REPLY_TO_MESSAGE = "cannot_reply_to_message"  # chat.{postEphemeral,postMessage,stopStream}
CANT_DELETE_FILE = "cant_delete_file"  # files.delete
CANT_DELETE_MESSAGE = "cant_delete_message"  # chat.delete
CANT_UPDATE_MESSAGE = "cant_update_message"  # chat.update
CHANNEL_NOT_FOUND = "channel_not_found"  # assistant.threads.* chat.* conversations.* files.* reactions.*
CHANNELS_LIMIT_EXCEEDED = "channels_limit_exceeded"  # files.completeUploadExternal
DUPLICATE_EXTERNAL_ID = "duplicate_external_id"  # views.*
EXCHANGED_TRIGGER_ID = "exchanged_trigger_id"  # views.{open,push}
EXPIRED_TRIGGER_ID = "expired_trigger_id"  # views.{open,push}
FILE_DELETED = "file_deleted"  # chat.update files.{delete,info}
FILE_NOT_FOUND = "file_not_found"  # chat.update files.{completeUploadExternal,delete,info} reactions.remove
HASH_CONFLICT = "hash_conflict"  # views.{publish,update}
INVALID_APP_ID = "invalid_app_id"  # apps.manifest.{export,update,validate}
INVALID_ATTACHMENTS = "invalid_attachments"  # chat.{postEphemeral,update}
INVALID_BLOCKS = "invalid_blocks"  # chat.* files.completeUploadExternal
INVALID_BLOCKS_FORMAT = "invalid_blocks_format"  # chat.*
INVALID_CHUNKS = "invalid_chunks"  # chat.{appendStream,startStream,stopStream}
INVALID_CURSOR = "invalid_cursor"  # conversations.* users.{conversations,list}
INVALID_MANIFEST = "invalid_manifest"  # apps.manifest.{create,update,validate}
INVALID_METADATA_FORMAT = "invalid_metadata_format"  # chat.*
INVALID_METADATA_SCHEMA = "invalid_metadata_schema"  # chat.*
INVALID_NAME = "invalid_name"  # reactions.{add,remove}
INVALID_THREAD_TS = "invalid_thread_ts"  # assistant.threads.{setStatus,setSuggestedPrompts,setTitle}
INVALID_TRIGGER_ID = "invalid_trigger_id"  # views.{open,push}
INVALID_TS_LATEST = "invalid_ts_latest"  # conversations.{history,replies}
INVALID_TYPES = "invalid_types"  # conversations.list users.conversations
IS_ARCHIVED = "is_archived"  # chat.* reactions.add
MARKDOWN_TEXT_CONFLICT = "markdown_text_conflict"  # chat.{postEphemeral,postMessage,update}
MESSAGE_NOT_FOUND = "message_not_found"  # assistant.threads.setSuggestedPrompts chat.* reactions.{add,remove}
MESSAGE_NOT_IN_STREAMING_STATE = "message_not_in_streaming_state"  # chat.{appendStream,stopStream}
MESSAGE_NOT_OWNED_BY_APP = "message_not_owned_by_app"  # chat.{appendStream,stopStream}
METADATA_TOO_LARGE = "metadata_too_large"  # chat.*
METHOD_NOT_SUPPORTED_FOR_CHANNEL_TYPE = "method_not_supported_for_channel_type"  # conversations.* users.*
MISSING_ARGUMENT = "missing_argument"  # conversations.list users.{conversations,list}
MISSING_RECIPIENT_TEAM_ID = "missing_recipient_team_id"  # chat.startStream
MISSING_RECIPIENT_USER_ID = "missing_recipient_user_id"  # chat.startStream
MSG_BLOCKS_TOO_LONG = "msg_blocks_too_long"  # chat.*
MSG_BLOCKS_TOO_MANY = "msg_blocks_too_many"  # chat.{appendStream,startStream,stopStream}
MSG_TOO_LONG = "msg_too_long"  # chat.{postEphemeral,update}
NO_ITEM_SPECIFIED = "no_item_specified"  # reactions.{add,remove}
NO_REACTION = "no_reaction"  # reactions.remove
NO_TEXT = "no_text"  # chat.*
NOT_ENABLED = "not_enabled"  # views.publish
NOT_FOUND = "not_found"  # views.{push,update}
NOT_IN_CHANNEL = "not_in_channel"  # chat.* conversations.history files.completeUploadExternal
PUSH_LIMIT_REACHED = "push_limit_reached"  # views.push
STOPPED_BY_USER = "stopped_by_user"  # chat.appendStream
STREAMING_STATE_CONFLICT = "streaming_state_conflict"  # chat.update
THREAD_NOT_FOUND = "thread_not_found"  # conversations.replies
USER_NOT_FOUND = "user_not_found"  # chat.startStream conversations.open users.info
USER_NOT_IN_CHANNEL = "user_not_in_channel"  # chat.postEphemeral
USERS_LIST_NOT_SUPPLIED = "users_list_not_supplied"  # conversations.open
VIEW_TOO_LARGE = "view_too_large"  # views.*

# Of no method's page.
EXPIRED_URL = "expired_url"  # docs.slack.dev/interactivity/handling-user-interaction
INVALID_ERRORS = "invalid_errors"  # believed
INVALID_JSON = "invalid_json"  # docs.slack.dev/apis/web-api/using-the-slack-web-api, bodies in JSON
INVALID_URL = "invalid_url"  # believed
SESSION_NOT_FOUND = "session_not_found"  # believed: methods/agents.sessions.rename has no page yet
UNKNOWN_METHOD = "unknown_method"  # observed: what slack.com answers to a misspelt method
USED_URL = "used_url"  # docs.slack.dev/interactivity/handling-user-interaction
