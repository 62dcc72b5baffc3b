"""From a recording to a clip card, through the real provider and ledger, against a strict fake model API."""

from __future__ import annotations

import asyncio
import os
import signal
from dataclasses import replace
from decimal import Decimal
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bot.core.errors import BudgetExceeded, FileTooLarge, Missing, UnsupportedFile
from bot.core.values import Conversation
from bot.costs import pricing
from bot.sandbox.rehearsal.recordings import RecognisedSpeech, recognise_speech
from bot.voice import clip_card, recognition, speech_models
from bot.voice.clip_card import ClipCard
from bot.voice.transcriber import TranscriptionRequest
from bot.voice.transcript import Segment, correct_segments, read_transcript, spread_sentences
from storage.conversation import messages
from storage.privacy import forget
from storage.voice import recordings
from tests.support.audio_files import FORMATS, RATE, decode, encode, noise, say, silence, speech, tones, wav
from tests.support.forked import PIPE, start_module
from tests.support.recognition import SCOPE, recognizer_on
from tests.support.rows import kept
from tests.support.waiting import until

CLIPS = Path(__file__).parents[2] / "bot" / "sandbox" / "clips"


def someone(recording: bytes) -> RecognisedSpeech:
    return RecognisedSpeech("Hey Parley, when do we meet?", "en", "", len(decode(recording)) / RATE)


def clip_of(words: list[int] | range, path: Path, container: str = "webm", **pauses: Any) -> Path:
    return encode(say(words, **pauses), path, container)


def text(words: list[int] | range) -> str:
    return " ".join(f"w{word}" for word in words)


# -- what reaches the model


@pytest.mark.parametrize("container", sorted(FORMATS))
async def test_every_format_reaches_the_model_byte_for_byte(container: str, tmp_path: Path) -> None:
    path = clip_of(range(12), tmp_path / "audio_message.mp4", container)
    async with recognizer_on(tmp_path) as h:
        card = await h.recognizer.recognize(path, TranscriptionRequest("audio_message.mp4", SCOPE))
        (asked,) = h.requests
    assert asked["file"] == (f"recording.{container}", path.read_bytes())
    assert card.text == text(range(12))
    assert card.language == "en"
    assert card.timed
    assert card.length_s == pytest.approx(12 * 0.32, abs=0.1)


async def test_a_long_recording_reaches_the_model_in_parts_that_hold_all_of_it(tmp_path: Path) -> None:
    path = clip_of(range(100), tmp_path / "meeting", "mp3", pause_s=0.6, pause_every=6)
    reported: list[str] = []
    async with recognizer_on(tmp_path, voice_request_s=11) as h:
        request = TranscriptionRequest(
            "meeting.mp3", SCOPE, progress=lambda at, of: reported.append(recognition.format_minutes(at, of))
        )
        card = await h.recognizer.recognize(path, request)
        lengths = [len(decode(asked["file"][1])) / RATE for asked in h.requests]
    assert card.text == text(range(100))
    assert max(lengths) <= 11
    assert sum(lengths) == pytest.approx(card.length_s, abs=0.3)
    assert reported[0] == "0 of 1 minute"
    assert reported[-1] == "1 of 1 minute"
    starts = [s.start_s for s in card.segments]
    assert starts == sorted(starts)
    assert card.segments[-1].end_s <= card.length_s


async def test_at_most_so_many_requests_at_a_time(tmp_path: Path) -> None:
    running = most = 0

    class Slow:
        pick_model = staticmethod(str)

        async def transcribe(self, name: str, audio: bytes, *args: Any, **more: Any) -> dict[str, Any]:
            nonlocal running, most
            running += 1
            most = max(most, running)
            await asyncio.sleep(0.02)
            running -= 1
            return {"text": tones(audio).text}

        translate = transcribe

    path = clip_of(range(200), tmp_path / "meeting", "flac", pause_s=0.6, pause_every=6)
    async with recognizer_on(tmp_path, speech=Slow(), voice_request_s=10, voice_parallel=2) as h:
        await h.recognizer.recognize(path, TranscriptionRequest("meeting", SCOPE))
    assert most == 2


