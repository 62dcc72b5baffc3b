"""How answers are made, in forms and on Home: what holds, where it comes from, and the fields to choose."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from bot.channel.effective import EffectiveSetting
from bot.channel.options import (
    ANSWERS,
    CHOICES,
    DOCUMENTS,
    LENGTH,
    LENGTHS,
    MODEL,
    OF_WORKSPACE,
    PERSONA,
    REFUSE,
    STYLE,
    TEXTS,
    TOP,
    WRITING,
    OptionChecks,
    limit_tokens,
)
from bot.channel.service import PlaceSettings
from bot.costs.model_names import describe_allowed
from handlers.channel.fields import choice_field, shorten, text_field
from handlers.slack.blocks import Block, section
from handlers.slack.mrkdwn import escape

IN_CHANNEL, IN_WORKSPACE = "As everywhere", "As the operator set it"  # where nothing is chosen
AS_EVERYWHERE = "everywhere"  # the value of a choice that is none; Slack wants one that is not empty
SHOWN = 200  # characters of what somebody wrote
MODEL_NAME = 100  # characters
NOT_SET = "not set"
TITLES = {
    ANSWERS: "What I answer beside mentions",
    DOCUMENTS: "What I answer from",
    REFUSE: "Refuse what no channel is for",
    TOP: "Top instruction",
    PERSONA: "Persona",
    WRITING: "Way of writing",
    MODEL: "Model",
    STYLE: "Completion style",
    LENGTH: "Length of answers",
}
HINTS = {
    ANSWERS: "Direct messages are always answered.",
    DOCUMENTS: "Documents of this channel and of the workspace. Questions about me are answered either way.",
    REFUSE: "Every prompt begins with that rule.",
    STYLE: "How the model is asked. Model and server have to know it; whoever runs Parley can say.",
    TOP: "Every prompt begins with it, whatever a channel's persona says.",
    PERSONA: "Who Parley is here, in a sentence or more. It changes no rule of the workspace or the channel.",
    WRITING: "For instance: short sentences, no jargon, British spelling.",
}
WORDS = {
    "transcript": "A transcript of Human: and AI: (/v1/completions)",
    "chat": "Chat messages (/v1/chat/completions)",
    "responses": "Response items (/v1/responses)",
    "threads": "Threads I take part in",
    "mentions": "Nothing else",
    "every": "Every message",
    "on": "On",
    "off": "Off",
    "only": "Documents alone, else I refuse",
    "first": "Documents first, else what I know",
}
# The same word says something else of another setting.
OTHER_WORDS = {(DOCUMENTS, "off"): "What I know, no documents"}


def describe_place(place: PlaceSettings, checks: OptionChecks) -> Block:
    """Each setting with its value and where that comes from."""
    lines = describe_settings(place.effective.values(), checks)
    return section("\n".join(("*What holds now, and where it comes from*", *lines)))


def describe_settings(settings: Iterable[EffectiveSetting], checks: OptionChecks) -> list[str]:
    """A line for each setting, in Slack's own markup."""
    return [f"{TITLES[one.name]}: {escape(describe_value(one, checks))} _({one.source})_" for one in settings]


def describe_value(setting: EffectiveSetting, checks: OptionChecks) -> str:
    """A setting's value in words."""
    if setting.name == LENGTH:
        most = limit_tokens(setting.value, most=checks.most_tokens)
        words = f"{setting.value}, " if setting.value in LENGTHS else ""
        return f"{words}at most {most:,} tokens"
    if setting.name in (ANSWERS, DOCUMENTS, REFUSE):
        return describe_choice(setting.name, setting.value)
    return shorten(" ".join(setting.value.split()), SHOWN) or NOT_SET


def describe_choice(name: str, choice: str) -> str:
    """One of the choices of a setting in words."""
    return OTHER_WORDS.get((name, choice)) or WORDS[choice]


def build_fields(place: PlaceSettings, checks: OptionChecks, *, unless: str = IN_CHANNEL) -> list[Block]:
    """A field for each setting, empty where nothing was chosen in that place; `unless`: what holds then."""
    return [_build_field(name, place, checks, unless) for name in OF_WORKSPACE if name in place.own]


def read_fields(given: Mapping[str, str]) -> dict[str, str]:
    """What was filled in, by setting, unchecked."""
    return {name: given[name] for name in OF_WORKSPACE if name in given}


def _build_field(name: str, place: PlaceSettings, checks: OptionChecks, unless: str) -> Block:
    own, inherited = place.own[name], describe_value(place.otherwise[name], checks)
    if name in CHOICES:
        words = {
            AS_EVERYWHERE: f"{unless} ({inherited})",
            **{one: describe_choice(name, one) for one in CHOICES[name]},
        }
        return choice_field(name, TITLES[name], words, own or AS_EVERYWHERE, hint=HINTS.get(name, ""))
    most = TEXTS.get(name, MODEL_NAME)
    hint = {
        MODEL: describe_allowed(checks.settings),
        LENGTH: f"short, normal, long, or a number of tokens, at most {checks.most_tokens:,}.",
    }.get(name) or HINTS[name]
    shown = f"{unless}: {inherited}"
    return text_field(name, TITLES[name], own, most=most, hint=hint, placeholder=shown)
