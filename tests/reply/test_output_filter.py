"""What a model says is shown letter for letter, and what a captured model tries on its way gets nowhere.

The judge is a Markdown parser that makes links of everything it can (markdown-it, with a linker of our own
for bare addresses): whatever the filter lets through must hold no link or picture but to allowed hosts.
"""

from __future__ import annotations

import math
import random
import time
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from bot.text.redact import redact
from handlers.reply.output_filter import OutputFilter, filter_text
from handlers.slack.links import ENDINGS, list_addresses
from tests.support.hostile_text import (
    CANARY,
    EXFILTRATION,
    HOSTS,
    MENTIONS,
    PEOPLE,
    SLOW,
    called,
    called_markup,
    out,
    plain,
    strays,
    streamed,
)


@pytest.mark.parametrize("text", EXFILTRATION)
def test_no_link_leads_to_a_host_nobody_vouched_for(text):
    assert strays(out(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "Node.js runs, ASP.NET too, and self.app, main.go, torch.no_grad; done.It works",
        "Booking.com and example.co.uk, EVIL.Example, README.md and os.path.join(a)",
        "see http://localhost:3000, http://127.0.0.1:8080/x?y#z or s3://bucket/key.",
        "see https://a.b.evil.example/x?y#z.",
        "[the docs](https://evil.example/x) and ![picture](https://evil.example/x.png)",
        "write to bob.builder@evil.example!",
        "http://intranet/x, https://évil.example/, пример.рф, 例え.テスト",
        "**evil.example**, _evil.example_, “evil.example/x”, (evil.example)",
        "https\\://evil\\.example and R&amp;D &lt;b&gt; &copy;",
        "[r]: https://evil.example/x 'title'",
        "@channel, @here! and !everyone",
        "Fünf Dateien：main.go。それからself.app、done.It",
        "an `open tick, ``two`` and ``a`b`` and `c`",
        "~~~py\nself.app\n~~~\n",
        "`a | evil.example/x`",
    ],
)
def test_what_is_said_is_shown_letter_for_letter_even_where_it_must_not_be_a_link(text):
    assert plain(out(text)) == plain(text)
    assert strays(out(text)) == []
    assert not [call for call in called(out(text)) if call.startswith("<")]


@pytest.mark.parametrize(
    "text",
    [
        "https://ok.example/a_(b)?c=d#e",
        "[docs](https://docs.ok.example/a) and **[more](http://ok.example:8080)**",
        "<https://ok.example/x>",
        "(see ok.example/path), ok.example.",
        '[t](https://ok.example/ "title")',
        "os.path.join(a), v1.2.3, e.g. this, 3.14, 10.0.0.0/8, U.S., a...b",
        "and/or, w/o, 12:30, key:value, std::vector, C:\\temp, #channel",
        "@bob, 5 > 3, R&D, a && b, a < b <= c",
        "Wow! [ ] todo, [x] done, *stress*, ~~gone~~, snake_case, 50%",
        "# Title\n\n- one\n  - two\n\n1. three\n\n> quote\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
        "`curl https://evil.example/x` and `self.app`",
        "```python\nimport os  # https://evil.example/x\nif a < b: print('@here', self.app)\n```\n",
        "> ```sh\n> self.app\n> ```\n",
        "1. do\n   ```sh\n   self.app\n     -la\n   ```\n2. done",
        "- one\n  - two\n    ```sh\n    self.app\n    ```\n",
        "- ```\n  self.app\n  ```",
        "<!DOCTYPE html>".join(["```html\n", "\n<!-- @Override -->\n```"]),
        "👍🏽 👩‍💻 שלום\u200f! héllo 漢字。",
        "<@U0ASKER> here you are",
    ],
)
def test_what_is_harmless_stays_as_it_is(text):
    assert out(text) == text


VOUCHED = frozenset(list_addresses("see https://wiki.example/page?id=1, or ask ann@wiki.example"))


@pytest.mark.parametrize(
    "text",
    [
        "see https://wiki.example/page?id=1.",
        "[the page](https://wiki.example/page?id=1)",
        "http://WIKI.example/",
        "wiki.example/page?id=1",
        "wiki.example",
        "ask Ann@wiki.example, or “https://wiki.example/page?id=1”",
    ],
)
def test_an_address_that_the_asker_wrote_may_be_a_link(text):
    assert filter_text(text, OutputFilter(VOUCHED, PEOPLE)) == text


@pytest.mark.parametrize(
    "text",
    [
        f"https://wiki.example/page?id={CANARY}",
        f"https://wiki.example/page?id=1&q={CANARY}",
        f"https://wiki.example/{CANARY}",
        f"https://wiki.example/#{CANARY}",
        f"https://{CANARY}.wiki.example/page?id=1",
        f"https://wiki.example:{CANARY}/",
        f"wiki.example/page?id=1{CANARY}",
        f"[x](https://wiki.example/page?id=1#{CANARY})",
        f"<https://wiki.example/page?id=1/{CANARY}>",
        f"{CANARY}bob@wiki.example",
        "mailto:ann@wiki.example?body=x",
    ],
)
def test_nothing_can_be_added_to_an_address_that_the_asker_wrote(text):
    shown = filter_text(text, OutputFilter(VOUCHED, PEOPLE))
    assert plain(shown) == text
    assert strays(shown) == []
    assert "://" not in shown