# -- what is not sent


@pytest.mark.parametrize(
    "samples", [silence(5), noise(5), noise(5, colour=2)], ids=["silence", "noise", "rumble"]
)
async def test_nothing_to_hear_costs_nothing(samples: Any, tmp_path: Path) -> None:
    path = tmp_path / "clip"
    path.write_bytes(wav(samples))
    async with recognizer_on(tmp_path) as h:
        card = await h.recognizer.recognize(path, TranscriptionRequest("clip", SCOPE, english=True))
        assert not card.has_words
        assert card.cost_usd == 0
        assert h.requests == []
        assert await h.spent() == []


async def test_silent_parts_of_a_long_recording_are_not_sent(tmp_path: Path) -> None:
    samples = np.concatenate([say(range(20)), silence(40), say(range(20, 40))])
    path = encode(samples, tmp_path / "clip", "flac")
    async with recognizer_on(tmp_path, voice_request_s=10) as h:
        card = await h.recognizer.recognize(path, TranscriptionRequest("clip", SCOPE))
        seconds = sum(len(decode(asked["file"][1])) / RATE for asked in h.requests)
    assert card.text == text(range(40))
    assert seconds < 35


async def test_words_made_up_for_silence_are_left_out() -> None:
    reply = {
        "text": "Hello. Thank you for watching!",
        "segments": [
            {"start": 0, "end": 2, "text": " Hello."},
            {"start": 20, "end": 29, "text": "Thank you for watching!"},
            {"start": 1, "end": 3, "text": "Subscribe!", "no_speech_prob": 0.9, "avg_logprob": -1.4},
        ],
    }
    assert [s.text for s in read_transcript(reply, [(0.2, 2.1)], 30).segments] == ["Hello."]


async def test_broken_and_hostile_files_cost_nothing(tmp_path: Path) -> None:
    path = tmp_path / "clip"
    async with recognizer_on(tmp_path) as h:
        for content in (b"", b"#EXTM3U\nfile:///etc/passwd", b"\x00\x00\x00\x20ftypM4A " + os.urandom(2_000)):
            path.write_bytes(content)
            with pytest.raises(UnsupportedFile):
                await h.recognizer.recognize(path, TranscriptionRequest("voice.mp4", SCOPE))
        assert h.requests == []
        assert await h.spent() == []


# -- models


@pytest.mark.parametrize(
    ("model", "fields"),
    [
        ("whisper-1", {"language": "ja", "prompt": "Kantine, Parley", "response_format": "verbose_json"}),
        ("gpt-4o-transcribe", {"language": "ja", "prompt": "Kantine, Parley", "response_format": "json"}),
        (
            "gpt-4o-mini-transcribe",
            {"language": "ja", "prompt": "Kantine, Parley", "response_format": "json"},
        ),
        ("gpt-transcribe", {"language": "ja", "keywords": ["Kantine", "Parley"], "response_format": "json"}),
        (
            "gpt-4o-transcribe-diarize",
            {"language": "ja", "response_format": "diarized_json", "chunking_strategy": "auto"},
        ),
    ],
)
async def test_each_model_is_asked_in_its_own_words(
    model: str, fields: dict[str, Any], tmp_path: Path
) -> None:
    path = clip_of(range(8), tmp_path / "clip")
    async with recognizer_on(tmp_path, speech_model=model) as h:
        request = TranscriptionRequest("clip", SCOPE, spoken=("Japanese",), vocabulary=("Kantine",))
        card = await h.recognizer.recognize(path, request)
        (asked,) = h.requests
    assert {name: value for name, value in asked.items() if name not in ("file", "model")} == fields
    assert card.text.removeprefix("A: ") == text(range(8))
    assert bool(card.speakers) == model.endswith("diarize")


