"""The one reader of a message, whoever wrote it: used when it arrives and when a thread is read.

A message is in four places at once: its text, its blocks, its attachments and its files. What its author
wrote, pasted or posted becomes `text`, what others wrote and came along (forwarded messages, quotes and
previews of links, cards of apps) becomes `quoted`, under marks that name them (bot/text/marks.py). Of the
text and the blocks, which mostly repeat each other, the fuller is taken. What has no words is named.

No shape makes this fail: what is not as Slack documents it reads as nothing.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.core.values import File
from bot.text.marks import mark_file, own_words, quote, tidy_name
from handlers.slack.block_text import mark_control, read_blocks
from handlers.slack.mrkdwn import TOKEN, make_readable
from handlers.slack.payloads import BY_APP, SLACKBOT, TOMBSTONE, file_from
from handlers.slack.reading import TOO_MUCH, Findings, Reading, WordlessMark, as_object, as_text

# Characters of one message that are read: Slack's text has up to 40,000, a table 10,000.
MOST_TEXT = 60_000
MOST_QUOTED = 30_000
MOST_ADDRESS = 500  # of the link that a preview is of
DEEPEST_ATTACHMENT = 4
# What Slack and apps write where they have no words for something.
EMPTY_WORDS = frozenset(
    {
        "[no preview available]",
        "This content can't be displayed.",
        "This message contains interactive elements.",
    }
)
_SHARED = ("is_share", "is_msg_unfurl", "is_reply_unfurl", "is_thread_root_unfurl")
_ADDRESSES = ("from_url", "original_url", "app_unfurl_url")
_LINKED = (*_ADDRESSES, "is_app_unfurl")
# Fields of an attachment that a person's own pasted table does not have.
_OF_OTHERS = (
    *_SHARED, *_LINKED, "author_id", "author_name", "bot_id", "app_id", "service_name", "pretext", "title",
    "text", "fields", "image_url", "files", "message_blocks", "video_html", "footer",
)  # fmt: skip
# "[April 17th, 2026 5:39 AM] bob: " before the words of a message that was shared.
_BY_WHOM = re.compile(r"^\[[^\]]*\] [^:\n]{0,80}: ?")
_WORD = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class Contents:
    """All that can be read of a message. `unreadable` names what cannot be, as a person is told of it."""

    text: str = ""
    quoted: str = ""
    unreadable: tuple[str, ...] = ()
    files: tuple[File, ...] = ()


def read_contents(message: Mapping[str, Any], *, bot: str = "", asks: bool = False) -> Contents:
    """What is in a message, without mentions of the user `bot`. `asks`: it is a question, so that nothing an
    app wrote in it is a mark either; elsewhere all that an app posts is quoted under one."""
    written = message.get("text")
    files = tuple(_read_files(message))
    findings = Findings(
        labels=_find_labels(written if isinstance(written, str) else ""), files=frozenset(f.id for f in files)
    )
    reading = Reading(findings, without=bot)
    if message.get("subtype") == TOMBSTONE:
        return Contents("[a deleted message]")
    by_app = is_by_app(message)
    own, others = _read_words(message, reading), list[str]()
    if message.get("room"):
        own.append(findings.name_unread("a huddle"))
    for attachment in reading.each(message.get("attachments")):
        if is_own_card(attachment, by_app=by_app):
            own += _read_attachment(attachment, reading.deeper())
        else:
            others.append(_quote_attachment(attachment, reading.deeper(without="")))
    others += _quote_emails(message, reading)
    if asks or not by_app:
        own = [part if isinstance(part, WordlessMark) else own_words(part) for part in own]
    text = _join(own)
    return Contents(
        _cut(text, MOST_TEXT, findings),
        _cut("\n\n".join(filter(None, others)), MOST_QUOTED, findings),
        tuple(findings.unreadable),
        files,
    )


def quote_app(message: Mapping[str, Any], *, bot: str = "") -> str:
    """What an app posted, an alert for example: all of it under the app's name; "" where it says nothing."""
    found = read_contents(message, bot=bot)
    files = (mark_file(file.name, file.size_bytes, file.kind) for file in found.files)
    words = "\n\n".join(filter(None, (found.text, found.quoted, *files)))
    return quote(f"Message by the app {name_app(message)}", words) if words else ""


def is_by_app(message: Mapping[str, Any]) -> bool:
    """Whether an app posted it, and not a person."""
    app = message.get("bot_id") or message.get("subtype") == BY_APP
    return bool(app) or message.get("user") == SLACKBOT