def test_of_the_operators_hosts_no_address_leads_on_to_another():
    for inner in ("https%3A%2F%2Fevil.example", "https%253A%252F%252Fevil.example", "//evil.example"):
        shown = out(f"https://ok.example/?u={inner}")
        assert "://" not in shown
        assert strays(shown) == []
    own = "https://proxy.example/?u=https://wiki.example/"
    assert filter_text(own, OutputFilter(frozenset(list_addresses(f"use {own}.")), PEOPLE)) == own


@pytest.mark.parametrize("text", MENTIONS)
def test_nobody_is_called_who_did_not_ask(text):
    shown = [token for token in called(out(text)) if not (text.startswith("```") and token.startswith("@"))]
    assert shown == []


@pytest.mark.parametrize("text", ["<#C0PRIVATE|layoffs>", "see <#C0PRIVATE|layoffs>, ok"])
def test_names_of_channels_are_not_told(text):
    assert "layoffs" not in out(text)


NAMES = {"U0OTHER": "Bob Builder", "U0ODD": "<!channel> evil.example\n`x`", "C0HERE": "#general"}


def name_of(id):
    return NAMES.get(id, "")


def test_people_who_may_be_mentioned_are_and_others_have_their_names():
    output = OutputFilter(HOSTS, PEOPLE, name_of)
    shown = filter_text("<@U0ASKER|ann>: done, <@U0OTHER|x>. See <#C0HERE|y>, <#C0PRIVATE|layoffs>.", output)
    assert plain(shown) == "<@U0ASKER>: done, Bob Builder. See #general, another channel."
    assert output.unnamed == frozenset()


def test_a_name_is_words_whatever_is_in_it():
    shown = filter_text("ask <@U0ODD>", OutputFilter(HOSTS, PEOPLE, name_of))
    assert plain(shown) == "ask !channel evil.example x"
    assert strays(shown) == called_markup(shown) == []


def test_who_has_no_name_is_told_and_shown_as_said():
    output = OutputFilter(HOSTS, PEOPLE, name_of)
    assert plain(filter_text("ask <@U0NOBODY>", output)) == "ask <@U0NOBODY>"
    assert output.unnamed == {"U0NOBODY"}


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("```js\nx", "```js\nx\n```"),
        ("```js", "```js\n```"),
        ("> ```js\n> x", "> ```js\n> x\n> ```"),
        ("- one\n  ```\n  x", "- one\n  ```\n  x\n  ```"),
        ("Use this: ```js\nself.app\n```\ny", "Use this: \n```js\nself.app\n```\ny"),
        ("Use this:\n```\nself.app```\ny", "Use this:\n```\nself.app```\ny\n```"),
        ("Use ```\nself.app```\ny", "Use \n```\nself.app\n```\ny"),
        ("Use ```a``` and ```b```", "Use ```a``` and ```b```"),
        ("a\n```\nb\n```\nc ` d", "a\n```\nb\n```\nc ` d"),
    ],
)
def test_what_was_left_open_is_closed_and_nothing_is_opened(text, shown):
    assert plain(out(text)) == shown


def test_a_mark_of_more_than_twenty_characters_is_text():
    shown = out("`" * 21 + "\nx\n" + "~" * 30)
    assert plain(shown) == "`" * 21 + "\nx\n" + "~" * 30
    assert not [token for token in MarkdownIt().parse(shown) if token.type == "fence"]


def test_keys_are_not_told():
    token = "xoxb" + "-123456789012-1234567890123-AbCdEfGhIjKl"
    key = "-----BEGIN " + "PRIVATE KEY-----\n" + "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n" * 3 + "-----END"
    assert token not in out(f"The token is {token}, and `{token}`.")
    assert "MIIE" not in out(f"```\n{key}\n```")
    assert "MIIE" not in out(key)


# Streaming

MARKDOWN = r"  |     | ` | `` | ``` | ~~~ | - | 1. | > | < | ! | @ | # | [ | ] | ( | ) | ]( | ]: | ![ | * | ?"
ADDRESSES = (
    "word evil . example https :// ok.example evil.example/x / : ; = &#46; &lt; &amp; ](https://ok.example/"
)
TOKENS = "<!channel> <@U0ASKER> <@U0VICTIM|b> <#C0P|n> channel here xoxb-1234567890-abcd h tt ps é א"
FRAGMENTS = st.sampled_from(
    [
        *MARKDOWN.split("|"),
        *("_", "\\", "\n", "\n\n", "\t", "```py\n", "\n```\n", "|", " "),
        *ADDRESSES.split(),
        *TOKENS.split(),
        *("你", "好", "。", "，", "．", "\u200b", "\u200d", "👩", "💻", "\ufe0f", "\u200f", "\r", "\u2028"),
        "-----BEGIN PRIVATE KEY-----",
    ]
)
TEXTS = st.lists(FRAGMENTS, max_size=40).map("".join) | st.sampled_from([*EXFILTRATION, *MENTIONS])