def test_unknown_models_get_only_what_every_server_takes() -> None:
    assert speech_models.parameters(speech_models.lookup("ears-v2"), languages=["de"]) == {
        "response_format": "json",
        "language": "de",
    }
    assert speech_models.lookup("Systran/faster-whisper-small").formats[0] == "verbose_json"
    assert speech_models.lookup("gpt-4o-mini-transcribe-2025-12-15").max_s == 1_390
    assert speech_models.lookup("ears-v2").max_s == 1_200


def test_several_languages_are_a_choice_only_where_the_model_has_one() -> None:
    ask = partial(speech_models.parameters, languages=["de", "en"])
    assert ask(speech_models.lookup("gpt-transcribe"))["languages"] == ["de", "en"]
    assert not {"language", "languages"} & ask(speech_models.lookup("whisper-1")).keys()


async def test_text_without_times_is_laid_over_the_sound(tmp_path: Path) -> None:
    samples = np.concatenate([silence(5), speech(), silence(5), speech("wann"), silence(1)])
    path = encode(samples, tmp_path / "clip", "flac")

    def two(recording: bytes) -> RecognisedSpeech:
        return RecognisedSpeech("Hey Parley, when do we meet tomorrow? Wann treffen wir uns?", "en", "", 16)

    async with recognizer_on(tmp_path, speech_model="gpt-transcribe", recognise=two) as h:
        card = await h.recognizer.recognize(path, TranscriptionRequest("clip", SCOPE))
    assert not card.timed
    first, second = card.segments
    assert (first.start_s, second.end_s) == pytest.approx((5, 14.7), abs=0.6)
    assert second.start_s > 6


# -- English


async def test_english_comes_from_the_endpoint_where_the_model_has_one(tmp_path: Path) -> None:
    async with recognizer_on(tmp_path, recognise=recognise_speech) as h:
        card = await h.recognizer.recognize(
            CLIPS / "offene_rechnung.webm", TranscriptionRequest("a.webm", SCOPE, english=True)
        )
        assert [r.endpoint for r in h.model.requests] == ["audio/transcriptions", "audio/translations"]
        kinds = {row["kind"]: row["requests"] for row in await h.spent()}
    assert card.language == "de"
    assert "Rechnung" in card.text
    assert card.english_text.startswith("Hello Parley, the invoice for October")
    assert kinds == {"transcription": 1, "translation": 1}


async def test_english_comes_from_the_middle_language_model_where_it_has_none(tmp_path: Path) -> None:
    sizes = {"model": "gpt-6-sol", "middle_model": "gpt-4.1-mini", "small_model": "gpt-4.1-nano"}
    async with recognizer_on(
        tmp_path, recognise=recognise_speech, speech_model="gpt-transcribe", **sizes
    ) as h:
        h.model.script("Hello Parley, the invoice is open.", match="Rechnung")
        card = await h.recognizer.recognize(
            CLIPS / "offene_rechnung.webm", TranscriptionRequest("a.webm", SCOPE, english=True)
        )
        asked = [r.endpoint for r in h.model.requests if r.outcome == "answered"]
        assert asked == ["audio/transcriptions", "chat/completions"]
        assert h.model.requests[-1].model == "gpt-4.1-mini"
        h.model.requests.clear()
        again = await h.recognizer.translate_card(card.id, SCOPE)
        assert not h.model.requests
    assert card.english_text == "Hello Parley, the invoice is open."
    assert card.english_whole
    assert again == card
    assert card.cost_usd is not None
    assert card.cost_usd > 0


async def test_a_cut_translation_is_marked(tmp_path: Path) -> None:
    async with recognizer_on(tmp_path, recognise=recognise_speech, speech_model="gpt-transcribe") as h:
        h.model.script("Hello", match="Rechnung", finish="length")
        card = await h.recognizer.recognize(
            CLIPS / "offene_rechnung.webm", TranscriptionRequest("a.webm", SCOPE, english=True)
        )
    assert not card.english_whole


