"""Talking to Parley with one's voice: what people in Slack see, with real recordings from end to end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from bot.sandbox.slack_acts import Upload
from tests.audio_files import encode, say, tones
from tests.workspace import Workspace, is_final, text_of, workspace

EARS = {"hear": tones}


def clip(words: range, folder: Path, container: str = "m4a", **more: Any) -> Upload:
    """A recording of numbered words, as Slack's client makes one."""
    path = encode(say(words, pause_s=0.5, pause_every=6), folder / f"{words.start}.{container}", container)
    return Upload("audio_message.m4a", path.read_bytes(), voice=True, duration_s=1.0, more=more)


def spoken(words: range) -> str:
    return " ".join(f"w{word}" for word in words)


def cards(team: Workspace, channel: str, thread: str) -> list[dict[str, Any]]:
    """Every clip card in a thread."""
    return [m for m in team.replies(channel, thread) if "clip_forget" in str(m.get("blocks"))]


def answers(team: Workspace, channel: str, thread: str) -> list[str]:
    """Everything else that is final there."""
    shown = cards(team, channel, thread)
    return [text_of(m) for m in team.replies(channel, thread) if is_final(m) and m not in shown]


async def test_a_clip_with_a_mention_gets_its_card_and_then_its_answer(tmp_path: Path) -> None:
    async with workspace(tmp_path, model=EARS) as team:
        team.model.script("Understood.")
        thread = await team.slack.say("alice", "#general", "@parley", files=[clip(range(12), tmp_path)])
        await team.slack.until(lambda: answers(team, "#general", thread))
        (card,) = cards(team, "#general", thread)
        assert spoken(range(12)) in str(card["blocks"])
        assert answers(team, "#general", thread) == ["Understood."]
        assert spoken(range(12)) in team.model.requests[-1].prompt
