"""Who asks, as the provider may know it: one opaque identifier for each person of a team, and nothing else.

Providers ask for one so that they can act against one abuser instead of a whole account. It is a keyed hash:
nobody outside of this installation can tell whose it is, or try out ids of Slack's.
Source: OpenAI API reference, `safety_identifier` (at most 64 characters), which took the place of `user`.
"""

from __future__ import annotations

import hmac
from collections.abc import Collection, Mapping
from hashlib import sha256

from bot.core.settings import Settings
from bot.core.values import Scope

# By endpoint, what it may be called there, the newest name first. Recordings take none.
NAMES: Mapping[str, tuple[str, ...]] = {
    "/chat/completions": ("safety_identifier", "user"),
    "/responses": ("safety_identifier", "user"),
    "/completions": ("user",),
    "/embeddings": ("user",),
    "/decisions": ("safety_identifier",),
}
_PURPOSE = b"parley: safety identifier"
LENGTH = 32  # hexadecimal digits


class SafetyIdentifiers:
    """The identifiers of one installation; their key comes from a secret that the provider never sees."""

    def __init__(self, settings: Settings) -> None:
        secret = settings.slack_bot_token or settings.slack_signing_secret
        self._key = hmac.digest(secret.encode(), _PURPOSE, "sha256") if secret else b""

    def parameters(
        self, path: str, scope: Scope, *, refused: Collection[str] = (), given: Collection[str] = ()
    ) -> dict[str, str]:
        """The parameter that a request carries; none where no person asks, where the model `refused` each, or
        where the operator has `given` one."""
        names = NAMES.get(path, ())
        name = next((name for name in names if name not in refused), "")
        if not (name and scope.user and self._key) or not set(names).isdisjoint(given):
            return {}
        return {name: self.identify(scope.team, scope.user)}

    def identify(self, team: str, person: str) -> str:
        """The same for the same person as long as the installation keeps its secret."""
        return hmac.new(self._key, f"{team}\n{person}".encode(), sha256).hexdigest()[:LENGTH]
