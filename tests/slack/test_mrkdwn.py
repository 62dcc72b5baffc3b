"""Slack's text as a person reads it."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.invisible import strip_hidden
from handlers.slack import mrkdwn


@pytest.mark.parametrize(
    ("slack", "readable"),
    [
        ("<@UBOT> what is up?", "what is up?"),
        ("ask <@U2> please", "ask <@U2> please"),
        ("ask <@UBOT|parley> please", "ask  please"),
        ("see <#C1|general>", "see #general"),
        ("see <#C1>", "see #C1"),
        ("see <https://example.com/a?b=c&amp;d=e>", "see https://example.com/a?b=c&d=e"),
        ("see <https://example.com|the page>", "see the page (https://example.com)"),
        ("mail <mailto:a@b.c|a@b.c>", "mail a@b.c"),
        ("mail <mailto:a@b.c|us>", "mail us (a@b.c)"),
        ("call <tel:+4930123|+49 30 123>", "call +49 30 123 (+4930123)"),
        ("call <tel:+4930123>", "call +4930123"),
        ("on <!date^1720710212^{date_num} {time_secs}|11 July 2024>", "on 11 July 2024"),
        ("on <!date^1720710212^{date_short_pretty} at {time}>", "on 2024-07-11 at 15:03 UTC"),
        ("on <!date^1720710212^{date}^https://a.example/|11 July>", "on 11 July (https://a.example/)"),
        ("on <!date^never^{date}>", "on {date}"),
        ("<!channel> <!everyone|everyone> <!subteam^S1>", "@channel @everyone @S1"),
        ("`<@UBOT>` and <@UBOT>", "`<@UBOT>` and"),
        ("<!here> and <!subteam^S1|@ops>", "@here and @ops"),
        ("1 &lt; 2 &amp;&amp; 3 &gt; 2", "1 < 2 && 3 > 2"),
        ("&lt;@UBOT&gt; is written, not meant", "<@UBOT> is written, not meant"),
    ],
)
def test_tokens_are_spelled_out_and_entities_unescaped(slack: str, readable: str) -> None:
    assert mrkdwn.make_readable(slack, without="UBOT") == readable


@given(st.text())
def test_escaped_text_reads_back_as_it_was_written(text: str) -> None:
    assert mrkdwn.make_readable(mrkdwn.escape(text)) == strip_hidden(text).strip()


def test_a_post_that_mentions_another_and_not_us_is_said_to_them() -> None:
    for text in (" <@U2> can you look?", "can <@U2|ann> look?", "<!subteam^S1|@ops> see this", "hm <!here>"):
        assert mrkdwn.mentions_another(text, "UBOT")
    for text in (
        "<@UBOT> ask <@U2>",
        "look",
        "`<@U2>` is how it is written",
        "<#C1|ops>",
        "<!date^1^{date}|x>",
    ):
        assert not mrkdwn.mentions_another(text, "UBOT")


@pytest.mark.parametrize(
    ("text", "mentioned"),
    [
        ("<@UBOT> hello", True),
        ("hello <@UBOT|parley>", True),
        ("type `<@UBOT>` to ask", False),
        ("```\n<@UBOT> hello\n```", False),
        ("`a` <@UBOT> `b`", True),
        ("it`s <@UBOT>\nisn`t it", True),
        ("`<@UBOT>` <@UBOT>", True),
        ("<@UBOT2>", False),
        ("&lt;@UBOT&gt;", False),
    ],
)
def test_a_mention_in_code_is_none(text: str, mentioned: bool) -> None:
    assert mrkdwn.is_mentioned(text, "UBOT") is mentioned


@given(st.text())
def test_nothing_that_nobody_sees_is_read(text: str) -> None:
    assert strip_hidden(mrkdwn.make_readable(text)) == mrkdwn.make_readable(text)
