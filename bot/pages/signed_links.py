"""Signed links that stop working: who may open a page without a password, and until when.

A link carries team, user and the moment it ends, under an HMAC. What its bearer may see is decided when it is
opened, from what that user may see then.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac

import orjson

from bot.core.errors import NotPermitted

LIFE_S = 900.0


def sign(secret: bytes, team: str, user: str, *, now: float, life_s: float = LIFE_S) -> str:
    """A token for a URL. `now` in unix seconds."""
    body = orjson.dumps([team, user, now + life_s])
    return f"{_text(body)}.{_text(_mac(secret, body))}"


def verify(secret: bytes, token: str, *, now: float) -> tuple[str, str]:
    """(team, user) of a token; NotPermitted when it is not ours or too old."""
    body, _, mac = token.partition(".")
    try:
        read = _bytes(body)
        genuine = hmac.compare_digest(_mac(secret, read), _bytes(mac))
    except (ValueError, binascii.Error):
        genuine = False
    if not genuine:
        raise NotPermitted("this link is not one of mine")
    team, user, ends = orjson.loads(read)
    if now >= ends:
        raise NotPermitted("this link has ended; ask me for a new one in Slack")
    return team, user


def _mac(secret: bytes, body: bytes) -> bytes:
    return hmac.new(secret, b"usage page\0" + body, hashlib.sha256).digest()


def _text(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def _bytes(text: str) -> bytes:
    return base64.b64decode(text.encode("ascii") + b"=" * (-len(text) % 4), altchars=b"-_", validate=True)
