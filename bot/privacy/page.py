"""The page about privacy that an operator can publish: what is kept, where, how long, who processes it.

It is made from the settings alone and names nobody but the hosts that words go to. What an organisation adds
of its own (who it is, on what legal ground) is the organisation's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from html import escape

from bot import VERSION
from bot.core.addresses import is_local_name, is_private, parse_address, read_host
from bot.core.settings import CONTEXT, Settings, split_list
from bot.pages.html import frame
from bot.pages.tables import Column, table
from bot.provider.fallbacks import read_fallbacks
from bot.provider.model_hosts import model_url
from bot.voice.speech_models import is_local
from bot.welcome.disclosures import read_sentence

TITLE = "Privacy: Parley, the assistant in our Slack"
NOBODY = "The people who run Parley here; an admin of the Slack workspace knows who they are."
OPENAI = "openai.com"
OWN_SERVER = "a model server of our own"
LISTENS = "turns recordings into text"
WRITES = "writes answers, summaries and verdicts"
COMPARES = "makes numbers of messages, to compare them"
EXTERNAL = {
    "refuse": "Where people of another company read along, and to them, it does not answer.",
    "alone": "In channels shared with another company, and for its people, each question is answered by "
    "itself; no word of it is kept longer than until its answer is final or given up.",
    "all": "In channels shared with another company, and for its people, the same holds as for everybody.",
}
TOLD = {
    "names": "the names of who speaks and is mentioned",
    "channel": "the channel's name and purpose",
    "time": "the asker's date, time and time zone",
}
PLACE = (
    "All of it is kept in one database on a machine that we run. No statistics leave it. Who looks after a "
    "channel may have what is said there erased sooner."
)
LEARNING = (
    "No language model is trained or tuned on what people write. Where a channel keeps to a subject, "
    "messages of which somebody says whether they belong become examples of a small classifier for that "
    "channel alone, on our machine; people are told so where they say it. Words of guests and of other "
    "companies never do, nor what is forwarded or quoted, and when a message is forgotten, the classifier "
    "is made anew without it."
)
RIGHTS = (
    ("See what is kept of you, and take it along", "/parley export: a file in your direct messages"),
    ("Have one thread forgotten", "/parley forget thread, or “Forget this thread” in the ⋮ menu"),
    ("Have everything of yours forgotten", "/parley forget all, or the button on the app's Home tab"),
    ("Put a message right, or take it back", "edit or delete it in Slack: what is kept follows"),
    ("Put a transcript right, or have it forgotten", "the buttons on its card"),
    ("Object, have the use restricted, or anything else", "write to the contact below"),
    ("Complain", "to the supervisory authority for data protection"),
)


@dataclass(frozen=True, slots=True)
class PageSection:
    """A part of the page: paragraphs, then a table; all of it plain text."""

    title: str
    paragraphs: Sequence[str] = ()
    head: Sequence[str] = ()
    rows: Sequence[Sequence[str]] = field(default=())


def build_sections(settings: Settings) -> list[PageSection]:
    """The whole page as values."""
    return [
        PageSection("What it is", [*_describe_assistant(settings)]),
        PageSection("What is kept, where and for how long", [PLACE], *_list_kept(settings)),
        PageSection("Who processes it", [*_describe_request(settings)], *_list_processors(settings)),
        PageSection("What it learns", [LEARNING]),
        PageSection("Your rights", [], ("you can", "how"), RIGHTS),
        PageSection("When the app is removed", [_describe_removal(settings)]),
        PageSection("Contact", [settings.privacy_contact.strip() or NOBODY]),
    ]


def as_markdown(settings: Settings, *, today: date) -> str:
    """The page as Markdown."""
    parts = [f"# {TITLE}", _describe_origin(today)]
    for section in build_sections(settings):
        parts += [f"## {section.title}", *map(_plain, section.paragraphs)]
        if section.rows:
            rows = [section.head, ["---"] * len(section.head), *section.rows]
            parts.append("\n".join(f"| {' | '.join(map(_cell, row))} |" for row in rows))
    return "\n\n".join(parts) + "\n"


def as_html(settings: Settings, *, today: date) -> str:
    """The page as one HTML file that needs nothing else."""
    body = []
    for section in build_sections(settings):
        said = "".join(f"<p>{escape(paragraph)}</p>" for paragraph in section.paragraphs)
        columns = [Column(title, is_name=True) for title in section.head]
        rows = table(columns, section.rows) if section.rows else ""
        body.append(f"<section><h2>{escape(section.title)}</h2>{said}{rows}</section>")
    return frame(TITLE, _describe_origin(today), "\n".join(body), style="td { white-space: normal; }\n")


def _describe_origin(today: date) -> str:
    return f"Made from the settings of Parley {VERSION} on {today:%Y-%m-%d}."


def _describe_assistant(settings: Settings) -> Iterator[str]:
    yield (
        "Parley is an assistant in our Slack workspace. What it answers is written by an AI model. It says "
        f"so to everybody: “{read_sentence(settings)}”"
    )
    yield (
        "It reads messages that mention it, direct messages to it, the threads it takes part in, and every "
        "message of a channel whose owners want that."
    )
    if split_list(settings.channels):
        yield "It works in the channels that we chose for it, and in direct messages."
    yield EXTERNAL[settings.external]


def _list_kept(settings: Settings) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    words = "until its person or thread is forgotten"
    vectors = [("numbers that a model made of messages, to compare them", "180 days")]
    return ("what", "for how long"), (
        ("messages, answers and summaries of threads", _span(settings.keep_messages_days, words)),
        ("what was said in recordings, as text", _span(settings.keep_recordings_days, words)),
        ("recordings themselves", "only while they are listened to"),
        (
            "verdicts on whether a message belongs in its channel, with its words",
            _span(settings.keep_verdicts_days, words),
        ),
        ("messages that people taught it with", "until they are removed or their author is forgotten"),
        *(vectors if settings.embeddings else ()),
        (
            "whose question had which answer, and what it took, without any words",
            "until its person is forgotten or the app is removed",
        ),
        ("amounts: who used which model when, how much, at what cost", "for good, without any words"),
        (
            "how many questions documents answered, by channel and day",
            "counts alone, until the app is removed",
        ),
        ("who changed, erased or looked at what, and who was told of the AI", "for good, without any words"),
        ("settings of channels, with who made them", "until they are changed or the app is removed"),
        ("why somebody raised a budget, in their words", "until they are forgotten or the app is removed"),
        ("log lines: ids and errors", "as long as we keep the log, without any words"),
        ("copies of the database, to restore it from", "as long as we keep each"),
    )


def _span(days: float, never: str) -> str:
    if not days:
        return never
    return "1 day" if days == 1 else f"{days:g} days"


def _describe_request(settings: Settings) -> Iterator[str]:
    told = [TOLD[part] for part in CONTEXT if part in split_list(settings.context)]
    beside = f"; beside the words it is told {_join(told)}" if told else ", and nothing beside the words"
    yield (
        "To answer, a model is given the instructions, what was said before in the thread, and the message"
        f"{beside}. Who asks is a mark to its service from which it cannot tell who that is."
    )
    if any(_is_openai(host) for host in _list_hosts(settings)):
        yield (
            "Requests to OpenAI ask it to store nothing (store: false). It may keep what it was sent for up "
            "to 30 days to find abuse, unless our contract says otherwise."
        )


def _list_processors(settings: Settings) -> tuple[Sequence[str], Sequence[Sequence[str]]]:
    rows = [("Slack", "holds the messages themselves, files, and what Parley posts", "slack.com")]
    rows += [_describe_service(host, WRITES) for host in _list_hosts(settings)]
    if settings.embeddings == "local":
        rows.append(("a model of our own", COMPARES, "the machine that Parley runs on"))
    elif settings.embeddings:
        rows.append(_describe_service(_list_hosts(settings)[0], COMPARES))
    if is_local(settings.speech_model):
        rows.append(("a model of our own", LISTENS, "the machine that Parley runs on"))
    else:
        rows.append(_describe_service(_list_hosts(settings)[0], LISTENS))
    return ("who", "what it does", "where"), rows


def _describe_service(host: str, does: str) -> tuple[str, str, str]:
    who = "OpenAI" if _is_openai(host) else "the service there" if host else OWN_SERVER
    return who, does, host or "our own network"


def _list_hosts(settings: Settings) -> list[str]:
    """Where words go to be answered, in order; "" for a server of our own, whose name is not told."""
    urls = [model_url(settings), *(one.base_url for one in read_fallbacks(settings))]
    return list(dict.fromkeys("" if _is_ours(read_host(url)) else read_host(url) for url in urls if url))


def _is_ours(host: str) -> bool:
    address = parse_address(host)
    return is_private(address) if address else is_local_name(host)


def _is_openai(host: str) -> bool:
    return host == OPENAI or host.endswith(f".{OPENAI}")


def _describe_removal(settings: Settings) -> str:
    if settings.uninstalled == "keep":
        return (
            "Within fourteen days everything that people said is erased; settings, amounts, and who changed, "
            "erased or looked at what, are kept for an app that comes back."
        )
    return (
        "Everything that people said and set up there is erased at once. Amounts stay, and who changed, "
        "erased or looked at what, without any words."
    )


def _join(parts: Sequence[str]) -> str:
    return f"{', '.join(parts[:-1])} and {parts[-1]}" if len(parts) > 1 else "".join(parts)


def _plain(text: str) -> str:
    """A text in which no tag is one in Markdown."""
    return escape(text, quote=False)


def _cell(text: str) -> str:
    return _plain(" ".join(text.split())).replace("|", "\\|")
