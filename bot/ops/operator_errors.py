"""Errors as lines for whoever runs Parley; people in Slack read `BotError.notice` instead."""

from __future__ import annotations

from bot.core.errors import (
    BotError,
    Busy,
    ContentFiltered,
    ContextTooLong,
    Credentials,
    ModelMissing,
    NotOffered,
    NotUnderstood,
    Overloaded,
    ProviderError,
    QuotaSpent,
    RateLimited,
    Refused,
    SetupError,
    SlackRefused,
    SlackUnavailable,
    Timeout,
    Unavailable,
)

# What an operator is told before the details; an error that is not here says it all in its own message.
_SENTENCES: dict[type[BotError], str] = {
    Credentials: "the model API does not accept the key: is OPENAI_API_KEY right?",
    QuotaSpent: "the account with the model API is used up",
    ContextTooLong: "the text is longer than the model can read",
    ContentFiltered: "the model API declined the request for its content policy",
    ModelMissing: "the model API has no such model: is PARLEY_MODEL right?",
    NotOffered: "the model API does not offer that endpoint",
    Refused: "the model API refused the request",
    RateLimited: "the model API takes no more requests just now",
    Timeout: "the model API took too long to answer",
    Overloaded: "the model API is overloaded or broken",
    Unavailable: "the model API cannot be reached: is OPENAI_BASE_URL right?",
    ProviderError: "the model API could not answer",
    SlackRefused: "Slack refused the request",
    SlackUnavailable: "Slack cannot be reached",
    Busy: "the database is busy, or its disk is full",
}


def explain_error(error: BotError) -> list[str]:
    """What is wrong and what to look at, one line for each problem."""
    if isinstance(error, SetupError):
        return error.problems
    if isinstance(error, NotUnderstood):
        return [f"{error.words}: not understood. {error.hint}"]
    detail = str(error)
    sentence = next((_SENTENCES[kind] for kind in type(error).__mro__ if kind in _SENTENCES), "")
    if not sentence:
        return [detail or type(error).__name__]
    return [f"{sentence} ({detail})" if detail else sentence]
