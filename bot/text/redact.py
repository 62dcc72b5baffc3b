"""Takes keys, tokens and passwords out of a text, for the log and for whatever leaves Parley.

Three nets: the shapes that known services give their secrets; what headers carry (bearer tokens, cookies,
signatures), whatever its shape; and the very values this process was started with. A shape never reaches over
a blank, so a text can be redacted word by word as it comes; a `Redactor` remembers the header it is in.
What is shown to people loses what is clearly a secret, a log everything that may be one (`redact_all`).
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass

REDACTED = "[redacted]"

# Sources: docs.slack.dev (token types), GitHub secret scanning patterns, AWS IAM identifiers, the pages of
# each service on its API keys, RFC 7519 (JWT), RFC 3986 (userinfo). Each begins with letters that are rare in
# prose, and no two quantifiers compete, so a scan is linear.
_SHAPES = (
    r"xoxd-[A-Za-z0-9%+/=_-]{10,}",  # Slack: the cookie of a session
    r"xox[a-z]-[A-Za-z0-9-]{10,}",  # Slack: bot, user, app-refresh, legacy
    r"xox[a-z]\.xox[a-z]-[A-Za-z0-9-]{10,}",  # Slack: rotated
    r"x(?:app|wfp)-[A-Za-z0-9-]{10,}",  # Slack: app-level, workflow
    r"(?<=pub_secret=)[A-Za-z0-9]{8,}",  # Slack: a file that whoever has its address may see
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
    r"AQ\.[A-Za-z0-9_-]{30,}",  # Google, since 2025
    r"[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{20,}",  # Azure AI
    r"ABSK[A-Za-z0-9+/]{60,}={0,2}",  # Amazon Bedrock
    r"pplx-[A-Za-z0-9]{40,}",  # Perplexity
    r"nvapi-[A-Za-z0-9_-]{40,}",
    r"csk-[A-Za-z0-9]{40,}",  # Cerebras
    r"tgp_v1_[A-Za-z0-9_-]{30,}",  # Together
    r"r8_[A-Za-z0-9]{30,}",  # Replicate
    r"fw_[A-Za-z0-9]{20,}",  # Fireworks
    r"tvly-(?:[a-z]{1,8}-)?[A-Za-z0-9_-]{20,}",  # Tavily
    r"npm_[A-Za-z0-9]{30,}",
    r"pypi-[A-Za-z0-9_-]{30,}",
    r"dop_v1_[a-f0-9]{60,}",
    r"eyJ[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{10,}\.[A-Za-z0-9_-]{5,}",  # JWT
    r"MI[IGH][A-Za-z0-9+/]{60,}={0,2}",  # the beginning of a key in DER
    r"v0=[a-f0-9]{64}(?![a-f0-9])",  # Slack: a signature
    r"sha(?:1|256|512)=[a-f0-9]{40,128}(?![a-f0-9])",  # GitHub and others: signatures of webhooks
)
# In an address, what opens a door for whoever has it: Socket Mode's tickets, signed links, tokens.
_OPENERS = (
    r"ticket|token|access[_-]token|refresh[_-]token|id[_-]token|api[_-]?key|client[_-]secret|secret|password"
    r"|sig|signature|x-amz-signature|x-amz-security-token|x-goog-signature"
)
# Headers in which vendors take a key.
_KEY_NAMES = r"(?:x-(?:goog-)?)?api-key|(?:ocp-apim-|x-)subscription-(?:key|token)"
# A secret begins a word, or stands behind what an address or a program writes for a sign (%3D, \n, \u0022).
_BEGINS = r"(?:(?<![A-Za-z0-9])|(?<=%[0-9A-Fa-f]{2})|(?<=\\[nrt])|(?<=\\x[0-9a-f]{2})|(?<=\\u00[0-9a-f]{2}))"
_SHAPE = re.compile(
    rf"{_BEGINS}(?:{'|'.join(_SHAPES)})"
    r"|(?P<before>://[^\s/?#:@<>|]{0,256}:)[^\s/?#@<>|]{1,256}(?=@)"  # the password of a database or a proxy
    rf"|(?P<header>(?i:{_KEY_NAMES})['\"`]?[:=]['\"`]?)(?=[^\s\d:]{{0,99}}\d)[A-Za-z0-9._~+/-]{{20,}}=*"
    rf"|(?P<opener>(?:[?&;]|%3[Ff]|%26)(?i:{_OPENERS})(?:=|%3[Dd]))"
    r"[A-Za-z0-9._~%+/=-]{11,}[A-Za-z0-9_~%+/=-]"
)
# What a word that carries a secret may come after.
_BEARER, _COOKIE, _SCHEME = "bearer", "cookie", "authorization"
_HEADER = re.compile(r"bearer|cookie|authorization|api-key|subscription", re.IGNORECASE)
_WORDS = re.compile(r"(\s+)")
_IS_BEARER = re.compile(rf"""(?:\A|[^\w])(?:bearer|(?:{_KEY_NAMES})['"`]?[:=]['"`]?)\Z""", re.IGNORECASE)
_IS_SCHEME = re.compile(r"""(?:\A|[^\w])authorization['"`]?[:=]['"`]?\Z""", re.IGNORECASE)
_IS_COOKIE = re.compile(r"""(?:\A|[^\w-])(?:set-)?cookie['"]?[:=]['"]?\Z""", re.IGNORECASE)
# Nobody's word: long, and with a number in it (`_hide_numbered`).
_TOKEN = re.compile(r"""(?P<before>)(?P<value>[A-Za-z0-9._~+/-]{19,}[A-Za-z0-9_~+/-]=*)""")
_PAIR = re.compile(r"""(?P<before>[\w.$!#%&*+^|~-]{1,100}=)(?P<value>[^\s;'"`,]{16,})""")
# What a log may be asked for by a client library: headers as lines, in a dict, as pairs, as bytes.
_NAMES = (
    r"(?:proxy-)?authorization|(?:set-)?cookie|x-slack-signature|x-hub-signature(?:-256)?|[a-z-]{0,40}api-key"
    r"|(?:ocp-apim-|x-)subscription-(?:key|token)|x-amz-security-token"
)
_SECRET_NAMES = (
    rf"{_OPENERS}|signing[_-]secret|bot[_-]token|app[_-]token|verification[_-]token|private[_-]key|passwd"
    r"|access[_-]key"
)
_IN_LOGS = re.compile(
    rf"""(?P<quoted>\b(?:{_NAMES})\\?['"]\s*[:=,]\s*b?\\?(?P<quote>['"]))(?:(?!(?P=quote)).)*"""
    rf"""|(?P<plain>\b(?:{_NAMES})\s*[:=]\s*)[^\r\n]+"""
    r"""|(?P<bearer>\bbearer\s+)[A-Za-z0-9._~+/=-]{4,}"""
    r"""|(?P<basic>\bbasic\s+)(?=\S*(?-i:[A-Z0-9=]))[A-Za-z0-9+/]{8,}={0,2}"""
    rf"""|(?P<named>(?<![A-Za-z])(?:{_SECRET_NAMES})\\?['"]?\s*[:=]\s*b?\\?['"]?)"""
    r"""(?=[^\s'",&]{0,99}\d)[^\s'",&;)}\]\[\\]{8,}""",
    re.IGNORECASE,
)
# Without one of these there is no secret: nearly every word is done with here.
_MAYBE = re.compile(r"[!-~]{15}|://")
# A private key in the lines of its armour.
KEY_BEGINS = re.compile(r"PRIVATE KEY(?: BLOCK)?-----\Z|\AKEY-----\Z")
KEY_LINE = re.compile(r"[ \t]*(?:[A-Za-z0-9+/=]{16,}|[A-Za-z0-9-]+: .*)?[ \t]*")
_KEY = re.compile(
    r"(-----BEGIN [A-Z ]{0,40}PRIVATE KEY(?: BLOCK)?-----)[A-Za-z0-9+/=\s\\:,-]*?(?=-----END|\Z)"
)


@dataclass(slots=True)
class Redactor:
    """Redacts one text as it comes, in pieces that end at blanks."""

    _after: str = ""  # the header whose value comes now

    def redact(self, text: str) -> str:
        """The piece with "[redacted]" for every secret in it."""
        if not self._after and _HEADER.search(text) is None:
            return _redact_shapes(text)
        return "".join(word if word.isspace() else self._redact_word(word) for word in _WORDS.split(text))

    @property
    def waits(self) -> bool:
        """Whether the next word may be a secret for what stands before it."""
        return bool(self._after)

    def _redact_word(self, word: str) -> str:
        if not word:
            return word
        after, self._after = self._after, ""
        shown = _redact_shapes(word)
        if after == _SCHEME and word.isalpha():
            self._after = _BEARER  # of whatever scheme: Basic, Token, ApiKey
        elif after in (_BEARER, _SCHEME):
            shown = _TOKEN.sub(_hide_numbered, shown)
        elif after == _COOKIE:
            shown = _PAIR.sub(_hide_numbered, shown)
            self._after = _COOKIE if word.endswith(";") else ""
        if _IS_BEARER.search(word):
            self._after = _BEARER
        elif _IS_COOKIE.search(word):
            self._after = _COOKIE
        elif _IS_SCHEME.search(word):
            self._after = _SCHEME
        return shown


def redact(text: str) -> str:
    """The text with "[redacted]" for everything that is clearly a secret."""
    return Redactor().redact(text)


def redact_all(text: str, values: Collection[str] = ()) -> str:
    """`redact`, private keys in full, what stands behind headers and names of secrets, and the given values
    wherever they are."""
    for value in values:
        text = text.replace(value, REDACTED)
    return redact(_IN_LOGS.sub(_keep_name, _KEY.sub(rf"\1{REDACTED}", text)))


def _redact_shapes(text: str) -> str:
    if _MAYBE.search(text) is None:
        return text
    return _SHAPE.sub(_keep_name, text)


def _keep_name(secret: re.Match[str]) -> str:
    """What stands before a secret stays."""
    kept = (secret[name] for name in secret.re.groupindex if name != "quote" and secret[name])
    return next(kept, "") + REDACTED


def _hide_numbered(secret: re.Match[str]) -> str:
    """A pattern that itself looks ahead for a number takes seconds for a long word without one."""
    numbered = any(character.isdecimal() for character in secret["value"])
    return secret["before"] + REDACTED if numbered else secret[0]
