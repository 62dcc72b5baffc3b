"""Which addresses in a model's text may be links, and how the others are shown.

A link may point only to what somebody vouched for: any address of a host on the operator's list
("docs.example" among `hosts`), and the very addresses in the asker's own message ("docs.example/a?b"), for a
host that was only mentioned could still be told things in a path. Of any other address the registrable host
is shown, broken up so that no client makes a link of it ("evil[.]example"); user name, subdomain, port, path,
query and fragment are dropped, for they can carry what the model read. What counts as an address without a
scheme is decided by its ending.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from importlib.resources import files

# Scripts written without blanks. They end a host, so that a sentence can be shown before it is complete.
WIDE = "\u2e80-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# Full-width and half-width forms of the dot count, as they do in browsers (UTS 46).
DOT = ".\uff0e\uff61"
_WORD = r"[\w\u200e\u200f\u061c-]"
_LETTER = rf"(?:(?![{WIDE}]){_WORD})"
DOTTED = rf"(?:(?<!{_WORD}){_LETTER}+|(?<=[{WIDE}]){_LETTER}*)(?:[{DOT}](?=[^\W_]){_LETTER}+)+"

# Source: IANA, tlds-alpha-by-domain.txt. Two letters (countries) and xn-- are recognised by their form.
ENDINGS = frozenset(files("handlers.slack").joinpath("top_level_domains.txt").read_text("ascii").split())
# Names that never resolve or only inside a company. Source: RFC 6761, RFC 7686, RFC 9476, ICANN (internal).
RESERVED = frozenset(
    [
        "example",
        "test",
        "invalid",
        "localhost",
        "local",
        "onion",
        "alt",
        "internal",
        "intranet",
        "lan",
        "corp",
        "home",
    ]
)
# Endings of files people talk about that are endings of hosts too: "README.md" stays, "x.readme.md" does not.
FILES = frozenset(
    ["py", "md", "rs", "sh", "pl", "cc", "java", "so", "zip", "mov", "tf", "ml", "mm", "ps", "pm"]
)

NOWHERE = "‹link removed›"
CLOSING = ".,;:!?'*_~-"

_INSIDE = r"[^\s<>|`\"()\[\]]"
_REST = rf"(?:[/?#\\](?:{_INSIDE}|\({_INSIDE}*\)|\[{_INSIDE}*\](?!\())*)?"
_AFTER_SCHEME = re.compile(rf"(?P<authority>(?:[^\s/?#<>|`\")\[\]]|\[[^\s\[\]]*\])*)(?P<rest>{_REST})")
_AFTER_HOST = re.compile(rf"(?P<port>(?::\d+)?)(?P<rest>{_REST})")
_CLEAN = re.compile(r"([\w.-]+?)\.?(?::\d{1,5})?")
_MARKS = re.compile("[\u200e\u200f\u061c]")
_RUN, _OPENS, _LABEL_AFTER_DOT = map(re.compile, (r"[\w.*~-]+", r"(?<!\w)[*_~]", r"\.([A-Za-z]{2,24})"))
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_SCHEME_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+.-"


@dataclass(frozen=True, slots=True)
class Address:
    """A piece of text that clients may turn into a link, and what to show when they must not."""

    start: int
    end: int
    allowed: bool
    shown: str


def find_with_scheme(text: str, colon: int, hosts: Collection[str], *, after: int = 0) -> Address:
    """The address whose "://" is at `colon`; its scheme begins no earlier than `after`."""
    before = text[after:colon]
    scheme = before[len(before.rstrip(_SCHEME_LETTERS)) :]
    found = _AFTER_SCHEME.match(text, colon + 3)
    assert found is not None
    authority = found["authority"] if found["rest"] else found["authority"].rstrip(CLOSING)
    clean = _CLEAN.fullmatch(authority)
    allowed = (
        scheme.lower() in ("http", "https")
        and clean is not None
        and (clean[1].lower() in hosts or normalise_address(authority, found["rest"]) in hosts)
        and _is_one_address(found["rest"])
    )
    return Address(
        colon - len(scheme), found.end(), allowed, defang_host(authority) + _closing_marks(found[0])
    )


def find_without_scheme(text: str, run: re.Match[str], hosts: Collection[str]) -> Address | None:
    """The address that a dotted run of letters begins, or None when no client would make a link of it."""
    after = _AFTER_HOST.match(text, run.end())
    assert after is not None
    name = run[0].strip("_-")
    host = _fold_host(name)
    labels = host.split(".")
    ending = _read_ending(labels[-1])
    path = after["rest"]
    odd = name.count(".") + 1 < len(labels) or _MARKS.search(name)  # written for one purpose only
    likely = not ending.isdigit() if odd else ending.isalpha() and len(ending) > 1 and len(path) > 1
    if not (likely or _is_ending(ending, len(labels))):
        return None
    if len(labels) == 2 and not after[0] and ending in FILES and not odd:
        return None
    first = run.start() + run[0].index(name)
    before = text[run.start() - 1 : run.start()]
    apart = not before.isalnum() and before not in ("\\", *DOT)  # "你ok.example" is not "ok.example"
    vouched = host in hosts or normalise_address(host + after["port"], path) in hosts
    allowed = apart and vouched and _is_one_address(path)
    labels[-1] = ending
    seen = defang_host(".".join(labels)) if labels[0] else f"[.]{ending}"
    return Address(first, after.end(), allowed, seen + _closing_marks(text[first : after.end()]))


def normalise_address(authority: str, rest: str) -> str:
    """An address without scheme and closing marks, to be compared: "docs.example/a?b"."""
    return f"{authority.lower()}{rest.rstrip(CLOSING) or '/'}"


def defang_host(authority: str) -> str:
    """The registrable host of an authority, dots broken: "a.evil.example:80" is "evil[.]example".

    Two labels, three where the second is that of a country's registry ("co.uk"). International names are
    shown in their ASCII form, as what they are. What has no such host is only said to have been there.
    """
    host = _fold_host(authority.rpartition("@")[2].partition(":")[0]).strip(".")
    labels = host.split(".")
    try:
        labels = [label.encode("idna").decode("ascii") for label in labels]
    except UnicodeError:
        return NOWHERE
    if len(labels) < 2 or not all(_LABEL.fullmatch(label) for label in labels):
        return NOWHERE
    if all(label.isdigit() for label in labels):
        return "[.]".join(labels) if len(labels) == 4 else NOWHERE
    by_country = len(labels[-1]) == 2 and len(labels[-2]) <= 3
    return "[.]".join(labels[-3 if by_country else -2 :])


def _is_one_address(rest: str) -> bool:
    """Is this certainly the rest of one address, and not the beginning of another?

    Emphasis inside an address would part it: in "ok.example/_evil.example_" two addresses could be seen.
    """
    if "://" in rest or "\\" in rest:
        return False
    for run in _RUN.findall(rest):
        if opens := _OPENS.search(run):
            endings = set(_LABEL_AFTER_DOT.findall(run, opens.start())) - FILES
            if any(_is_ending(ending.lower(), 2) for ending in endings):
                return False
    return True


def _fold_host(host: str) -> str:
    if not host.isascii():
        host = unicodedata.normalize("NFKC", _MARKS.sub("", host))
        host = host.replace("\u3002", ".")
    return host.lower()


def _read_ending(label: str) -> str:
    """The last label as far as a client would read it: "example_" ends in "example"."""
    return label.partition("_")[0].rstrip("-")


def _is_ending(label: str, labels: int) -> bool:
    if not label.isascii():
        return labels > 2 and label.isalpha()
    country = len(label) == 2 and label.isalpha()
    return country or label in ENDINGS or label in RESERVED or label.startswith("xn--")


def _closing_marks(address: str) -> str:
    """The punctuation at the end of an address, which belongs to the sentence."""
    return address[len(address.rstrip(CLOSING)) :]
