"""Takes keys, tokens and passwords out of a text, for the log and for whatever leaves Parley.

Two nets: the shapes that known services give their secrets, and the very values this process was started
with. A shape never reaches over a blank (but for private keys in `redact_all`), so a text can be redacted
word by word as it comes.
"""

from __future__ import annotations

import re
from collections.abc import Collection

REDACTED = "[redacted]"

# Sources: docs.slack.dev (token types), GitHub secret scanning patterns, AWS IAM identifiers, the pages of
# each service on its API keys, RFC 7519 (JWT), RFC 3986 (userinfo). Each begins with letters that are rare in
# prose, and no two quantifiers compete, so a scan is linear.
_SHAPES = (
    r"xox[a-z]-[A-Za-z0-9-]{10,}",  # Slack: bot, user, app-refresh, legacy
    r"xox[a-z]\.xox[a-z]-[A-Za-z0-9-]{10,}",  # Slack: rotated
    r"xapp-[A-Za-z0-9-]{10,}",
    r"https://hooks\.slack(?:-gov)?\.com/[A-Za-z0-9._~/?#&=%+-]+",  # incoming webhooks, response_url
    r"https://files\.slack\.com/upload/[A-Za-z0-9._~/?#&=%+-]+",
    r"sk-[A-Za-z0-9_-]{20,}",  # OpenAI, Anthropic, OpenRouter
    r"sess-[A-Za-z0-9]{32,}",
    r"gh[pousr]_[A-Za-z0-9]{30,}",
    r"github_pat_[A-Za-z0-9_]{30,}",
    r"glpat-[A-Za-z0-9_-]{18,}",
    r"(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])",
    r"AIza[A-Za-z0-9_-]{35}",
    r"ya29\.[A-Za-z0-9_-]{20,}",
    r"[rs]k_(?:live|test)_[A-Za-z0-9]{16,}",
    r"whsec_[A-Za-z0-9]{16,}",
    r"SG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}",  # SendGrid
    r"hf_[A-Za-z0-9]{30,}",
    r"gsk_[A-Za-z0-9]{30,}",  # Groq
    r"xai-[A-Za-z0-9]{30,}",
    r"npm_[A-Za-z0-9]{30,}",
    r"pypi-[A-Za-z0-9_-]{30,}",
    r"dop_v1_[a-f0-9]{60,}",
    r"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}",  # JWT
    r"MI[IGH][A-Za-z0-9+/]{60,}={0,2}",  # the beginning of a key in DER
)
_SHAPE = re.compile(
    rf"(?<![A-Za-z0-9])(?:{'|'.join(_SHAPES)})"
    r"|(?P<before>://[^\s/?#:@<>|]{0,256}:)[^\s/?#@<>|]{1,256}(?=@)"  # the password of a database or a proxy
)
# Without one of these there is no secret: nearly every word is done with here.
_MAYBE = re.compile(r"[!-~]{15}|://")
# A private key in the lines of its armour.
KEY_BEGINS = re.compile(r"PRIVATE KEY(?: BLOCK)?-----\Z|\AKEY-----\Z")
KEY_LINE = re.compile(r"[ \t]*(?:[A-Za-z0-9+/=]{16,}|[A-Za-z0-9-]+: .*)?[ \t]*")
_KEY = re.compile(
    r"(-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----)[A-Za-z0-9+/=\s\\:,-]*?(?=-----END|\Z)"
)


def redact(text: str) -> str:
    """The text with "[redacted]" for everything that has the shape of a secret."""
    if _MAYBE.search(text) is None:
        return text
    return _SHAPE.sub(lambda secret: (secret["before"] or "") + REDACTED, text)


def redact_all(text: str, values: Collection[str] = ()) -> str:
    """`redact`, private keys in full, and the given values wherever they stand."""
    for value in values:
        text = text.replace(value, REDACTED)
    return redact(_KEY.sub(rf"\1{REDACTED}", text))
