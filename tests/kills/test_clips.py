"""`kill -9` while a recording is heard: no finished part is paid for twice, no card stands there twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from handlers.slack.own_messages import is_card
from handlers.voice.blocks import TRANSLATE
from tests.support.audio_files import tones
from tests.support.bot_messages import finals, ours
from tests.support.clips import clip, spoken
from tests.support.promises import kept_in
from tests.support.supervised import supervised
from tests.support.workspace import MANIFEST

WORDS = range(100, 300)
ANSWER = "I have heard all of it."

# Where the process dies, and how many requests that may cost at most.
POINTS = {
    "a part is heard and paid for": ("write:put_part:after:2", 0),
    "a part is heard and not yet kept": ("write:put_part:before:2", 1),
    "all parts are heard": ("write:put_card:before:1", 0),
    "the card is about to be shown": ("slack:chat.postMessage:before:1", 0),
    "the card was shown": ("slack:chat.postMessage:after:1", 0),
    "the text beside it was shared": ("slack:files.completeUploadExternal:after:1", 0),
}


async def test_a_card_whose_bot_was_killed_right_after_it_is_changed_where_it_stands(tmp_path: Path) -> None:
    settings = {"PARLEY_VOICE_ENGLISH": "asked", "PARLEY_MAX_CRASHES": "1"}
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False) as slack,
        FakeModel(recognise=lambda audio: replace(tones(audio), language="german")) as model,
        supervised(slack, model, tmp_path, kill_at=["slack:chat.postMessage:after:1"], **settings) as bot,
    ):
        model.script("In English.", times=0)
        await slack.until(lambda: slack.counts["apps.connections.open"] >= 2, 90)
        thread = await slack.say("alice", "#general", "@parley", files=[clip(range(12), tmp_path, "flac")])
        await slack.until(lambda: bot.lives == 2 and len(finals(slack, "#general", thread)) == 2, 90)
        card = next(m for m in slack.thread("#general", thread) if is_card(m))
        await slack.press("alice", "#general", card["ts"], TRANSLATE)
        await slack.until(lambda: "In English" in str(slack.thread("#general", thread)), 90)
        assert len([m for m in slack.thread("#general", thread) if is_card(m)]) == 1


@pytest.mark.parametrize(("point", "extra"), POINTS.values(), ids=POINTS)
async def test_a_bot_killed_while_it_listens_goes_on_where_it_was(
    point: str, extra: int, tmp_path: Path
) -> None:
    settings = {"PARLEY_VOICE_REQUEST_S": "11", "PARLEY_VOICE_PARALLEL": "1", "PARLEY_VOICE_ENGLISH": "asked"}
    async with (
        FakeSlack(manifest=MANIFEST, rate_limits=False) as slack,
        FakeModel(recognise=tones) as model,
        supervised(slack, model, tmp_path, kill_at=[point], **settings) as bot,
    ):
        model.script(ANSWER, times=0)
        await slack.until(lambda: slack.counts["apps.connections.open"] >= 2, 90)
        recording = clip(WORDS, tmp_path, "flac")
        thread = await slack.say("alice", "#general", "@parley", files=[recording])
        await slack.until(lambda: ANSWER in finals(slack, "#general", thread), 90)
        assert bot.lives == 2
        transcripts = [r.text for r in model.requests if r.endpoint.startswith("audio/")]
        assert len(set(transcripts)) > 3
        assert len(transcripts) - len(set(transcripts)) <= extra
        assert await kept_in(tmp_path, slack, model, unseen=1) == [ANSWER]
        card, answer = finals(slack, "#general", thread)
        assert answer == ANSWER
        files = [f for m in slack.thread("#general", thread)[1:] for f in m.get("files", ())]
        assert len(files) <= 1
        assert ours(slack, "#general", thread) == 2 + len(files)
        assert card
        assert spoken(WORDS) in model.requests[-1].prompt