@pytest.mark.parametrize("model", ["whisper-1", "gpt-transcribe", "gpt-4o-transcribe"])
async def test_what_is_english_already_is_not_translated(model: str, tmp_path: Path) -> None:
    async with recognizer_on(tmp_path, recognise=recognise_speech, speech_model=model) as h:
        card = await h.recognizer.recognize(
            CLIPS / "release_note.m4a", TranscriptionRequest("a.m4a", SCOPE, english=True)
        )
        assert len(h.model.requests) == 1
    assert card.language == "en"
    assert card.english == ()


# -- money


@pytest.mark.parametrize("model", ["whisper-1", "gpt-transcribe", "gpt-4o-transcribe"])
async def test_the_ledger_holds_what_the_provider_reports_and_the_card_what_the_ledger_holds(
    model: str, tmp_path: Path
) -> None:
    path = clip_of(range(100), tmp_path / "clip", "flac", pause_s=0.6, pause_every=6)
    async with recognizer_on(tmp_path, speech_model=model, voice_request_s=11) as h:
        card = await h.recognizer.recognize(path, TranscriptionRequest("clip", SCOPE))
        reported = [r.usage for r in h.model.requests if r.usage]
        (row,) = await h.spent()
    assert row["requests"] == len(reported) > 3
    assert row["estimated"] == 0
    if model == "gpt-4o-transcribe":
        assert row["input_tokens"] == sum(usage["input_tokens"] for usage in reported)
        assert row["output_tokens"] == sum(usage["output_tokens"] for usage in reported)
    else:
        assert row["audio_seconds"] == sum(usage["seconds"] for usage in reported)
    assert card.cost_usd == pricing.usd(row["cost"])
    assert card.cost_usd > Decimal("0.001")


async def test_a_recording_longer_than_one_may_be_is_refused(tmp_path: Path) -> None:
    path = clip_of(range(40), tmp_path / "clip", "mp3")
    async with recognizer_on(tmp_path, voice_clip_minutes=0.1) as h:
        with pytest.raises(FileTooLarge):
            await h.recognizer.recognize(path, TranscriptionRequest("clip", SCOPE))
        assert h.requests == []


async def test_minutes_are_capped_per_person_and_for_all_and_start_anew_at_midnight(tmp_path: Path) -> None:
    paths = [clip_of([i] * 20, tmp_path / f"{i}") for i in range(8)]  # 6.4 s each
    bob = replace(SCOPE, user="U2")
    caps = {"voice_person_minutes": 13 / 60, "voice_team_minutes": 20 / 60}
    async with recognizer_on(tmp_path, recognise=someone, **caps) as h:
        await h.recognizer.recognize(paths[0], TranscriptionRequest("clip", SCOPE))
        await h.recognizer.recognize(paths[0], TranscriptionRequest("clip", SCOPE))
        await h.recognizer.recognize(paths[1], TranscriptionRequest("clip", SCOPE))
        with pytest.raises(BudgetExceeded, match="personal daily voice"):
            await h.recognizer.recognize(paths[2], TranscriptionRequest("clip", SCOPE))
        await h.recognizer.recognize(paths[3], TranscriptionRequest("clip", bob))
        with pytest.raises(BudgetExceeded, match="workspace's daily voice"):
            await h.recognizer.recognize(paths[4], TranscriptionRequest("clip", bob))
        assert len(h.requests) == 3
        h.now[0] += 86_400
        await h.recognizer.recognize(paths[4], TranscriptionRequest("clip", bob))
        await h.recognizer.recognize(paths[5], TranscriptionRequest("clip", SCOPE))


async def test_the_same_recording_in_the_same_thread_is_paid_for_once(tmp_path: Path) -> None:
    path = clip_of(range(10), tmp_path / "clip")
    async with recognizer_on(tmp_path) as h:
        first = await h.recognizer.recognize(path, TranscriptionRequest("clip", SCOPE))
        assert await h.recognizer.recognize(path, TranscriptionRequest("clip", SCOPE)) == first
        assert len(h.requests) == 1
        elsewhere = TranscriptionRequest("clip", replace(SCOPE, conversation="T1:C2:1"))
        await h.recognizer.recognize(path, elsewhere)
        assert len(h.requests) == 2


