"""Tags that requests carry so that a gateway's own reports add up by team, channel and kind.

Each is a keyed hash: whoever reads the gateway's log learns no id of Slack's, and no guess can be tried
without the operator's key. `parley reconcile --tags` says which is which. Without a key there are none.
"""

from __future__ import annotations

import hmac
from collections.abc import Mapping
from hashlib import sha256

from bot.core.values import Scope

# Source: docs.litellm.ai, proxy, request headers, October 2026: a list separated by commas.
HEADER = "x-litellm-tags"
LENGTH = 16  # hexadecimal digits
NONE: Mapping[str, str] = {}


class Tags:
    """The tags under one key."""

    def __init__(self, key: str) -> None:
        self._key = key.encode()

    def headers(self, scope: Scope) -> Mapping[str, str]:
        """What a request carries."""
        if not self._key:
            return NONE
        tags = (
            self.make("team", scope.team),
            self.make("channel", scope.team, scope.channel),
            self.make("kind", scope.kind),
        )
        return {HEADER: ",".join(tags)}

    def make(self, *what: str) -> str:
        """The tag of a team, of a channel in a team, or of a kind of request."""
        digest = hmac.new(self._key, "\n".join(what).encode(), sha256).hexdigest()
        return f"parley-{what[0]}-{digest[:LENGTH]}"
