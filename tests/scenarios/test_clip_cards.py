"""What people do with a clip card: correct it, translate it, forget it; and what becomes of it besides."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.sandbox.rehearsal.recordings import RecognisedSpeech
from bot.voice import service
from handlers.slack.blocks import FORGET_CLIP
from handlers.voice.blocks import EDIT, TRANSLATE
from tests.support import local_whisper
from tests.support.clips import (
    PATIENCE_S,
    TONE_RECOGNITION,
    answered,
    answers,
    bundled,
    cards,
    clip,
    drop,
    press,
    shown,
    speech_requests,
    spoken,
    until,
)
from tests.support.commands import forget_everything
from tests.support.rows import kept, on_disk
from tests.support.spending import run_command
from tests.support.workspace import Workspace, workspace

HELLO = range(10, 16)
LONG = range(200, 400)
ENGLISH = "The invoice is open."
ANSWER = "Understood."


async def correct(team: Workspace, thread: str, **fields: str) -> None:
    """Opens the modal, writes something else into its fields, and sends it."""
    await press(team, thread, EDIT)
    await until(team, lambda: team.slack.modals("alice"))
    assert (await team.slack.submit("alice", fields)).acked


@asynccontextmanager
async def open_workspace(tmp_path: Path, **more: Any) -> AsyncIterator[Workspace]:
    """A workspace that recognises what was recorded, in which every answer is the same."""
    async with workspace(tmp_path, model=TONE_RECOGNITION, **more) as team:
        team.model.script(ANSWER, times=0)
        yield team


def whispered(team: Workspace, user: str) -> str:
    return str(team.slack.ephemerals(user))


# -- correcting


async def test_a_corrected_transcript_is_shown_remembered_and_answered(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as team:
        thread = await drop(team, clip(HELLO, tmp_path))
        await answered(team, thread)
        await correct(team, thread, words0="When is the invoice due?")
        await answered(team, thread, count=2)
        await until(team, lambda: "When is the invoice due?" in shown(cards(team, thread)[0]))
        assert spoken(HELLO) not in shown(cards(team, thread)[0])
        await team.ask("and how much is it?", thread=thread)
        await answered(team, thread, count=3)
        prompt = team.model.requests[-1].prompt
        assert prompt.count("When is the invoice due?") == 1
        assert prompt.count(ANSWER) == 1, "what was said to the misheard question is not remembered"
        assert len(speech_requests(team)) == 1
        await until(team, lambda: not kept(tmp_path, spoken(HELLO)))


async def test_text_beside_a_corrected_clip_is_asked_again_with_it(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as team:
        thread = await drop(team, clip(HELLO, tmp_path), text="@parley translate this into French:")
        await answered(team, thread)
        await correct(team, thread, words0="Good morning")
        await answered(team, thread, count=2)
        asked = team.model.requests[-1].prompt
        assert asked.rindex("translate this into French:") < asked.rindex("Good morning")


async def test_a_long_transcript_is_corrected_in_as_many_fields_as_it_needs(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as team:
        team.model.recognise = lambda recording: RecognisedSpeech(400 * "Many words. ", "en", "", 2.0)
        thread = await drop(team, clip(HELLO, tmp_path))
        await answered(team, thread)
        await correct(team, thread, words1="The end.")
        await answered(team, thread, count=2)
        asked = team.model.requests[-1].prompt
        assert 200 < asked.count("Many words.") < 400
        assert "The end." in asked


async def test_an_unchanged_transcript_is_not_answered_again(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as team:
        thread = await drop(team, clip(HELLO, tmp_path))
        await answered(team, thread)
        await correct(team, thread)
        await team.quiet(PATIENCE_S)
        assert len(answers(team, thread)) == 1


async def test_only_whose_clip_it_is_corrects_or_forgets_it(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as team:
        thread = await drop(team, clip(HELLO, tmp_path))
        await answered(team, thread)
        await press(team, thread, EDIT, user="bob")
        await until(team, lambda: service.ONLY_OWNER_CORRECTS in whispered(team, "bob"))
        await press(team, thread, FORGET_CLIP, user="bob")
        await until(team, lambda: service.ONLY_OWNER_FORGETS in whispered(team, "bob"))
        assert not team.slack.modals("bob")
        assert spoken(HELLO) in shown(cards(team, thread)[0])


async def test_an_edit_of_the_text_beside_a_clip_keeps_what_was_heard(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as team:
        thread = await drop(team, clip(HELLO, tmp_path), text="@parley in short:")
        await answered(team, thread)
        await team.quiet()
        await team.slack.edit("alice", "#general", thread, "@parley at length:")
        await team.quiet()
        await team.ask("again", thread=thread)
        await answered(team, thread, count=2)
        prompt = team.model.requests[-1].prompt
        assert "at length:" in prompt
        assert "in short:" not in prompt
        assert spoken(HELLO) in prompt


# -- translating


async def test_english_comes_with_the_button_where_it_is_not_wanted_always(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_VOICE_ENGLISH="asked") as team:
        team.model.script(ENGLISH, match="Translate the transcript")
        thread = await drop(team, bundled("offene_rechnung.webm"))
        await answered(team, thread)
        assert ENGLISH not in shown(cards(team, thread)[0])
        await press(team, thread, TRANSLATE, user="bob")
        await until(team, lambda: ENGLISH in shown(cards(team, thread)[0]))
        (card,) = cards(team, thread)
        assert "Rechnung" in shown(card)
        assert TRANSLATE not in str(card["blocks"])


async def test_a_clip_in_english_has_nothing_to_translate(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await drop(team, bundled("release_note.m4a"))
        await answered(team, thread)
        assert TRANSLATE not in str(cards(team, thread))


async def test_a_translation_that_fails_is_told_to_whoever_asked(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_VOICE_ENGLISH="asked") as team:
        thread = await drop(team, bundled("offene_rechnung.webm"))
        await answered(team, thread)
        team.model.faults.add("content_policy", endpoint="chat/completions")
        await press(team, thread, TRANSLATE)
        await until(team, lambda: "content policy" in whispered(team, "alice"))


async def test_a_clip_heard_on_this_machine_is_translated_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = local_whisper.install(monkeypatch)
    async with workspace(tmp_path, PARLEY_VOICE_ENGLISH="asked", PARLEY_SPEECH_MODEL="local:small") as team:
        thread = await drop(team, bundled("offene_rechnung.webm"))
        await answered(team, thread)
        asked = len(team.model.requests)
        await press(team, thread, TRANSLATE, user="bob")
        await until(team, lambda: "Hello" in shown(cards(team, thread)[0]))
        assert done == ["small", "transcribe", "translate"]
        assert len(team.model.requests) == asked


# -- a recording that breaks off


async def test_a_clip_that_breaks_off_says_so_on_its_card_and_to_the_model(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as team:
        whole = clip(HELLO, tmp_path, "wav")
        thread = await drop(team, replace(whole, content=whole.content[: len(whole.content) // 2]))
        await answered(team, thread)
        assert "The end is missing: the file breaks off after" in shown(cards(team, thread)[0])
        asked = [request.body for request in team.model.requests if request.endpoint == "chat/completions"]
        assert "[the recording breaks off after 0:0" in str(asked[-1])


# -- forgetting


async def test_what_was_heard_of_a_message_and_never_shown_goes_with_it(tmp_path: Path) -> None:
    recognition = {
        "recognise": lambda audio: RecognisedSpeech("Die Rechnung ist offen.", "german", ENGLISH, 2.0)
    }
    async with workspace(tmp_path, model=recognition) as team:
        team.model.faults.add("server_error", endpoint="chat/completions", times=0)
        thread = await drop(team, clip(HELLO, tmp_path))
        await answered(team, thread)
        assert not cards(team, thread)
        assert kept(tmp_path, "Rechnung") == ["recordings"]
        await team.slack.delete("alice", "#general", thread)
        await until(team, lambda: not kept(tmp_path, "Rechnung"))


async def test_a_forgotten_clip_is_gone_from_slack_from_memory_and_from_the_disk(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as team:
        thread = await drop(team, clip(LONG, tmp_path))
        await answered(team, thread)
        await team.quiet(PATIENCE_S)
        files = [f["id"] for m in team.replies("#general", thread) for f in m.get("files", ())]
        await press(team, thread, FORGET_CLIP)
        await until(team, lambda: not cards(team, thread))
        await team.quiet(PATIENCE_S)
        (text,) = files
        assert team.slack.workspace.files[text].about["mode"] == "tombstone"
        await until(team, lambda: not kept(tmp_path, spoken(LONG[:4])))
        await until(team, lambda: not on_disk(tmp_path, spoken(LONG[:4])))
        await team.ask("what did I say?", thread=thread)
        await answered(team, thread, count=2)
        assert spoken(LONG[:4]) not in team.model.requests[-1].prompt


async def test_a_deleted_message_takes_its_cards_along(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as team:
        thread = await drop(team, clip(HELLO, tmp_path), clip(range(30, 36), tmp_path, "webm"))
        await answered(team, thread)
        await team.slack.delete("alice", "#general", thread)
        await until(team, lambda: not cards(team, thread))
        await team.quiet(PATIENCE_S)
        await until(team, lambda: not kept(tmp_path, spoken(HELLO)))


async def test_a_card_whose_post_was_never_confirmed_is_found_and_taken_away(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as team:
        team.slack.faults.add("chat.postMessage", accepted=True, hold_s=30.0, times=1)
        thread = await drop(team, clip(HELLO, tmp_path))
        await until(team, lambda: cards(team, thread))
        await team.slack.delete("alice", "#general", thread)
        await until(team, lambda: not cards(team, thread))
        await team.quiet(PATIENCE_S)
        assert not team.replies("#general", thread)


@pytest.mark.both_engines
async def test_forgetting_a_thread_or_everything_takes_the_cards_along(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as team:
        for forget in (forget_thread, forget_everything):
            thread = await drop(team, clip(HELLO, tmp_path))
            await answered(team, thread)
            await team.quiet(PATIENCE_S)
            assert (await forget(team)).startswith("Forgotten: 2 messages and 1 recording.")
            await until(team, lambda here=thread: not cards(team, here))  # type: ignore[misc]
            await until(team, lambda: not kept(tmp_path, spoken(HELLO)))


async def forget_thread(team: Workspace) -> str:
    return str((await run_command(team, "alice", "forget thread"))["text"])


# -- not twice


async def test_a_card_whose_post_was_lost_on_the_way_back_stands_there_once(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as team:
        team.slack.faults.add("chat.postMessage", accepted=True, lose_response=True)
        thread = await drop(team, clip(HELLO, tmp_path))
        await answered(team, thread)
        assert len(cards(team, thread)) == 1
        assert len(speech_requests(team)) == 1


async def test_what_could_not_be_heard_is_heard_by_the_retry_button(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as team:
        team.model.faults.add("server_error", endpoint="audio/transcriptions", times=3)
        thread = await drop(team, clip(HELLO, tmp_path))
        said = await answered(team, thread)
        assert "overloaded or broken" in said
        (reply,) = team.replies("#general", thread)
        await team.slack.press("alice", "#general", reply["ts"], "retry")
        await answered(team, thread, count=2)
        assert spoken(HELLO) in shown(cards(team, thread)[0])


async def test_a_failed_answer_that_is_tried_again_does_not_pay_for_listening_again(tmp_path: Path) -> None:
    async with open_workspace(tmp_path) as team:
        team.model.faults.add("server_error", endpoint="chat/completions", times=3)
        thread = await drop(team, clip(HELLO, tmp_path))
        await answered(team, thread)
        reply = next(m for m in team.replies("#general", thread) if m not in cards(team, thread))
        team.slack.faults.add("files.download", status=404, times=9)
        await team.slack.press("alice", "#general", reply["ts"], "retry")
        await answered(team, thread, count=2)
        assert answers(team, thread)[1] == ANSWER
        assert spoken(HELLO) in team.model.requests[-1].prompt
        assert len(speech_requests(team)) == 1
        assert len(cards(team, thread)) == 1
