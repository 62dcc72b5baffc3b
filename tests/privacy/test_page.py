"""The page about privacy that an operator publishes says what the settings make true."""

from __future__ import annotations

from datetime import date
from html.parser import HTMLParser
from pathlib import Path

import pytest

from bot.cli.main import main
from bot.core.settings import Settings
from bot.privacy import page

TODAY = date(2026, 11, 29)
TITLES = [
    "What it is",
    "What is kept, where and for how long",
    "Who processes it",
    "What it learns",
    "Your rights",
    "When the app is removed",
    "Contact",
]


def markdown(**given: object) -> str:
    return page.as_markdown(Settings(**given), today=TODAY)  # type: ignore[arg-type]


class Text(HTMLParser):
    """What a browser shows of a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.shown: list[str] = []
        self.tags: set[str] = set()
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.add(tag)

    def handle_data(self, data: str) -> None:
        self.shown.append(data)


def test_both_forms_have_every_part() -> None:
    text, html = markdown(), Text(page.as_html(Settings(), today=TODAY))
    assert [line[3:] for line in text.splitlines() if line.startswith("## ")] == TITLES
    assert [shown for shown in html.shown if shown in TITLES] == TITLES
    for section in page.build_sections(Settings()):
        for words in (*section.paragraphs, *(cell for row in section.rows for cell in row)):
            assert words in html.shown
            assert words in text


ANSWERS, LISTENS = "writes answers, summaries and verdicts", "turns recordings into text"
SAID = "messages, answers and summaries of threads"


@pytest.mark.parametrize(
    ("given", "said", "unsaid"),
    [
        ({}, f"| {SAID} | 30 days |", "never erased"),
        ({"keep_messages_days": 1.0}, f"| {SAID} | 1 day |", "| 1 days |"),
        ({"keep_recordings_days": 7.5}, "recordings, as text | 7.5 days |", "never erased"),
        ({"keep_verdicts_days": 0.0}, "words | until its person or thread is forgotten |", "90 days"),
        ({"uninstalled": "keep"}, "Within fourteen days everything", "erased at once"),
        ({"uninstalled": "erase"}, "erased at once", "fourteen"),
        ({"external": "refuse"}, "it does not answer", "answered by itself"),
        ({"external": "all"}, "the same holds as for everybody", "answered by itself"),
        ({"channels": "C1,C2"}, "in the channels that we chose", "C1"),
        ({"context": "names"}, "told the names of who speaks and is mentioned.", "time zone"),
        ({"context": ""}, "nothing beside the words", "time zone"),
        ({"disclosure": "Hier antwortet eine KI."}, "“Hier antwortet eine KI.”", "I am an AI"),
        ({"privacy_contact": "privacy@example.com"}, "## Contact\n\nprivacy@example.com\n", page.NOBODY),
        ({"privacy_contact": "  "}, page.NOBODY, "never erased"),
        ({}, "| copies of the database", page.COMPARES),
        ({"embeddings": "local"}, f"| a model of our own | {page.COMPARES} |", "never erased"),
        ({"embeddings": "some-vectors"}, f"| OpenAI | {page.COMPARES} | api.openai.com |", "of our own |"),
    ],
)
def test_it_says_what_is_set(given: dict[str, object], said: str, unsaid: str) -> None:
    text = markdown(**given)
    assert said in text
    assert unsaid not in text


OPENAI = {"openai_base_url": "https://eu.api.openai.com/v1"}
ELSEWHERE = {"openai_base_url": "https://notopenai.com/v1"}
NEAR = {"openai_base_url": "http://10.0.0.7:8080/v1"}
HERE = {"openai_base_url": "http://llama.internal/v1", "speech_model": "local:small"}
BESIDE = {"fallbacks": "llama3.2 https://models.example.com/v1"}


@pytest.mark.parametrize(
    ("given", "row", "unsaid"),
    [
        ({}, ("OpenAI", ANSWERS, "api.openai.com"), page.OWN_SERVER),
        ({}, ("OpenAI", LISTENS, "api.openai.com"), page.OWN_SERVER),
        (OPENAI, ("OpenAI", ANSWERS, "eu.api.openai.com"), "| api.openai.com"),
        (ELSEWHERE, ("the service there", ANSWERS, "notopenai.com"), "store: false"),
        (NEAR, (page.OWN_SERVER, ANSWERS, "our own network"), "10.0.0.7"),
        (HERE, ("a model of our own", LISTENS, "the machine that Parley runs on"), "OpenAI"),
        (BESIDE, ("the service there", ANSWERS, "models.example.com"), page.OWN_SERVER),
    ],
)
def test_it_names_whoever_words_go_to(given: dict[str, object], row: tuple[str, ...], unsaid: str) -> None:
    text = markdown(**given)
    assert f"| {' | '.join(row)} |" in text
    assert unsaid not in text


@pytest.mark.parametrize("contact", ["<script>alert(1)</script>", "a | b & c", "x <y@example.com>"])
def test_what_an_operator_wrote_is_text(contact: str) -> None:
    settings = Settings(privacy_contact=contact, disclosure=contact)
    html = Text(page.as_html(settings, today=TODAY))
    assert contact in html.shown
    assert "script" not in html.tags
    assert "<script" not in markdown(privacy_contact=contact, disclosure=contact)


def test_no_secret_stands_there() -> None:
    secrets = {"openai_api_key": "sk-aaaa", "slack_bot_token": "xoxb-bbbb", "fallback_keys": "h=cccc"}
    text = markdown(**secrets, fallbacks="m https://user:pass@models.example.com/v1")
    assert not [value for value in ("aaaa", "bbbb", "cccc", "user:", "pass@") if value in text]


@pytest.mark.parametrize("words", [[], ["--format", "html"]])
def test_the_command_prints_it_or_writes_a_file(
    words: list[str], capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("PARLEY_PRIVACY_CONTACT", "PARLEY_TEST_ENGINE"):
        monkeypatch.delenv(name, raising=False)
    assert main(["privacy", *words]) == 0
    printed = capsys.readouterr()
    assert "PARLEY_PRIVACY_CONTACT is not set" in printed.err
    monkeypatch.setenv("PARLEY_PRIVACY_CONTACT", "privacy@example.com")
    file = tmp_path / "privacy.page"
    assert main(["privacy", *words, "--output", str(file)]) == 0
    written = capsys.readouterr()
    assert (written.out, written.err) == (f"{file}\n", "")
    assert file.read_text("utf-8") == printed.out.replace(page.NOBODY, "privacy@example.com")
    assert main(["privacy", "--output", str(tmp_path / "no" / "folder")]) == 2
    assert "cannot be written" in capsys.readouterr().err
