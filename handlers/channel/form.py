"""The form of a channel's settings: values in, a modal out, and what was filled in back as values.

What is longer than Slack takes in one field is spread over several.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.channel.options import OptionChecks
from bot.channel.service import PlaceSettings
from bot.guard.policy import MAX_CONTACT, MAX_EXAMPLES, MAX_PASSAGES, MAX_PURPOSE, Policy, fingerprint
from bot.voice.listening_policy import LISTENS, SPOKEN, WORDS, ListeningPolicy
from handlers.channel.answer_fields import build_fields, describe_place, read_fields
from handlers.channel.fields import FIELD, choice_field, people_field, read_answers, text_field
from handlers.slack.blocks import Block, actions, button, context, header, section
from handlers.slack.modals import View, plain_text, window

FORM = "channel_settings"
LEARNS = (
    "I learn from these, and from every message here of which somebody says with *Should have answered*, "
    "*Should have refused* or 👍 whether it belongs: it becomes an example by which I judge later ones. "
    "Never from messages of guests and other companies."
)
OPEN_RECORD, OPEN_QUESTIONS = "open_guard_record", "open_guard_questions"
OPEN_LEARNING = "open_answer_learning"
OPEN_DOCUMENTS = "document_list"
PEOPLE, MOST_PEOPLE = "people_who_know", 20
PEOPLE_HINT = (
    "Whoever is refused an answer can have them asked in the thread. What they answer becomes a note."
)
SPARE_CHARACTERS = 500  # characters that are left free for what is added

# What can be chosen, by the name of what it sets: its label, then each value in words.
CHOICES: dict[str, tuple[str, dict[str, str]]] = {
    "shadow": (
        "Is it in force?",
        {"true": "Watch only: judge and count, refuse nothing", "false": "In force"},
    ),
    "action": (
        "What happens to the rest?",
        {
            "refuse": "Refuse in one friendly sentence",
            "note": "Answer briefly, and say that it is off topic",
            "ask": "Point to a person",
        },
    ),
    "strictness": (
        "How strict?",
        {
            "lenient": "Lenient: a wrong refusal is ten times worse",
            "normal": "Normal: 95 % of what belongs is answered",
            "strict": "Strict: both mistakes are equally bad",
        },
    ),
    "tone": ("In which tone?", {"friendly": "Friendly", "plain": "Plain", "formal": "Formal"}),
    "on_failure": (
        "When nothing can judge a message",
        {"open": "Answer it", "closed": "Refuse it"},
    ),
    "context_only": (
        "Where answers come from",
        {"false": "From everything the model knows", "true": "From the passages below and nothing else"},
    ),
    LISTENS: (
        "Voice clips that are heard",
        {
            "mentioned": "Those that turn to Parley",
            "threads": "Those in threads Parley takes part in, too",
            "every": "Every clip in this channel",
        },
    ),
}
FLAGS = frozenset({"shadow", "context_only"})
# Lists: their label, what stands between two entries, what to know about them, how many entries they take.
LISTS = {
    "belongs": (
        "Messages that belong",
        "\n",
        "One a line. Where there are none, the model writes some from the purpose, for you to change here.",
        MAX_EXAMPLES,
    ),
    "does_not": ("Messages that do not", "\n", "One a line; near misses teach most.", MAX_EXAMPLES),
    "passages": ("Passages to answer from", "\n\n", "An empty line between two of them.", MAX_PASSAGES),
}
LISTENING = (LISTENS, SPOKEN, WORDS)


@dataclass(frozen=True, slots=True)
class Filled:
    """What somebody sent. `rules`: as bot.guard.policy.parse_policy takes it; None: no guard."""

    channel: str
    was: str  # fingerprint of what the form showed
    rules: dict[str, Any] | None
    listening: dict[str, str]
    answers: dict[str, str]  # how answers are made, as bot.channel.options.OptionChecks takes it
    people: list[str] | None  # who know; None where the form had no such field


def build_form(
    channel: str,
    rules: Policy | None,
    listening: ListeningPolicy,
    answers: PlaceSettings,
    *,
    checks: OptionChecks,
    open_questions: int,
    people: Sequence[str] = (),
) -> View:
    """The form, filled with the settings of now."""
    shown = rules or Policy("")
    voice = listening_values(listening)
    return window(
        "Channel settings",
        [
            section(f"Settings of {name_channel(channel)}."),
            actions(
                button(OPEN_RECORD, "What the guard did"),
                button(OPEN_QUESTIONS, f"Unanswered questions ({open_questions})"),
                button(OPEN_DOCUMENTS, "Documents", value=channel),
                button(OPEN_LEARNING, "What answers taught"),
            ),
            header("How Parley answers here"),
            describe_place(answers, checks),
            *build_fields(answers, checks),
            people_field(PEOPLE, "People who know", people, most=MOST_PEOPLE, hint=PEOPLE_HINT),
            header("What the channel is for"),
            text_field(
                "purpose",
                "Purpose",
                shown.purpose,
                most=MAX_PURPOSE,
                hint="Empty: the channel has no subject, and no question is refused for being beside it.",
            ),
            *(_choice(name, _value(name, shown)) for name in ("shadow", "action")),
            text_field(
                "contact",
                "Whom to point to",
                shown.contact,
                most=MAX_CONTACT,
                hint="For what does not belong.",
            ),
            *(_choice(name, _value(name, shown)) for name in ("strictness", "tone", "on_failure")),
            header("Examples"),
            context(LEARNS),
            *_list("belongs", shown.belongs),
            *_list("does_not", shown.does_not),
            header("Answers only from passages"),
            _choice("context_only", _value("context_only", shown)),
            *_list("passages", shown.passages),
            header("Voice"),
            _choice(LISTENS, voice[LISTENS]),
            text_field(SPOKEN, "Languages spoken", voice[SPOKEN], hint="en, Japanese, …; empty: detected."),
            text_field(WORDS, "Names and words to expect", voice[WORDS], hint="Separated by commas."),
        ],
        submit=plain_text("Save"),
        callback_id=FORM,
        private_metadata=json.dumps({"channel": channel, "was": take_fingerprint(rules, answers)}),
    )


def take_fingerprint(rules: Policy | None, answers: PlaceSettings) -> str:
    """The same for the same settings, so that a change in between is noticed."""
    return f"{fingerprint(rules)} {answers.fingerprint}"


def sort_by_field(problems: Iterable[str]) -> dict[str, str]:
    """Problems like `field: what is wrong`, by the field at which they are shown."""
    return {field: problem for field, _, problem in (line.partition(": ") for line in problems)}


def name_channel(channel: str) -> str:
    """A channel as Slack shows it; a direct message has no name."""
    return "this conversation" if channel.startswith("D") else f"<#{channel}>"


def describe_retention(days: Mapping[str, float], channel: str) -> str:
    """How long what is said in a channel is kept, in a sentence."""
    spans = ", ".join(f"{kind} {f'{n:g} days' if n else 'for ever'}" for kind, n in days.items())
    kept = f"Kept of what is said in {name_channel(channel)}: {spans}."
    return f"{kept} Whoever looks after it may want less: `keep 7`."


def listening_values(listening: ListeningPolicy) -> dict[str, str]:
    """How clips are heard in a channel, as the form shows it."""
    return {LISTENS: listening.listen, SPOKEN: ", ".join(listening.spoken), WORDS: ", ".join(listening.words)}


def _value(name: str, rules: Policy) -> str:
    return str(getattr(rules, name)).lower()


def _choice(name: str, value: str) -> Block:
    label, words = CHOICES[name]
    return choice_field(name, label, words, value)


def _list(name: str, values: Sequence[str]) -> Iterator[Block]:
    label, between, hint, most = LISTS[name]
    for number, part in enumerate(split_fields(values, between, most=most)):
        field = name if number == 0 else f"{name}:{number}"
        title = label if number == 0 else f"{label} (more)"
        yield text_field(field, title, part, hint=hint if number == 0 else "")


def split_fields(values: Sequence[str], between: str, *, most: int) -> list[str]:
    """Spreads a list over as few fields as hold it, with space left in the last while it takes more."""
    found = [""]
    for value in values:
        longer = f"{found[-1]}{between}{value}" if found[-1] else value
        if len(longer) <= FIELD:
            found[-1] = longer
        else:
            found.append(value)
    enough = len(values) >= most or len(found[-1]) <= FIELD - SPARE_CHARACTERS
    return found if enough else [*found, ""]


# Back


def read_form(view: View) -> Filled:
    """The values that somebody sent, unchecked."""
    meant = json.loads(view["private_metadata"])
    given = read_answers(view)
    listening = {name: given[name] for name in LISTENING if name in given}
    rules: dict[str, Any] = {name: given[name] for name in ("purpose", "contact")}
    rules |= {name: _read_list(name, given) for name in LISTS}
    rules |= {name: given[name] for name in CHOICES if name not in LISTENING}
    rules |= {name: given[name] == "true" for name in FLAGS}
    purpose = given["purpose"].strip()
    people = given[PEOPLE].split() if PEOPLE in given else None
    rules_given = rules if purpose else None
    return Filled(meant["channel"], meant["was"], rules_given, listening, read_fields(given), people)


def _read_list(name: str, given: Mapping[str, str]) -> list[str]:
    _, between, _, _ = LISTS[name]
    texts = [text for field, text in given.items() if field.partition(":")[0] == name]
    return [entry.strip() for text in texts for entry in text.split(between) if entry.strip()]