# -- what goes wrong


async def test_a_recording_that_is_wanted_twice_at_once_is_listened_to_once(tmp_path: Path) -> None:
    path = clip_of(range(12), tmp_path / "clip")
    async with recognizer_on(tmp_path) as h:
        first, second = await asyncio.gather(
            *(h.recognizer.recognize(path, TranscriptionRequest("clip", SCOPE)) for _ in range(2))
        )
        assert first.text == second.text == text(range(12))
        assert len(h.requests) == 1


@pytest.mark.both_engines
async def test_no_word_is_kept_of_a_message_that_is_deleted_while_it_is_listened_to(tmp_path: Path) -> None:
    path = clip_of(range(12), tmp_path / "clip")

    class Deleting:
        pick_model = staticmethod(str)

        async def transcribe(self, name: str, audio: bytes, *args: Any, **more: Any) -> dict[str, Any]:
            await h.engine.write(messages.delete, "T1", "C1", "1.0", now=1)
            return {"text": tones(audio).text}

        translate = transcribe

    async with recognizer_on(tmp_path, speech=Deleting()) as h:
        with pytest.raises(Missing):
            await h.recognizer.recognize(path, TranscriptionRequest("clip", SCOPE, message="1.0"))
    assert not kept(tmp_path, "w1 ")


async def test_after_a_failure_only_the_missing_parts_are_asked_for_again(tmp_path: Path) -> None:
    path = clip_of(range(100), tmp_path / "clip", "flac", pause_s=0.6, pause_every=6)
    transcripts: list[str] = []

    class Flaky:
        working = False
        pick_model = staticmethod(str)

        async def transcribe(self, name: str, audio: bytes, *args: Any, **more: Any) -> dict[str, Any]:
            if len(transcripts) == 2 and not self.working:
                raise ConnectionError("the line dropped")
            transcripts.append(tones(audio).text)
            return {"text": transcripts[-1]}

        translate = transcribe

    flaky = Flaky()
    async with recognizer_on(tmp_path, speech=flaky, voice_request_s=11, voice_parallel=1) as h:
        with pytest.raises(ConnectionError):
            await h.recognizer.recognize(path, TranscriptionRequest("clip", SCOPE))
        assert len(transcripts) == 2
        flaky.working = True
        card = await h.recognizer.recognize(path, TranscriptionRequest("clip", SCOPE))
    assert card.text == text(range(100))
    assert len(transcripts) == len(set(transcripts)) >= 4


async def test_killed_in_mid_recording_it_goes_on_and_pays_for_no_finished_part_twice(tmp_path: Path) -> None:
    clip_of(range(100), tmp_path / "clip", "flac", pause_s=0.6, pause_every=6)

    async def run(deadly: int) -> tuple[int | None, str]:
        arguments = ("tests.support.killed_recognition", str(tmp_path), str(deadly))
        process = await start_module(*arguments, env=os.environ, stdout=PIPE)
        said, _ = await process.communicate()
        return process.returncode, said.decode().strip()

    assert await run(deadly=3) == (-signal.SIGKILL, "")
    assert await run(deadly=0) == (0, text(range(100)))
    asked = (tmp_path / "asked").read_text().split()
    # Nobody can know whether the part that was under way had been paid for: it is asked for again.
    assert sorted(set(asked)) == sorted({*asked[:2], *asked[3:]})
    assert asked[2] == asked[3]


# -- the card


