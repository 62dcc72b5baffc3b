"""Secrets leave no trace in logs and replies. The examples are made up in their services' shapes."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.text.redact import REDACTED, Redactor, redact, redact_all
from tests.support.secret_shapes import BODY, SECRETS

DSN = "postgresql://parley:" + "s3cr3t%21@db.internal:5432/parley"
PEM = (
    "-----BEGIN RSA "
    + "PRIVATE KEY-----\n"
    + "\n".join([BODY * 2] * 3)
    + "\n-----END RSA "
    + "PRIVATE KEY-----"
)


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize(
    "around",
    ["{}", "key={}", 'token: "{}",', "(see {})", "`{}`", "中{}文", "a\n{}\nb", r"\n{}\n", "?q=a%3D{}"],
)
def test_a_secret_of_a_known_shape_is_gone(name, around):
    redacted = redact(around.format(SECRETS[name]))
    assert redacted == around.format(REDACTED)


def test_the_password_of_a_database_is_gone_and_the_rest_is_left():
    assert redact(f"cannot connect to {DSN}") == (
        f"cannot connect to postgresql://parley:{REDACTED}@db.internal:5432/parley"
    )


@pytest.mark.parametrize("newline", ["\n", "\\n", "\r\n"])
def test_a_private_key_is_gone(newline):
    redacted = redact_all("key: " + PEM.replace("\n", newline) + newline + "after")
    assert BODY not in redacted
    assert redacted.endswith("after")
    assert "BEGIN RSA" in redacted


def test_given_values_are_gone_whatever_their_shape():
    assert redact_all("the signing secret is hunter2hunter2.", ["hunter2hunter2"]) == (
        f"the signing secret is {REDACTED}."
    )


@pytest.mark.parametrize(
    "text",
    [
        "sk-your-key-here",
        "Set SLACK_BOT_TOKEN (xoxb-…) first.",
        "task-management-for-everybody-in-the-team",
        "https://docs.slack.dev/messaging and https://a.example:8080/x@y",
        "d41d8cd98f00b204e9800998ecf8427e",
        "0b9c2e3f-5d53-4a1f-9d0a-6a1b2c3d4e5f",
        "THISISALONGCONSTANTNAMEINCAPITALS",
        "-----BEGIN CERTIFICATE-----",
    ],
)
def test_other_text_is_left_as_it_is(text):
    assert redact_all(text) == text


OPAQUE = "a1B2c3D4e5F6g7H8i9J0k1"
IN_ANSWERS = {
    "wss://wss-primary.slack.com/link/?ticket={}&app_id=2": "0b9c2e3f-5d53-4a1f-9d0a-6a1b2c3d4e5f",
    "wss://cell.slack.com/link/?app_id=2&TICKET={}": "0b9c2e3f-5d53-4a1f",
    "use Authorization: Bearer {} for it": OPAQUE,
    "use\nbearer   `{}`": OPAQUE,
    '"Bearer {}"': OPAQUE,
    "curl -H 'Authorization: Token {}' x": OPAQUE,
    "Authorization: {}": OPAQUE,
    '{{"api-key": "{}"}}': "ab12" * 8,
    "curl -H api-key:{} x": "ab12" * 8,
    "X-Subscription-Token: {}": OPAQUE,
    "Cookie: theme=light; session={}; lang=en": OPAQUE,
    "Set-Cookie: id={}; Path=/": OPAQUE,
    "curl -b 'd=xoxd" + "-{}' x": "abc%2BDEF%2Fghi%3D1",
    "X-Slack-Signature: v0={}": "ab12" * 16,
    "X-Hub-Signature-256: sha256={}": "ab12" * 16,
    "https://a.example/x?sig={}": OPAQUE,
    "https://a.example/go?to=wss%3A%2F%2Fb.example%2F%3Fticket%3D{}": "0b9c2e3f-5d53-4a1f",
    "https://files.slack.com/files-pri/T1-F1/a.mp3?pub_secret={}": "0a1b2c3d4e",
    "https://a.example/x?a=1&X-Amz-Signature={}&b=2": "ab12" * 16,
}


@pytest.mark.parametrize("text", IN_ANSWERS)
def test_tickets_bearer_tokens_cookies_and_signatures_are_gone(text):
    shown = redact(text.format(IN_ANSWERS[text]))
    assert IN_ANSWERS[text] not in shown
    assert REDACTED in shown
    if "xoxd" not in text and "v0" not in text and "sha256" not in text:
        assert shown == text.format(REDACTED)


@pytest.mark.parametrize("text", IN_ANSWERS)
def test_a_text_may_come_in_any_words(text):
    whole, redactor = text.format(IN_ANSWERS[text]), Redactor()
    pieces = re.findall(r"\S*\s*", whole)
    assert "".join(map(redactor.redact, pieces)) == redact(whole)


@pytest.mark.parametrize(
    "text",
    [
        "The bearer of this letter knows internationalisation well.",
        "Bearer authentication12 is short.",
        "Send `Authorization: Bearer <token>` with each request.",
        "Cookie: theme=light; path=/; lang=en-GB and that is all",
        "A cookie: internationalisation1234567 is not one",
        "https://a.example/?token=short&key=alsoaverylongvalue1234",
        "The ticket=1 is mine; v0=1 and sha256=0 are not.",
        "Basic authentication, token: none",
        "Authorization: Basic or Bearer, as RFC 7617 and RFC 6750 say; the api-key: header is Azure's.",
    ],
)
def test_answers_about_headers_are_left_as_they_are(text):
    assert redact(text) == text


@pytest.mark.parametrize("text", ["Bearer " + "a" * 40_000, "Cookie: " + "a=" * 20_000, "?token=" * 6_000])
def test_a_word_of_any_length_is_the_work_of_a_moment(text):
    started = time.process_time()
    assert redact(text) == text
    assert redact_all(text)
    assert time.process_time() - started < 5


@given(st.lists(st.sampled_from([*SECRETS.values(), DSN, "word", "https://", ":", "@"]), max_size=8))
def test_words_may_be_redacted_one_by_one(words):
    assert redact(" ".join(words)) == " ".join(map(redact, words))


@given(
    st.lists(
        st.sampled_from(
            [
                *SECRETS.values(),
                DSN,
                OPAQUE,
                "word",
                "Bearer",
                "Cookie:",
                "Authorization:",
                f"a={OPAQUE};",
                "'",
                "token:",
            ]
        ),
        max_size=6,
    ).map(" ".join)
)
def test_redacting_twice_changes_nothing_more(text):
    assert redact_all(redact_all(text)) == redact_all(text)
