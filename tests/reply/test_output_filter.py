"""What a captured model may try on its way into Slack, and that none of it gets there.

The judge is a Markdown parser that makes links of everything it can (markdown-it, with a linker of our own
for bare addresses): whatever the filter lets through must hold no link or picture but to allowed hosts.
"""

from __future__ import annotations

import time
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from handlers.reply.output_filter import OutputFilter, filter_text
from tests.support.hostile_text import (
    CANARY,
    EXFILTRATION,
    HOSTS,
    MENTIONS,
    PEOPLE,
    SLOW,
    called,
    out,
    strays,
    streamed,
)

IN_CODE = ("foo\n    ```", "- item", "```\ncode", "`` ` https", "> ```", "` a ``", "`a\n", "[x](javascript")


@pytest.mark.parametrize("text", EXFILTRATION)
def test_no_link_leads_to_a_host_nobody_vouched_for(text):
    assert strays(out(text)) == []


@pytest.mark.parametrize("text", [t for t in EXFILTRATION if not t.startswith(IN_CODE)])
def test_nothing_the_model_read_is_left_in_an_address(text):
    assert CANARY not in out(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("see https://a.b.evil.example/x?y#z.", "see evil[.]example."),
        ("see https://a.evil.co.uk:80/x", "see evil[.]co[.]uk"),
        ("[the docs](https://evil.example/x)", "[the docs] (evil[.]example)"),
        ("https://évil.example/", "xn--vil-9la[.]example"),
        ("write to bob@evil.example!", "write to bob@evil[.]example!"),
        ("http://10.0.0.1/x", "10[.]0[.]0[.]1"),
        ("http://intranet/x", "‹link removed›"),
        ("**evil.example**, _evil.example_", "**evil[.]example**, _evil[.]example_"),
    ],
)
def test_of_another_address_the_host_is_shown(text, shown):
    assert out(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "https://ok.example/a_(b)?c=d#e",
        "[docs](https://docs.ok.example/a) and **[more](http://ok.example:8080)**",
        "<https://ok.example/x>",
        "(see ok.example/path), ok.example.",
        '[t](https://ok.example/ "title")',
        "README.md, main.py, os.path.join(a), v1.2.3, e.g. this, 3.14, 10.0.0.0/8, U.S., a...b",
        "and/or, w/o, 12:30, key:value, std::vector, C:\\temp, #channel, @bob, 5 > 3, R&D, a && b",
        "Wow! [ ] todo, [x] done, *stress*, ~~gone~~, snake_case, 50%",
        "# Title\n\n- one\n  - two\n\n1. three\n\n> quote\n\n| a | b |\n|---|---|\n| 1 | 2 |\n",
        "`curl https://evil.example/x`",
        "```python\nimport os  # https://evil.example/x\nif a < b: print('@here')\n```\n",
        "👍🏽 👩‍💻 שלום\u200f! héllo 漢字。",
        "<@U0ASKER> here you are",
    ],
)
def test_what_is_harmless_stays_as_it_is(text):
    assert out(text) == text


VOUCHED = frozenset({"wiki.example/page?id=1", "wiki.example/"})


@pytest.mark.parametrize(
    "text",
    [
        "see https://wiki.example/page?id=1.",
        "[the page](https://wiki.example/page?id=1)",
        "http://WIKI.example/",
        "wiki.example/page?id=1",
        "wiki.example",
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
    ],
)
def test_nothing_can_be_added_to_an_address_that_the_asker_wrote(text):
    shown = filter_text(text, OutputFilter(VOUCHED, PEOPLE))
    assert CANARY not in shown
    assert "https:" not in shown


@pytest.mark.parametrize("text", MENTIONS)
def test_nobody_is_called_who_did_not_ask(text):
    shown = [token for token in called(out(text)) if not (text.startswith("```") and token.startswith("@"))]
    assert shown == []


@pytest.mark.parametrize("text", ["<#C0PRIVATE|layoffs>", "see <#C0PRIVATE|layoffs>, ok"])
def test_names_of_channels_are_not_told(text):
    assert "layoffs" not in out(text)


def test_people_who_may_be_mentioned_are():
    assert out("<@U0ASKER|ann>: done, <@U0OTHER>") == "<@U0ASKER>: done, ‹someone›"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a `b c` d", "a `b c` d"),
        ("an `open tick", "an 'open tick"),
        ("``a``", "`a`"),
        ("```js\nx", "```js\nx\n```"),
        ("```js", "```js\n```"),
        ("~~~py\nx\n~~~\ny", "```py\nx\n```\ny"),
        ("1. do\n   ```sh\n   ls\n     -la\n   ```\n2. done", "1. do\n```sh\nls\n  -la\n```\n2. done"),
        ("- ```\n  x\n  ```", "-\n```\nx\n```"),
        ("~~~\n```\nevil.example/x\n~~~", "```\n'''\nevil.example/x\n```"),
        ("````\n```\n````", "````\n```\n````"),
        ("```https://evil.example/x\ny\n```", "```https\ny\n```"),
        ("`a | evil.example/x`", "`a | evil[.]example`"),
        ("a < b <b>c</b>", "a &lt; b &lt;b>c&lt;/b>"),
    ],
)
def test_code_begins_and_ends_where_every_reader_sees_it(text, shown):
    assert out(text) == shown


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


@settings(deadline=None, max_examples=1000)
@given(TEXTS, st.lists(st.integers(0, 200), max_size=20))
def test_every_chunking_of_an_answer_is_filtered_to_the_same_text(text, cuts):
    borders = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    parts = [text[a:b] for a, b in pairwise(borders)]
    assert streamed(parts) == out(text)


@settings(deadline=None, max_examples=500)
@given(TEXTS)
def test_letter_by_letter_is_the_same_as_at_once(text):
    assert streamed(text) == out(text)


@settings(deadline=None, max_examples=1000)
@given(TEXTS)
def test_nothing_gets_through_in_any_mixture(text):
    shown = out(text)
    assert strays(shown) == []
    assert not [token for token in called(shown) if token.startswith("<")]


@settings(deadline=None, max_examples=300)
@given(TEXTS)
def test_what_was_filtered_is_not_made_dangerous_by_filtering_again(text):
    assert strays(out(out(text))) == []


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


def test_the_first_word_is_shown_at_once_unless_it_begins_an_address():
    assert OutputFilter(HOSTS, PEOPLE).feed("Yes") == "Yes"
    assert OutputFilter(HOSTS, PEOPLE).feed("https") == ""
    assert streamed(["SECRET", ".evil.example/x"]) == "SECRET evil[.]example"


def test_only_code_waits_and_only_for_its_end():
    output = OutputFilter(HOSTS, PEOPLE)
    assert output.feed("use `a b ") == "use "
    assert output.feed("c` then ") == "`a b c` then "
    assert output.feed("this:\n```py\nx = ") == "this:\n```py\n"
    assert output.feed("1\ny") == "x = 1\n"


# The adversary's patience: work grows with the text, whatever is in it.


@pytest.mark.parametrize("name", SLOW)
def test_work_grows_with_the_text_and_not_with_its_square(name):
    seconds = []
    for times in (1, 8):
        text = ("`" * name.startswith("open") + SLOW[name] * 30_000)[: 4_000 * times]
        seconds.append(min(_duration(text) for _ in range(3)))
    assert seconds[1] < 8 * 4 * max(seconds[0], 0.002)


def _duration(text):
    start = time.process_time()
    streamed(text[i : i + 3] for i in range(0, len(text), 3))
    return time.process_time() - start