def name_app(message: Mapping[str, Any]) -> str:
    """What people see as the author of an app's message; the app's own id where Slack tells no name."""
    profile = as_object(message.get("bot_profile"))
    if name := as_text(message.get("username")) or as_text(profile.get("name")):
        return tidy_name(name)
    if message.get("user") == SLACKBOT:
        return "Slackbot"
    user = as_text(message.get("user"))
    return f"<@{user}>" if user else as_text(message.get("bot_id"))


def _read_files(message: Mapping[str, Any]) -> Iterator[File]:
    for file in Reading(Findings()).each(message.get("files")):
        if isinstance(file.get("id"), str) and file["id"]:
            yield file_from(file)


def _find_labels(text: str) -> dict[str, str]:
    """Names that Slack's own rendering gives to channels and groups, which blocks know by id only."""
    labels = {}
    for sign, target, label in TOKEN.findall(text):
        if label and (sign == "#" or target.startswith("subteam^")):
            labels[target.removeprefix("subteam^")] = label.removeprefix("@")
    return labels


# A message's words


def _read_words(message: Mapping[str, Any], reading: Reading, blocks: Sequence[Any] = ()) -> list[str]:
    """Its text and blocks, the same said once. `blocks`: its own, where they are kept elsewhere."""
    text = make_readable(as_text(message.get("text")), without=reading.without)
    given = blocks or message.get("blocks")
    return _take_fuller("" if text in EMPTY_WORDS else text, read_blocks(given, reading))


def _take_fuller(text: str, parts: list[str]) -> list[str]:
    """The text or the parts of the blocks, where one says all that the other does; else what each adds."""
    written, shown = _count_words(text), _count_words(*(p for p in parts if not isinstance(p, WordlessMark)))
    if shown and written <= shown:
        return parts
    if shown <= written:
        return [text, *(part for part in parts if isinstance(part, WordlessMark))]
    return [*(line for line in text.split("\n") if not _count_words(line) <= shown), *parts]


def _count_words(*texts: str) -> Counter[str]:
    return Counter(word for text in texts for word in _WORD.findall(text.casefold()))


def _join(parts: Sequence[str]) -> str:
    """Parts as lines; a table stands apart."""
    lines = [f"\n{part}\n" if part.startswith("| ") else part for part in parts if part.strip()]
    return "\n".join(lines).strip()


def _cut(text: str, most: int, findings: Findings) -> str:
    if len(text) <= most:
        return text
    return f"{text[:most].rstrip()}\n{findings.name_unread(TOO_MUCH)}"


# Attachments


def is_own_card(attachment: Mapping[str, Any], *, by_app: bool) -> bool:
    """Whether it is its author's own: an app's card in the app's message, a table that a person pasted."""
    foreign = (*_SHARED, *_LINKED) if by_app else _OF_OTHERS
    return not any(attachment.get(name) for name in foreign)


def _is_shared(attachment: Mapping[str, Any]) -> bool:
    """Whether it is a message of Slack's that was forwarded, or quoted because its link was posted."""
    return any(attachment.get(name) for name in _SHARED)


def _quote_attachment(attachment: Mapping[str, Any], reading: Reading) -> str:
    """What others wrote, under a line that says who and where."""
    source, author = _name_source(attachment), tidy_name(as_text(attachment.get("author_name")))
    parts = _read_attachment(attachment, reading, named=author in source)
    return quote(source, _join(parts), when=_read_time(attachment.get("ts")))


def _name_source(attachment: Mapping[str, Any]) -> str:
    author = next(
        (name for key in ("author_name", "author_subname") if (name := as_text(attachment.get(key)))), ""
    )
    if _is_shared(attachment):
        person = as_text(attachment.get("author_id"))
        author = tidy_name(author) or (f"<@{person}>" if person else "somebody")
        kind = "Forwarded message" if attachment.get("is_share") else "Quoted message"
        return f"{kind} by {author}{_name_place(attachment)}"
    service = as_text(attachment.get("service_name"))
    if address := next((as_text(attachment.get(name)) for name in _ADDRESSES if attachment.get(name)), ""):
        return tidy_name(f"Preview of {address}{f' by {service}' if service else ''}", MOST_ADDRESS)
    return f"Attachment by {tidy_name(author or service or 'an app')}"


def _name_place(attachment: Mapping[str, Any]) -> str:
    name, id = as_text(attachment.get("channel_name")), as_text(attachment.get("channel_id"))
    if id.startswith("D"):
        return " in a direct message"
    if name.startswith("mpdm-"):
        return " in a group message"
    place = tidy_name(name.removeprefix("#")) or id
    return f" in #{place}" if place else ""


