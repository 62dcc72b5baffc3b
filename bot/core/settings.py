"""The one table of settings: name, default, unit, help. docs/settings.md and .env.example are made from it.

Where an operator gives them is bot/core/settings_sources.py.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from math import inf
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import Field, ValidationInfo, field_validator
from pydantic.fields import FieldInfo
from pydantic_core import PydanticCustomError
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
)

SLACK_API_URL = "https://slack.com/api/"
# Where recordings are listened to without anybody turning to Parley.
LISTEN = ("mentioned", "threads", "every")
# Which messages in channels are answered.
ANSWERED = ("threads", "mentions", "every")
DOCUMENT_MODES = ("only", "first", "off")
# What of a direct conversation is one conversation.
DIRECT = ("threads", "one")
# What a model may be told beside the words.
CONTEXT = ("names", "channel", "time")
# How a model is asked: its endpoint and the form of the conversation (bot/provider/prompt_formats.py).
STYLES = ("transcript", "chat", "responses")
SWITCH = ("off", "on")
PORTS = (0, 65_535)
COUNT = (1, inf)


def _setting(
    env: str,
    default: Any,
    help: str,
    *,
    secret: bool = False,
    choices: tuple[str, ...] = (),
    parts: tuple[str, ...] = (),  # of a list, separated by commas
    ids: str = "",  # the letters that Slack's ids in a list begin with
    between: tuple[float, float] = (0, inf),  # of numbers
    longest: float = inf,  # characters of a text
) -> Any:
    limits: dict[str, Any] = {"choices": choices, "parts": parts, "between": between, "longest": longest}
    limits |= {"secret": secret, "ids": ids}
    return Field(default, validation_alias=env, description=help, json_schema_extra=limits, repr=not secret)


class Settings(BaseSettings):
    """Everything an operator can set. Names end in their unit; amounts are US dollars.

    Made by hand it has its defaults whatever the environment says; `load` reads what an operator gave.
    """

    model_config = SettingsConfigDict(
        frozen=True,
        case_sensitive=True,
        env_ignore_empty=True,
        extra="ignore",
        populate_by_name=True,
        coerce_numbers_to_str=True,
    )

    # Slack
    slack_bot_token: str = _setting("SLACK_BOT_TOKEN", "", "bot token (xoxb-…)", secret=True)
    slack_app_token: str = _setting(
        "SLACK_APP_TOKEN", "", "app-level token (xapp-…) for Socket Mode", secret=True
    )
    slack_signing_secret: str = _setting(
        "SLACK_SIGNING_SECRET", "", "signing secret, needed for HTTP events", secret=True
    )
    slack_api_url: str = _setting("SLACK_API_URL", SLACK_API_URL, "base URL of Slack's Web API")
    transport: str = _setting(
        "PARLEY_TRANSPORT",
        "",
        "socket or http; empty: socket when SLACK_APP_TOKEN is set",
        choices=("", "socket", "http"),
    )
    host: str = _setting("PARLEY_HOST", "127.0.0.1", "address the HTTP events server binds")
    port: int = _setting("PORT", 3000, "port of the HTTP events server", between=PORTS)
    public_url: str = _setting(
        "PARLEY_PUBLIC_URL",
        "",
        "where browsers, and in HTTP mode Slack, reach PARLEY_HOST:PORT (https://parley.example.com), for "
        "the pages of usage and knowledge and the app's request URLs; empty: no page",
    )
    ops_host: str = _setting("PARLEY_OPS_HOST", "127.0.0.1", "address of /livez, /readyz and /metrics")
    ops_port: int = _setting(
        "PARLEY_OPS_PORT",
        9464,
        "port of /livez, /readyz and /metrics; 0 picks a free one",
        between=PORTS,
    )
    # Model
    openai_api_key: str = _setting("OPENAI_API_KEY", "", "key of the model API", secret=True)
    openai_base_url: str = _setting("OPENAI_BASE_URL", "", "base URL of the model API; empty: OpenAI's own")
    model_hosts: str = _setting(
        "PARLEY_MODEL_HOSTS",
        "",
        "the only hosts that words go to (eu.api.openai.com, *.eu.example.com), separated by commas; empty: "
        "wherever OPENAI_BASE_URL leads",
    )
    plain_http_hosts: str = _setting(
        "PARLEY_PLAIN_HTTP_HOSTS",
        "",
        "hosts outside of this machine and private networks that Slack's API or a model may be asked at "
        "without encryption (http), separated by commas; empty: none",
    )
    model: str = _setting(
        "PARLEY_MODEL", "gpt-6-luna", "model for answers and summaries; a channel may choose another"
    )
    middle_model: str = _setting(
        "PARLEY_MIDDLE_MODEL",
        "",
        "model for translation; empty: the same as PARLEY_MODEL",
    )
    small_model: str = _setting(
        "PARLEY_SMALL_MODEL",
        "",
        "model for verdicts of the guard and the examples it writes, for follow-ups to search documents "
        "with, and for answers where a budget is nearly used up; empty: the same as PARLEY_MIDDLE_MODEL",
    )
    allowed_models: str = _setting(
        "PARLEY_ALLOWED_MODELS",
        "",
        "models that channels may choose beside those above, separated by commas; empty: every one whose "
        "price is known",
    )
    base_model: str = _setting(
        "PARLEY_BASE_MODEL",
        "",
        "model whose price applies when PARLEY_MODEL is a deployment's own name; for several deployments "
        "their-name=model, separated by commas",
    )
    successors: str = _setting(
        "PARLEY_SUCCESSORS",
        "",
        "who answers once a model has ended: gpt-5=gpt-6.1-sol, ended-model=successor, …; an empty "
        "successor: nobody; models that are not named: whom their service recommends",
    )
    fallbacks: str = _setting(
        "PARLEY_FALLBACKS",
        "",
        "further models, asked in order when the one before does not answer and nothing was shown yet: "
        "MODEL, or MODEL ADDRESS, perhaps with a style, separated by commas; empty: none",
    )
    fallback_keys: str = _setting(
        "PARLEY_FALLBACK_KEYS",
        "",
        "keys of the servers in PARLEY_FALLBACKS, host=key, separated by commas",
        secret=True,
    )
    style: str = _setting(
        "PARLEY_STYLE",
        "chat",
        "how the model is asked: transcript (/v1/completions), chat or responses",
        choices=STYLES,
    )
    persona: str = _setting(
        "PARLEY_PERSONA",
        "You are Parley, the assistant of a team, in the team's own Slack. "
        "Answer helpfully, correctly and briefly, in the language of the question.",
        "who the assistant is, in a sentence or two; a channel may say otherwise",
    )
    writing: str = _setting(
        "PARLEY_WRITING", "", "how answers are written, in words (short sentences, no jargon)"
    )
    length: str = _setting(
        "PARLEY_LENGTH",
        "normal",
        "how long answers are: short, normal, long or a number of tokens, at most PARLEY_MAX_TOKENS",
    )
    top_instruction: str = _setting(
        "PARLEY_TOP_INSTRUCTION", "", "what every prompt begins with, before any persona; empty: nothing"
    )
    refuse_unrelated: str = _setting(
        "PARLEY_REFUSE_UNRELATED",
        "off",
        "on: every prompt begins with the rule to refuse what no channel is for",
        choices=SWITCH,
    )
    temperature: float | None = _setting(
        "PARLEY_TEMPERATURE",
        None,
        "sampling temperature; empty: 0.9 in the style transcript, else the model's own",
        between=(0, 2),
    )
    top_p: float | None = _setting(
        "PARLEY_TOP_P",
        None,
        "nucleus sampling; empty: 1 in the style transcript, else the model's own",
        between=(0, 1),
    )
    max_tokens: int = _setting(
        "PARLEY_MAX_TOKENS",
        2500,
        "longest answer, in tokens; one that was all thinking is asked for once more with more room",
        between=COUNT,
    )
    presence_penalty: float | None = _setting(
        "PARLEY_PRESENCE_PENALTY",
        None,
        "penalty for a token said before; empty: 0.6 in the style transcript, else the model's own",
        between=(-2, 2),
    )
    frequency_penalty: float | None = _setting(
        "PARLEY_FREQUENCY_PENALTY",
        None,
        "penalty growing with how often a token was said; empty: 0 in the style transcript, else the model's "
        "own",
        between=(-2, 2),
    )
    extra_parameters: str = _setting(
        "PARLEY_MODEL_PARAMETERS",
        "",
        "further parameters, a JSON object: n, best_of, suffix, echo, logprobs, logit_bias, seed, user",
    )
    stop: str = _setting(
        "PARLEY_STOP",
        "",
        "stop sequences, a JSON list, sent where the endpoint takes them and cut letter for letter; empty: "
        "those of the style (docs/settings.md)",
    )
    request_deadline_s: float = _setting(
        "PARLEY_REQUEST_DEADLINE_S", 120.0, "longest one model request may take in all, in seconds"
    )
    model_patience_s: float = _setting(
        "PARLEY_MODEL_PATIENCE_S",
        300.0,
        "how long a question waits for a model server that is not there, as while it restarts, in seconds; "
        "0: not at all",
    )
    tokens_per_minute: int = _setting(
        "PARLEY_TOKENS_PER_MINUTE",
        0,
        "most tokens per minute that each model of the server is asked for, shared fairly by channels and "
        "people; 0: what the server says in its x-ratelimit headers",
    )
    requests_per_minute: int = _setting("PARLEY_REQUESTS_PER_MINUTE", 0, "most requests per minute, likewise")
    tokens_counted: str = _setting(
        "PARLEY_TOKENS_COUNTED",
        "",
        "what the server counts against tokens per minute: reserve (prompt and longest possible answer, as "
        "OpenAI and Azure do) or use (what was really used); empty: found out from its headers",
        choices=("", "reserve", "use"),
    )
    model_parallel: int = _setting(
        "PARLEY_MODEL_PARALLEL",
        0,
        "requests that each model server gets at the same time; 0: without bound for services; for a server "
        "on this machine or in a private network 4, and more while it begins its answers as quickly",
    )
    # Voice
    speech_model: str = _setting(
        "PARLEY_SPEECH_MODEL",
        "gpt-transcribe",
        "model that listens; local:small and its like run on this machine",
    )
    speech_languages: str = _setting(
        "PARLEY_SPEECH_LANGUAGES",
        "",
        "languages of recordings (en, ja, …), separated by commas; empty: detected",
    )
    speech_vocabulary: str = _setting(
        "PARLEY_SPEECH_VOCABULARY", "Parley", "names and product words to expect, separated by commas"
    )
    voice_listen: str = _setting(
        "PARLEY_VOICE_LISTEN",
        "threads",
        "clips heard in channels: mentioned, threads (that Parley takes part in, too) or every; a channel "
        "may choose for itself",
        choices=LISTEN,
    )
    voice_english: str = _setting(
        "PARLEY_VOICE_ENGLISH",
        "always",
        "English beside a clip in another language: always, or asked (by its button)",
        choices=("always", "asked"),
    )
    voice_parallel: int = _setting(
        "PARLEY_VOICE_PARALLEL", 4, "requests to the speech model at the same time"
    )
    voice_request_s: float = _setting(
        "PARLEY_VOICE_REQUEST_S",
        0.0,
        "longest recording the speech model takes in one request, in seconds; 0: as its table says",
    )
    voice_clip_minutes: float = _setting("PARLEY_VOICE_CLIP_MINUTES", 180.0, "longest recording, in minutes")
    voice_person_minutes: float = _setting(
        "PARLEY_VOICE_PERSON_MINUTES", 240.0, "recordings of one person in a day, in minutes"
    )
    voice_team_minutes: float = _setting(
        "PARLEY_VOICE_TEAM_MINUTES", 2400.0, "recordings of a whole workspace in a day, in minutes"
    )
    file_limit_mb: int = _setting(
        "PARLEY_FILE_LIMIT_MB", 500, "largest file that is fetched, in megabytes; Slack's own limit is 1000"
    )
    temporary_limit_mb: int = _setting(
        "PARLEY_TEMPORARY_LIMIT_MB",
        4000,
        "most that temporary files (recordings while they are fetched and heard) take together, in "
        "megabytes; who shares a file beyond that is told so",
        between=COUNT,
    )
    # Costs
    prices: str = _setting(
        "PARLEY_PRICES", "", "TOML file of prices that add to and overrule the packaged ones"
    )
    free_models: str = _setting(
        "PARLEY_FREE_MODELS",
        "",
        "models that cost nothing, as on a server of your own, separated by commas; a * at the end stands "
        "for any ending; a model without this and without a price is unpriced",
    )
    tag_key: str = _setting(
        "PARLEY_TAG_KEY",
        "",
        "a secret of your own: with it each model request carries tags for a gateway's reports (the header "
        "x-litellm-tags), keyed hashes of team, channel and kind that `parley reconcile --tags` explains",
        secret=True,
    )
    time_zone: str = _setting(
        "PARLEY_TIME_ZONE", "UTC", "where the team lives (Europe/Berlin); its days and budgets begin there"
    )
    # Conversations
    memory_tokens: int = _setting(
        "PARLEY_MEMORY_TOKENS", 24_000, "prompt budget; above it the conversation is summarised, in tokens"
    )
    memory_tail_tokens: int = _setting(
        "PARLEY_MEMORY_TAIL_TOKENS", 2_000, "last turns kept word for word beside a summary, in tokens"
    )
    cache_life_s: float = _setting(
        "PARLEY_CACHE_LIFE_S", 1800.0, "how long the provider keeps a prompt prefix, in seconds"
    )
    answers: str = _setting(
        "PARLEY_ANSWERS",
        "threads",
        "what is answered in channels beside mentions: threads (that Parley takes part in), mentions "
        "(nothing else) or every (each message); a channel may choose for itself",
        choices=ANSWERED,
    )
    documents: str = _setting(
        "PARLEY_DOCUMENTS",
        "first",
        "what questions are answered from: only (documents, or refused), first (documents, else what "
        "the model knows, and it says so) or off (documents are not asked); a channel may choose for itself",
        choices=DOCUMENT_MODES,
    )
    thread_turn_limit: int = _setting(
        "PARLEY_THREAD_TURN_LIMIT", 500, "answers in one thread before Parley asks for a new one (loop guard)"
    )
    direct: str = _setting(
        "PARLEY_DIRECT",
        "threads",
        "what is remembered together in direct messages: threads (each for itself) or one (all of it, as one "
        "conversation); answers stand in threads either way",
        choices=DIRECT,
    )
    asking_apps: str = _setting(
        "PARLEY_ASKING_APPS",
        "",
        "ids of the apps, bots and workflows (A0123…, B0123…, U0123…) whose posts that mention Parley are "
        "questions, separated by commas; empty: none",
        ids="ABUW",
    )
    asking_apps_limit: int = _setting(
        "PARLEY_ASKING_APPS_LIMIT",
        20,
        "questions of one such app in one channel that are answered within an hour; then Parley says so once "
        "and answers none of it there for an hour",
        between=COUNT,
    )
    # Subjects
    policies: str = _setting(
        "PARLEY_POLICIES",
        "",
        "TOML file of what channels are for and how they are answered; what is set in Slack for a channel "
        "overrules it",
    )
    embeddings: str = _setting(
        "PARLEY_EMBEDDINGS",
        "",
        "what guards learn from, and documents are found by, beside words: local or local:multilingual (on "
        "this machine), or an embedding model of the API",
    )
    # Privacy
    context: str = _setting(
        "PARLEY_CONTEXT",
        "names,channel,time",
        "what the model is told beside the words: names (of people), channel (its name and purpose), time "
        "(where the asker lives); separated by commas; empty: nothing",
        parts=CONTEXT,
    )
    channels: str = _setting(
        "PARLEY_CHANNELS",
        "",
        "ids of the channels Parley works in (C0123…), separated by commas; empty: wherever it is invited; "
        "direct messages always",
        ids="CG",
    )
    external: str = _setting(
        "PARLEY_EXTERNAL",
        "alone",
        "in channels shared with another company, and for its people: refuse; alone (each question is "
        "answered by itself, without memory or documents); all (as everywhere)",
        choices=("refuse", "alone", "all"),
    )
    disclosure: str = _setting(
        "PARLEY_DISCLOSURE",
        "",
        "your own sentence for telling people that they talk with an AI whose answers can be wrong (under "
        "each person's first answer, in the Home tab, to whoever invites the bot); empty: one in English",
        longest=300,
    )
    privacy_contact: str = _setting(
        "PARLEY_PRIVACY_CONTACT",
        "",
        "whom people write to about their data, on the page that `parley privacy` makes (an address, a name)",
        longest=300,
    )
    keep_messages_days: float = _setting(
        "PARLEY_KEEP_MESSAGES_DAYS",
        30.0,
        "messages, answers and summaries are erased after so many days; 0: never",
    )
    keep_recordings_days: float = _setting(
        "PARLEY_KEEP_RECORDINGS_DAYS", 30.0, "what was heard in recordings, likewise; 0: never"
    )
    keep_verdicts_days: float = _setting(
        "PARLEY_KEEP_VERDICTS_DAYS",
        90.0,
        "what the guard ruled and what documents could not answer, with the words it was about, likewise; "
        "0: never",
    )
    uninstalled: str = _setting(
        "PARLEY_UNINSTALLED",
        "erase",
        "what becomes of a workspace that the app is removed from: erase (at once; amounts stay) or keep "
        "(settings stay as well; what people said goes within fourteen days, unless the app is back)",
        choices=("erase", "keep"),
    )
    # Work
    operators: str = _setting(
        "PARLEY_OPERATORS",
        "",
        "ids of the people (U0123…) who run Parley, separated by commas: it writes to them when something "
        "needs their hand, like a model that ends; empty: the log alone says it",
        ids="UW",
    )
    database: str = _setting("PARLEY_DATABASE", "sqlite:///parley.db", "where everything is kept")
    parallel_turns: int = _setting(
        "PARLEY_PARALLEL_TURNS", 256, "conversations answered at the same time", between=COUNT
    )
    max_attempts: int = _setting(
        "PARLEY_MAX_ATTEMPTS", 4, "attempts before a message is parked", between=COUNT
    )
    max_crashes: int = _setting(
        "PARLEY_MAX_CRASHES", 5, "process deaths before a message is parked", between=COUNT
    )
    message_age_limit_s: float = _setting(
        "PARLEY_MESSAGE_AGE_LIMIT_S", 3600.0, "older messages are closed, not answered, in seconds"
    )
    streams_per_minute: int = _setting(
        "PARLEY_STREAMS_PER_MINUTE",
        20,
        "chat.startStream requests per minute and workspace (Slack's Tier 2); 0: no pacing of Slack requests",
    )
    link_hosts: str = _setting(
        "PARLEY_LINK_HOSTS", "", "hosts the model may link to without being asked, separated by commas"
    )
    log_level: str = _setting(
        "PARLEY_LOG_LEVEL",
        "INFO",
        "DEBUG, INFO, WARNING or ERROR",
        choices=("DEBUG", "INFO", "WARNING", "ERROR"),
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)

    @field_validator("*")
    @classmethod
    def _within_limits(cls, value: Any, info: ValidationInfo) -> Any:
        """What a type alone does not say."""
        limits = cls.model_fields[info.field_name or ""].json_schema_extra
        assert isinstance(limits, dict)
        for problem in _problems(info.field_name or "", value, limits):
            raise PydanticCustomError("setting", "{problem}", {"problem": problem})
        return value

    def changed(self, **values: Any) -> Self:
        """These settings with some of them otherwise."""
        return self.model_copy(update=values)

    @property
    def socket_mode(self) -> bool:
        return (self.transport or ("socket" if self.slack_app_token else "http")) == "socket"

    @property
    def slack_host(self) -> str:
        """The host that files and sockets are pinned to when SLACK_API_URL is not Slack's; else ''."""
        if self.slack_api_url.rstrip("/") == SLACK_API_URL.rstrip("/"):
            return ""
        return urlsplit(self.slack_api_url).hostname or ""


