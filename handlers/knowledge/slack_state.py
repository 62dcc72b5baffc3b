"""What Slack says now of a file, a channel and a person: asked when it matters, kept nowhere."""

from __future__ import annotations

from bot.core.errors import SlackRefused
from bot.knowledge.sources import ChannelState, FileSharing
from handlers.slack.client import SlackClient
from handlers.slack.payloads import file_from

GONE = frozenset({"file_not_found", "file_deleted"})
NO_USER = frozenset({"user_not_found", "users_not_found", "user_not_visible"})
NO_CHANNEL = frozenset({"channel_not_found", "not_in_channel", "is_archived"})


class SlackState:
    """Questions about what documents depend on. Everything may raise SlackUnavailable."""

    def __init__(self, slack: SlackClient) -> None:
        self._slack = slack

    async def find_sharing(self, file: str) -> FileSharing | None:
        """Where a file is shared now; None when it is gone."""
        try:
            told = (await self._slack.get("files.info", file=file))["file"]
        except SlackRefused as exc:
            if exc.code in GONE:
                return None
            raise
        if told.get("mode") == "tombstone":
            return None
        kinds = (told.get("channels"), told.get("groups"), told.get("ims"))
        shares = (told.get("shares") or {}).values()
        places = {id for kind in (*kinds, *shares) for id in kind or ()}
        return FileSharing(file_from(told), frozenset(places), str(told.get("permalink") or ""))

    async def find_channel_state(self, channel: str) -> ChannelState:
        """What Slack tells of a channel."""
        try:
            told = (await self._slack.get("conversations.info", channel=channel))["channel"]
        except SlackRefused as exc:
            if exc.code in NO_CHANNEL:
                return ChannelState(there=False)
            raise
        return ChannelState(
            archived=bool(told.get("is_archived")),
            private=bool(told.get("is_private") or told.get("is_mpim") or told.get("is_im")),
            external=bool(told.get("is_ext_shared") or told.get("is_pending_ext_shared")),
        )

    async def has_left(self, user: str) -> bool:
        """Whether somebody's account is closed."""
        try:
            return bool((await self._slack.get("users.info", user=user))["user"].get("deleted"))
        except SlackRefused as exc:
            return exc.code in NO_USER
