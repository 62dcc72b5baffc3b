"""Recordings as people drop them into Slack, and what Parley shows of them there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from bot.sandbox.slack.people.acts import FileUpload
from tests.support.audio_files import encode, say, tones
from tests.support.workspace import Workspace, is_final, text_of

T = TypeVar("T")
TONE_RECOGNITION = {"recognise": tones}  # for `workspace(model=…)`: reads the words off the samples
PATIENCE_S = 60.0  # decoding takes its time on a machine that has much to do
BUNDLED = Path(__file__).parents[2] / "bot" / "sandbox" / "clips"


def clip(words: Sequence[int], folder: Path, container: str = "m4a", **more: Any) -> FileUpload:
    """A recording of numbered words, as Slack's client makes one."""
    path = encode(say(words, pause_s=0.6, pause_every=6), folder / f"{words[0]}.{container}", container)
    return FileUpload("audio_message.m4a", path.read_bytes(), voice=True, duration_s=1.0, more=more)


def file(name: str, content: bytes, **more: Any) -> FileUpload:
    """A file as it is uploaded."""
    return FileUpload(name, content, more=more)


def bundled(name: str) -> FileUpload:
    """A clip that the rehearsal model knows by its sound: "release_note.m4a" or "offene_rechnung.webm"."""
    return FileUpload(name, (BUNDLED / name).read_bytes(), voice=True, duration_s=5.0)


def spoken(words: Sequence[int]) -> str:
    """What is heard in a recording of these words."""
    return " ".join(f"w{word}" for word in words)


async def drop(
    team: Workspace,
    *files: FileUpload,
    text: str = "@parley",
    channel: str = "#general",
    thread: str = "",
    user: str = "alice",
) -> str:
    """Posts files; the thread they stand in."""
    ts = await team.slack.say(user, channel, text, thread_ts=thread or None, files=files)
    return thread or ts


def cards(team: Workspace, thread: str, channel: str = "#general") -> list[dict[str, Any]]:
    """Every clip card in a thread."""
    return [m for m in team.replies(channel, thread) if "clip_forget" in str(m.get("blocks"))]


def shown(card: dict[str, Any]) -> str:
    """All that can be read on a card."""
    return " ".join(_texts(card["blocks"]))


def _texts(value: Any) -> list[str]:
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    if isinstance(value, dict):
        own = [value["text"]] if isinstance(value.get("text"), str) else []
        return own + [text for each in value.values() for text in _texts(each)]
    return []


def answers(team: Workspace, thread: str, channel: str = "#general") -> list[str]:
    """What Parley said besides, as far as it is final."""
    said = [m for m in team.replies(channel, thread) if is_final(m) and not m.get("files")]
    return [text_of(m) for m in said if m not in cards(team, thread, channel)]


async def until(team: Workspace, predicate: Callable[[], T]) -> T:
    """The first truthy value of something that is to come about."""
    return await team.slack.until(predicate, PATIENCE_S)


async def answered(
    team: Workspace, thread: str, channel: str = "#general", *, count: int = 1, timeout_s: float = PATIENCE_S
) -> str:
    """The count-th answer, once it is final."""
    await team.slack.until(lambda: len(answers(team, thread, channel)) >= count, timeout_s)
    return answers(team, thread, channel)[count - 1]


def speech_requests(team: Workspace) -> list[dict[str, Any]]:
    """What the speech model was asked, oldest first."""
    return [r.body for r in team.model.requests if r.endpoint.startswith("audio/")]


async def press(team: Workspace, thread: str, action: str, *, user: str = "alice") -> None:
    """Presses a button of the only card in a thread."""
    (card,) = cards(team, thread)
    assert (await team.slack.press(user, "#general", card["ts"], action)).acked