async def test_a_card_can_be_corrected_and_then_put_into_english_again(tmp_path: Path) -> None:
    async with recognizer_on(tmp_path, recognise=recognise_speech, speech_model="gpt-transcribe") as h:
        card = await h.recognizer.recognize(
            CLIPS / "offene_rechnung.webm", TranscriptionRequest("a.webm", SCOPE)
        )
        corrected = await h.recognizer.correct_card(card.id, "Die Rechnung für November ist offen. Danke!")
        h.model.script("The November invoice is open. Thanks!", match="November")
        english = await h.recognizer.translate_card(card.id, SCOPE)
    assert corrected.text == "Die Rechnung für November ist offen. Danke!"
    assert english.english_text == "The November invoice is open. Thanks!"


@pytest.mark.parametrize("database_engine", ["postgresql"], indirect=True)
async def test_what_two_processes_are_to_hear_at_once_is_heard_and_paid_for_once(
    tmp_path: Path, database_engine: str
) -> None:
    async with (
        recognizer_on(tmp_path, recognise=recognise_speech) as one,
        recognizer_on(tmp_path, recognise=recognise_speech) as other,
    ):
        path, wanted = CLIPS / "offene_rechnung.webm", TranscriptionRequest("a.webm", SCOPE)
        heard = await asyncio.gather(*(h.recognizer.recognize(path, wanted) for h in (one, other)))
        assert heard[0] == heard[1]
        assert len(one.requests) + len(other.requests) == 1


@pytest.mark.both_engines
async def test_a_correction_outlives_the_translation_of_the_words_before_it(tmp_path: Path) -> None:
    async with recognizer_on(tmp_path, recognise=recognise_speech, speech_model="gpt-transcribe") as h:
        card = await h.recognizer.recognize(
            CLIPS / "offene_rechnung.webm", TranscriptionRequest("a.webm", SCOPE)
        )
        h.model.script("The October invoice is open.", match="Oktober", first_token_s=0.3)
        h.model.script("The November invoice is open.", match="November")
        translating = asyncio.create_task(h.recognizer.translate_card(card.id, SCOPE))
        await until(lambda: any(r.endpoint == "chat/completions" for r in h.model.requests))
        await h.recognizer.correct_card(card.id, "Die Rechnung für November ist offen.")
        shown = await translating
        assert shown == await h.recognizer.read_card(card.id)
    assert shown.text == "Die Rechnung für November ist offen."
    assert shown.english_text == "The November invoice is open."
    assert shown.corrected
    assert card.cost_usd is not None
    assert shown.cost_usd is not None
    assert shown.cost_usd > card.cost_usd, "both translations are on it"


async def test_a_forgotten_recording_is_gone_and_its_minutes_stay(tmp_path: Path) -> None:
    path = clip_of(range(30), tmp_path / "clip")
    async with recognizer_on(tmp_path, voice_person_minutes=10 / 60) as h:
        card = await h.recognizer.recognize(path, TranscriptionRequest("clip", SCOPE))
        await h.engine.write(recordings.forget, card.id)
        with pytest.raises(Missing):
            await h.recognizer.read_card(card.id)
        with pytest.raises(BudgetExceeded):
            await h.recognizer.recognize(
                clip_of(range(5), tmp_path / "other"), TranscriptionRequest("clip", SCOPE)
            )


@pytest.mark.parametrize("whose", ["thread", "person"])
async def test_forgetting_a_thread_or_a_person_takes_the_recordings_along(whose: str, tmp_path: Path) -> None:
    path = clip_of(range(5), tmp_path / "clip")
    async with recognizer_on(tmp_path) as h:
        card = await h.recognizer.recognize(path, TranscriptionRequest("clip", SCOPE))
        if whose == "thread":
            await h.engine.write(forget.forget, Conversation("T1", "C1", "1"), now=1.0)
        else:
            await h.engine.write(forget.forget_user, "T1", "U1", now=1.0)
        with pytest.raises(Missing):
            await h.recognizer.read_card(card.id)


def test_a_card_survives_storage() -> None:
    said = (Segment(0, 1.5, "Grüße", "A"), Segment(1.5, 2, "ja"))
    for cost in (None, Decimal("0.000123456")):
        card = ClipCard("1", "ä.mp4", 2.0, "whisper-1", "de", said, False, said, False, cost)
        assert clip_card.load_card(clip_card.dump_card(card)) == card
        assert clip_card.dump_card(card).isascii()


