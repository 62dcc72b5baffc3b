"""Which addresses in a model's text may be links, and where the others are kept from becoming one.

Words are never changed: an address that must not be a link is shown letter for letter, and holds an unseen
joiner (U+2060) at each place without which no client takes it for an address. A link may point only to what
somebody vouched for: any address of a host on the operator's list ("docs.example" among `vouched`), and the
very addresses that people wrote ("docs.example/a?b", "bob@docs.example"), for a host that was only mentioned
could still be told things in a path. What counts as an address without a scheme is decided by its ending.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import unquote

from bot.text.invisible import strip_hidden

# What keeps a client from making a link, and is not seen. Source: Unicode 17, WORD JOINER.
JOINER = "\u2060"

# Scripts written without blanks. They end a host, so that a sentence can be shown before it is complete.
WIDE = "\u2e80-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
# Full-width and half-width forms of the dot count, as they do in browsers (UTS 46).
DOT = ".\u3002\uff0e\uff61"
_WORD = r"[\w\u200e\u200f\u061c-]"
_LETTER = rf"(?:(?![{WIDE}]){_WORD})"
_LABELS = rf"(?:[{DOT}](?=[^\W_]){_LETTER}+)"
# Behind a wide letter the full stop of its script ends a sentence; any other dot goes on with a host.
DOTTED = rf"(?:(?:(?<!{_WORD})|(?<=[{WIDE}])){_LETTER}+{_LABELS}|(?<=[{WIDE}])(?!\u3002){_LABELS}){_LABELS}*"
# What stands before the host of a mail address. The bound is RFC 5321's.
MAILBOX = r"(?<![\w.+%-])[\w+%-][\w.+%-]{0,63}@"

# Names that never resolve or only inside a company. Source: RFC 6761, RFC 7686, RFC 9476, ICANN (internal).
RESERVED = frozenset(
    {"example", "test", "invalid", "localhost", "local", "onion", "alt"}
    | {"internal", "intranet", "lan", "corp", "home"}
)
CLOSING = ".,;:!?'*_~-“”‘’«»„。，、；：！？」』）】》"
NESTED_TIMES = 3  # how often an address is decoded to find another one in it

_INSIDE = r"[^\s<>|`\"()\[\]]"
_REST = rf"(?:[/?#\\](?:{_INSIDE}|\({_INSIDE}*\)|\[{_INSIDE}*\](?!\())*)?"
_AFTER_SCHEME = re.compile(rf"(?P<authority>(?:[^\s/?#<>|`\")\[\]]|\[[^\s\[\]]*\])*)(?P<rest>{_REST})")
_AFTER_HOST = re.compile(rf"(?P<port>(?::\d+)?)(?P<rest>{_REST})")
_CLEAN = re.compile(r"([\w.-]+?)\.?(?::\d{1,5})?")
_MARKS = re.compile("[\u200e\u200f\u061c]")
_RUN, _OPENS, _LABEL_AFTER_DOT = map(re.compile, (r"[\w.*~-]+", r"(?<!\w)[*_~]", r"\.([A-Za-z]{2,24})"))
_SCHEME_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+.-"
# The places in an address behind which a joiner stops every reader.
_JOINTS = re.compile(rf":(?=/)|/(?=/)|[{DOT}](?=\w)|[@\uff20](?=\w)|\](?=[(:])|!(?=\[)|&(?=[#\w])")
_HOST = re.compile(DOTTED)
_WRITTEN = re.compile(rf"(?P<scheme>://)|(?P<mailbox>{MAILBOX})(?={DOTTED})|(?P<host>{DOTTED})")


def _read_endings() -> frozenset[str]:
    """The endings that are assigned, from the list that tldextract ships (Mozilla's public suffixes).

    Read as a file: importing the package takes as long as a whole start of ours.
    """
    package = find_spec("tldextract")
    origin = package.origin if package else None
    assert origin is not None
    listed = Path(origin).with_name(".tld_set_snapshot").read_text("utf-8")
    assigned, _, _ = listed.partition("// ===END ICANN DOMAINS===")
    rules = (line for line in assigned.splitlines() if line and not line.startswith("//"))
    return frozenset(rule.rpartition(".")[2] for rule in rules)


ENDINGS = _read_endings()


@dataclass(frozen=True, slots=True)
class Address:
    """A piece of text that clients may turn into a link, and whether they may. `name` is what it is vouched
    for by: without its scheme and closing marks."""

    start: int
    end: int
    allowed: bool
    name: str


def find_with_scheme(text: str, colon: int, vouched: Collection[str], *, after: int = 0) -> Address:
    """The address whose "://" is at `colon`; its scheme begins no earlier than `after`."""
    before = text[max(after, colon - 32) : colon]
    scheme = before[len(before.rstrip(_SCHEME_LETTERS)) :]
    found = _AFTER_SCHEME.match(text, colon + 3)
    assert found is not None
    authority = found["authority"] if found["rest"] else found["authority"].rstrip(CLOSING)
    clean = _CLEAN.fullmatch(authority)
    name = normalise_address(authority, found["rest"])
    allowed = (
        scheme.lower() in ("http", "https")
        and clean is not None
        and (name in vouched or (clean[1].lower() in vouched and _is_one_address(found["rest"])))
    )
    return Address(colon - len(scheme), found.end(), allowed, name)


def find_without_scheme(text: str, run: re.Match[str], vouched: Collection[str]) -> Address | None:
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
    if not (likely or labels[0] == "www" or _is_ending(ending, len(labels))):
        return None
    first = run.start() + run[0].index(name)
    before = text[run.start() - 1 : run.start()]
    apart = not before.isalnum() and before not in ("\\", *DOT)  # "你ok.example" is not "ok.example"
    address = normalise_address(host + after["port"], path)
    allowed = apart and (address in vouched or (host in vouched and _is_one_address(path)))
    return Address(first, after.end(), allowed, address)


def find_mail(text: str, mailbox: re.Match[str], vouched: Collection[str]) -> Address | None:
    """The mail address that a mailbox and its "@" begin; None when its host is none."""
    run = _HOST.match(text, mailbox.end())
    host = None if run is None else find_without_scheme(text, run, ())
    if run is None or host is None:
        return None
    name = f"{mailbox[0]}{run[0]}".lower()
    alone = text[run.end() : host.end].strip(CLOSING) == ""
    return Address(mailbox.start(), host.end, alone and name in vouched, name)


def find_joints(text: str, start: int, end: int) -> Iterator[int]:
    """Where in this part of a text a joiner has to stand, so that nothing in it becomes a link."""
    return (joint.end() for joint in _JOINTS.finditer(text, start, end))


def list_addresses(text: str) -> Iterator[str]:
    """The addresses in what a person wrote, as `vouched` names them, and the front pages of their hosts.

    Whoever writes an address vouches for it, and for nothing that could be added to it.
    """
    at = 0
    text = strip_hidden(text)
    while found := _WRITTEN.search(text, at):
        address: Address | None
        if found["scheme"]:
            address = find_with_scheme(text, found.start(), (), after=at)
        elif found["mailbox"]:
            address = find_mail(text, found, ())
        else:
            address = find_without_scheme(text, found, ())
        at = found.end() if address is None else max(address.end, found.end())
        if address is not None:
            yield address.name
            if "@" not in address.name:
                yield address.name.partition("/")[0].partition("?")[0].partition("#")[0] + "/"


def normalise_address(authority: str, rest: str) -> str:
    """An address without scheme and closing marks, to be compared: "docs.example/a?b"."""
    return f"{authority.lower()}{rest.rstrip(CLOSING) or '/'}"


def _is_one_address(rest: str) -> bool:
    """Is this certainly the rest of one address, and not the beginning of another?

    One that is encoded inside is another too: a page that leads on to it would be told what is in it.
    Emphasis inside an address would part it: in "ok.example/_evil.example_" two addresses could be seen.
    """
    for _ in range(NESTED_TIMES):
        if "//" in rest or "\\" in rest:
            return False
        rest = unquote(rest)
    for run in _RUN.findall(rest):
        if opens := _OPENS.search(run):
            endings = _LABEL_AFTER_DOT.findall(run, opens.start())
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
    known = label in ENDINGS or label in RESERVED or label.startswith("xn--")
    return known or (not label.isascii() and labels > 2 and label.isalpha())