@dataclass(frozen=True, slots=True)
class Row:
    """One setting: how the operator names it, and how the code does."""

    env: str
    name: str
    default: Any
    help: str
    secret: bool


@cache
def table() -> tuple[Row, ...]:
    """Every setting, in order."""
    return tuple(itertools.starmap(_row, Settings.model_fields.items()))


def _row(name: str, field: FieldInfo) -> Row:
    assert isinstance(field.json_schema_extra, dict)
    secret = bool(field.json_schema_extra["secret"])
    return Row(str(field.validation_alias), name, field.default, field.description or "", secret)


def _problems(name: str, value: Any, limits: Mapping[str, Any]) -> Iterator[str]:
    """What is wrong with a value of the right type."""
    if limits["choices"] and value not in limits["choices"]:
        yield f"{value!r} is not one of {', '.join(map(repr, limits['choices']))}"
    if limits["parts"]:
        unknown = [part for part in split_list(value) if part not in limits["parts"]]
        yield from (f"{part!r} is not one of {', '.join(map(repr, limits['parts']))}" for part in unknown)
    if letters := limits["ids"]:
        id = re.compile(f"[{letters}][A-Z0-9]+", re.IGNORECASE)
        wrong = [part for part in split_list(value) if not id.fullmatch(part)]
        yield from (f"{part!r} is no id of Slack's like {letters[0]}0123ABCD" for part in wrong)
    if isinstance(value, str) and len(value) > limits["longest"]:
        yield f"longer than {limits['longest']} characters"
    least, most = limits["between"]
    if isinstance(value, int | float) and not least <= value <= most:
        yield f"{value} is not {_range(least, most)}"
    if name.endswith("_url") and value and not is_address(value):
        yield "not an address like https://example.com/"


def split_list(value: str) -> list[str]:
    """The parts of a list that is separated by commas."""
    return [part for part in map(str.strip, value.split(",")) if part]


def _range(least: float, most: float) -> str:
    return f"between {least} and {most}" if most < inf else f"{least} or more"


def is_address(url: str) -> bool:
    """Whether it is one of a server over HTTP."""
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False