def test_who_spoke_how_long_is_told_by_speaker() -> None:
    said = (Segment(0, 3, "Hi", "A"), Segment(3, 4, "Ho", "B"), Segment(4, 9, "He", "A"))
    card = ClipCard("1", "a", 9, "m", segments=said)
    assert card.speakers == (("A", 8), ("B", 1))
    assert card.text == "A: Hi\n\nB: Ho\n\nA: He"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Hey Parley, what is up?", True),
        ("hey parlay what is up", True),
        ("Parly. Tell me", True),
        ("OK so, Parley: listen", True),
        ("We should party tonight", False),
        ("I told them what I said to Parley yesterday", False),
        ("", False),
    ],
)
def test_a_clip_that_begins_with_the_name_is_meant_for_it(said: str, expected: bool) -> None:
    assert recognition.is_addressed(said, "Parley") is expected


def test_minutes_are_told_in_whole_ones() -> None:
    assert recognition.format_minutes(250, 540) == "4 of 9 minutes"
    assert recognition.format_minutes(0, 20) == "0 of 1 minute"
    assert recognition.format_minutes(20, 20) == "1 of 1 minute"


SAID = (
    Segment(0, 2, "We meet at nine.", "A"),
    Segment(2, 3, "In the", "A"),
    Segment(3, 4, "canteen.", "A"),
    Segment(6, 8, "No, at ten.", "B"),
)
NAMED = "A: We meet at nine. In the canteen.\n\nB: No, at ten."


@pytest.mark.parametrize(
    ("now", "kept", "changed"),
    [
        (NAMED, SAID, []),
        (NAMED.replace("canteen", "kitchen"), (*SAID[:2], SAID[3]), [(3, 6, "kitchen.")]),
        (NAMED.replace("nine", "eight"), SAID[1:], [(0, 2, "A: We meet at eight.")]),
        (NAMED.replace("No, at ten.", "Yes."), SAID[:3], [(4, 9, "B: Yes.")]),
        (NAMED + " Really.", SAID, [(8, 9, "Really.")]),
        (NAMED.replace(" In the canteen.", ""), (SAID[0], SAID[3]), []),
        (
            NAMED.replace("In the canteen.", "In theory, perhaps."),
            (SAID[0], SAID[3]),
            [(2, 6, "In theory, perhaps.")],
        ),
        ("Something else.", (), [(0, 9, "Something else.")]),
    ],
)
def test_a_correction_keeps_who_and_when_around_it(
    now: str, kept: tuple[Segment, ...], changed: list[tuple[float, float, str]]
) -> None:
    said = correct_segments(SAID, now, 9)
    assert [s for s in said if s in SAID] == list(kept)
    assert [(s.start_s, s.end_s, s.text) for s in said if s not in SAID] == changed


def test_spread_gives_each_sentence_its_share_of_the_sound() -> None:
    said = spread_sentences("Aaaa. Bbbb. Cc.", [(1.0, 2.0), (5.0, 6.3)])
    assert [s.text for s in said] == ["Aaaa.", "Bbbb.", "Cc."]
    assert (said[0].start_s, said[0].end_s) == pytest.approx((1.0, 1.885), abs=0.01)
    assert said[-1].end_s == pytest.approx(6.3)
    assert spread_sentences("", [(0, 1)]) == []


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("It took 2.3 seconds. See example.com!", ["It took 2.3 seconds.", "See example.com!"]),
        ("“Really?” he asked…", ["“Really?”", "he asked…"]),
        ("今日は。明日は？", ["今日は。", "明日は？"]),
    ],
)
def test_a_point_within_a_word_ends_no_sentence(text: str, sentences: list[str]) -> None:
    assert [said.text for said in spread_sentences(text, [(0, 9)])] == sentences