def _read_time(ts: Any) -> str:
    try:
        return f"{datetime.fromtimestamp(float(ts), UTC):%Y-%m-%d %H:%M} UTC"
    except (TypeError, ValueError, OverflowError, OSError):
        return ""


def _read_attachment(attachment: Mapping[str, Any], reading: Reading, *, named: bool = False) -> list[str]:
    """Everything on an attachment, in the order in which it is seen. `named`: its author stands above it."""
    if reading.depth > DEEPEST_ATTACHMENT:
        return [reading.findings.name_unread(TOO_MUCH)]
    parts = [
        _read(attachment, "pretext", reading),
        "" if named else _read(attachment, "author_name", reading),
        _read_title(attachment, reading),
        *_read_words(attachment, reading, _find_message_blocks(attachment)),
        *_read_fields(attachment, reading),
    ]
    parts += _read_nested(attachment, reading, said=_count_words(*parts))
    wordless = list(_read_without_words(attachment, reading))
    if not any(parts) and not (wordless and _is_shared(attachment)):
        parts.append(_read_fallback(attachment, reading))
    parts += wordless
    if not any(parts):
        return [reading.findings.name_unread("an attachment that I cannot read")]
    return [*parts, "" if _is_shared(attachment) else _read(attachment, "footer", reading)]


def _read(attachment: Mapping[str, Any], name: str, reading: Reading) -> str:
    return make_readable(as_text(attachment.get(name)), without=reading.without)


def _read_fallback(attachment: Mapping[str, Any], reading: Reading) -> str:
    """The words for clients that show nothing else; of a shared message without when and by whom."""
    said = _read(attachment, "fallback", reading)
    if _is_shared(attachment):
        said = _BY_WHOM.sub("", said)
    return "" if said in EMPTY_WORDS else said


def _read_title(attachment: Mapping[str, Any], reading: Reading) -> str:
    title, address = _read(attachment, "title", reading), as_text(attachment.get("title_link"))
    return f"{title} ({address})" if title and address else title


def _read_fields(attachment: Mapping[str, Any], reading: Reading) -> Iterator[str]:
    for each in reading.each(attachment.get("fields")):
        title, value = _read(each, "title", reading), _read(each, "value", reading)
        yield f"{title}: {value}" if title and value else title or value


def _find_message_blocks(attachment: Mapping[str, Any]) -> list[Any]:
    """The blocks of a message that was shared or quoted, as Slack hands them along."""
    blocks = list[Any]()
    given = attachment.get("message_blocks")
    for each in given if isinstance(given, list) else ():
        inner = as_object(as_object(each).get("message")).get("blocks")
        blocks += inner if isinstance(inner, list) else [each]
    return blocks


def _read_nested(attachment: Mapping[str, Any], reading: Reading, *, said: Counter[str]) -> Iterator[str]:
    """A message within a message and attachments of an attachment, as far as they say more."""
    if nested := as_object(attachment.get("message")):
        parts = _read_attachment(nested, reading.deeper(), named=True)
        if not _count_words(*parts) <= said:
            yield from parts
    for each in reading.each(attachment.get("attachments")):
        if is_own_card(each, by_app=True):
            yield from _read_attachment(each, reading.deeper())
        else:
            yield _quote_attachment(each, reading.deeper())


def _read_without_words(attachment: Mapping[str, Any], reading: Reading) -> Iterator[str]:
    """Pictures, videos, files and buttons of an attachment."""
    name = reading.findings.name_unread
    preview = any(attachment.get(field) for field in _LINKED) and not _is_shared(attachment)
    for field, what in (("image_url", "a picture"), ("video_html", "a video"), ("video_url", "a video")):
        if attachment.get(field):  # what a link's preview is decorated with, nobody asks about
            yield WordlessMark(f"[{what}]") if preview else name(what)
    for file in _read_files(attachment):
        name(file.name or "a shared file")
        yield WordlessMark(mark_file(file.name, file.size_bytes, file.kind))
    for action in reading.each(attachment.get("actions")):
        yield mark_control("button", as_text(action.get("text")), as_text(action.get("url")))


def _quote_emails(message: Mapping[str, Any], reading: Reading) -> Iterator[str]:
    """E-mails that were sent into the channel: their words come along with the file."""
    for file in reading.each(message.get("files")):
        words = as_text(file.get("plain_text"))
        if file.get("mode") == "email" and words.strip():
            sender = as_object(next(iter(reading.each(file.get("from"))), None))
            by = as_text(sender.get("original")) or as_text(sender.get("address")) or "somebody"
            subject = as_text(file.get("subject"))
            yield quote(tidy_name(f"Email by {by}"), "\n\n".join(filter(None, (subject, words))))