@settings(max_examples=300)
@given(TEXTS, st.lists(st.integers(0, 200), max_size=20))
def test_every_chunking_of_an_answer_is_filtered_to_the_same_text(text, cuts):
    borders = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    parts = [text[a:b] for a, b in pairwise(borders)]
    assert streamed(parts) == out(text)


@settings(max_examples=200)
@given(TEXTS)
def test_letter_by_letter_is_the_same_as_at_once(text):
    assert streamed(text) == out(text)


@settings(max_examples=300)
@given(TEXTS)
def test_nothing_gets_through_in_any_mixture(text):
    shown = out(text)
    assert strays(shown) == []
    assert not [token for token in called(shown) if token.startswith("<")]


@settings(max_examples=300)
@given(TEXTS)
def test_what_was_filtered_is_not_made_dangerous_by_filtering_again(text):
    assert strays(out(out(text))) == []


WORDS = """
    the quick brown fox node.js Booking.com main.go self.app torch.no_grad done.It v1.2.3 e.g. U.S. 3.14 don't
    https://evil.example/a?b=c#d http://localhost:3000 s3://bucket/key bob@corp.example www.evil.example/x R&D
    (see evil.example), “evil.example” a<b x>y #general @ann 50% ~5 *bold* _it_ **b** [x] [a](b) héllo.fr
    `self.app` ``a`b`` `x.y | z` 你好。世界 看evil.example吧 Python。It 例え.テスト 漢字、 שלום 👩‍💻 🏴‍☠️
""".split()  # noqa: SIM905 (a table of words)
CODE = "\n```py\nself.app = x.com # <b> https://evil.example\n```\n"


def test_thousands_of_texts_are_shown_letter_for_letter_however_they_come():
    rng = random.Random(7)
    for _ in range(2_000):
        words = [CODE if rng.random() < 0.03 else rng.choice(WORDS) for _ in range(rng.randint(1, 25))]
        text = "".join(word + rng.choice(["", " ", " ", " ", "\n", "\n\n", ", "]) for word in words)
        if redact(text) != text:
            continue
        parts = iter(text)
        chunks = ["".join(islice(parts, rng.randint(1, 9))) for _ in text]
        shown = streamed(chunks)
        assert without_added_marks(plain(shown)) == without_added_marks(text), text
        assert strays(shown) == [], text


def without_added_marks(text):
    """What closes a block that was left open, and the line break before one after words, are not compared."""
    return text.rstrip("`\n >-").replace("\n```", "```")


def test_endings_of_hosts_are_those_that_are_assigned():
    assert {"com", "app", "zip", "it", "museum", "рф", "uk", "ck"} <= ENDINGS
    assert not {"js", "go2", "txt", "exe", "no_grad", "co.uk", ""} & ENDINGS


def test_prose_flows_on_at_every_word():
    output = OutputFilter(HOSTS, PEOPLE)
    assert output.feed("Hel") == "Hel"
    assert output.feed("lo") == "lo"
    assert output.feed(", how") == ", "
    assert output.feed(" are you") == "how are "
    assert output.feed("? ") == "you? "
    assert output.finish() == ""


def test_an_open_span_next_to_a_closed_one_waits_alone():
    output = OutputFilter(HOSTS, PEOPLE)
    assert output.feed("x `a b`c`d ") == "x `a b`"
    assert output.feed("e` f ") == "c`d e` f "


def test_scripts_without_blanks_flow_on_too():
    output = OutputFilter(HOSTS, PEOPLE)
    assert "".join(map(output.feed, "你好，世界")) == "你好，世"
    assert output.finish() == "界"


def test_the_first_word_is_shown_at_once():
    assert OutputFilter(HOSTS, PEOPLE).feed("Yes") == "Yes"
    assert plain(streamed(["SECRET", ".evil.example/x"])) == "SECRET.evil.example/x"


def test_only_code_waits_and_only_for_its_end():
    output = OutputFilter(HOSTS, PEOPLE)
    assert output.feed("use `a b ") == "use "
    assert output.feed("c` then ") == "`a b c` then "
    assert output.feed("this:\n```py\nx = ") == "this:\n```py\n"
    assert output.feed("1\ny") == "x = 1\n"


# The adversary's patience: work grows with the text, whatever is in it.


@pytest.mark.parametrize("name", SLOW)
def test_work_grows_with_the_text_and_not_with_its_square(name):
    text = ("`" * name.startswith("open") + SLOW[name] * 30_000)[:32_000]
    short = long = math.inf
    for _ in range(3):  # as often as another process gets in between
        short, long = min(short, _duration(text[:4_000])), min(long, _duration(text))
        if long < 8 * 4 * max(short, 0.002):
            return
    pytest.fail(f"{short} s, and {long} s for eight times the text")


def _duration(text):
    start = time.process_time()
    streamed(text[i : i + 3] for i in range(0, len(text), 3))
    return time.process_time() - start
