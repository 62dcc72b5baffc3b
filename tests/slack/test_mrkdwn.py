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


def test_a_post_that_opens_with_another_mention_is_said_to_that_person() -> None:
    assert mrkdwn.is_addressed_to_another(" <@U2> can you look?", "UBOT")
    assert not mrkdwn.is_addressed_to_another("<@UBOT> can you look?", "UBOT")
    assert not mrkdwn.is_addressed_to_another("can <@U2> look?", "UBOT")


@given(st.text())
def test_nothing_that_nobody_sees_is_read(text: str) -> None:
    assert strip_hidden(mrkdwn.make_readable(text)) == mrkdwn.make_readable(text)
