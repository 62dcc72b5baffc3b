"""Secrets leave no trace in logs and replies. The examples are made up in their services' shapes."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.text.redact import REDACTED, redact, redact_all
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
@pytest.mark.parametrize("around", ["{}", "key={}", 'token: "{}",', "(see {})", "`{}`", "中{}文", "a\n{}\nb"])
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


@settings(deadline=None)
@given(st.lists(st.sampled_from([*SECRETS.values(), DSN, "word", "https://", ":", "@"]), max_size=8))
def test_words_may_be_redacted_one_by_one(words):
    assert redact(" ".join(words)) == " ".join(map(redact, words))


@settings(deadline=None)
@given(st.lists(st.sampled_from([*SECRETS.values(), DSN, "word"]), max_size=6).map(" ".join))
def test_redacting_twice_changes_nothing_more(text):
    assert redact_all(redact_all(text)) == redact_all(text)
