"""A recording whose file breaks off says so: its end is missing, however well the rest was heard."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import av
import numpy as np
import pytest

from bot.text.marks import has_words, own_words, words_alone
from bot.voice import captions, clip_card
from bot.voice.clip_card import ClipCard
from bot.voice.decoding import DecodingLimits, Recording, decode_file
from bot.voice.last_element import ends_within
from bot.voice.promised_length import is_cut
from bot.voice.transcript import Segment
from handlers.voice import blocks
from tests.support.audio_files import FORMATS, encode, silence, speech, wav

WANTS = DecodingLimits(containers=frozenset(FORMATS), max_bytes=25 << 20, max_s=1_200, longest_s=3_600)
SAID = np.tile(speech(), 4)  # 11 s
SAID_S = len(SAID) / 16_000
AS_THEY_CAME = {
    "live webm": ("webm", {"live": "1"}),
    "mp3 without a count": ("mp3", {"write_xing": "0"}),
}
CARD = ClipCard(
    "1", "talk.mp3", 31.0, "m", "en", (Segment(0, 31, "So far so good"),), cut=True, promised_s=64.0
)
SENTENCE = "The end is missing: the file breaks off after 0:31 of 1:04."


async def decoded(tmp_path: Path, content: bytes) -> Recording:
    path, into = tmp_path / "clip", tmp_path / "parts"
    path.write_bytes(content)
    into.mkdir(exist_ok=True)
    return await decode_file(path, "clip", into, WANTS)


def recorded(tmp_path: Path, container: str) -> bytes:
    if container == "faststart":
        return encode_at_once(tmp_path / "made", {"movflags": "faststart"})
    if container == "fragments":
        return encode_at_once(tmp_path / "made", {"movflags": "frag_keyframe+empty_moov"})
    if container in AS_THEY_CAME:
        return encode_as_it_came(tmp_path / "made", *AS_THEY_CAME[container])
    return encode(SAID, tmp_path / "made", container).read_bytes()


def encode_as_it_came(path: Path, container: str, option: dict[str, str]) -> bytes:
    """What is written while somebody still speaks, as browsers do: it says nowhere how long it is."""
    muxer, codec, rate = FORMATS[container]
    with av.open(str(path), "w", format=muxer, options=option) as box:
        sound = box.add_stream(codec, rate=rate, layout="mono")
        with av.open(str(encode(SAID, path.with_suffix(".whole"), container))) as whole:
            for packet in whole.demux(audio=0):
                if packet.size:
                    packet.stream = sound
                    box.mux(packet)
    return path.read_bytes()


def encode_at_once(path: Path, options: dict[str, str]) -> bytes:
    """An MP4 whose directory stands before its sound, as clips of browsers and phones have it."""
    plain, out = encode(SAID, path, "mp4"), path.with_suffix(".mp4")
    with av.open(str(plain)) as box, av.open(str(out), "w", format="mp4", options=options) as again:
        copied = again.add_stream_from_template(box.streams.audio[0])
        for packet in box.demux(audio=0):
            if packet.size:
                packet.stream = copied
                again.mux(packet)
    return out.read_bytes()


@pytest.mark.parametrize("container", ["mp3", "wav", "webm", "flac", "faststart", "fragments"])
async def test_less_than_the_header_promises_is_cut(tmp_path: Path, container: str) -> None:
    content = recorded(tmp_path, container)
    whole = await decoded(tmp_path, content)
    assert (whole.cut, whole.promised_s) == (False, 0.0)
    cut = await decoded(tmp_path, content[: len(content) * 6 // 10])
    assert cut.cut
    assert cut.promised_s == pytest.approx(SAID_S, abs=0.1)
    assert cut.length_s < 0.7 * SAID_S


@pytest.mark.parametrize("container", ["ogg", "mpeg", "live webm", "mp3 without a count", "mpga"])
async def test_a_file_without_a_length_breaks_off_where_its_last_page_is_missing(
    tmp_path: Path, container: str
) -> None:
    content = recorded(tmp_path, container)
    assert not (await decoded(tmp_path, content)).cut
    cut = await decoded(tmp_path, content[: len(content) * 4 // 10])
    assert (cut.cut, cut.promised_s) == (True, 0.0)


async def test_a_recording_cut_far_too_short_says_how_much_was_promised(tmp_path: Path) -> None:
    hour = wav(silence(1))
    size = 16_000 * 2 * 3_600
    header = bytearray(hour[:44])
    header[40:44] = size.to_bytes(4, "little")
    found = await decoded(tmp_path, bytes(header) + speech().tobytes())
    assert found.cut
    assert found.promised_s == 3_600


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
async def test_a_length_that_was_not_known_when_it_was_written_promises_nothing(
    tmp_path: Path, size: int
) -> None:
    header = bytearray(wav(silence(0.1))[:44])
    header[40:44] = size.to_bytes(4, "little")
    assert not (await decoded(tmp_path, bytes(header) + speech().tobytes())).cut


@pytest.mark.parametrize(
    ("promised_s", "reached_s", "cut"),
    [(10, 9.6, False), (10, 9.4, True), (3_600, 3_570, False), (3_600, 3_560, True), (0, 5, False)],
)
def test_what_encoders_round_away_is_not_missing(promised_s: float, reached_s: float, cut: bool) -> None:
    assert is_cut(promised_s, reached_s) is cut


@pytest.mark.parametrize("content", [b"", b"OggS", b"OggS" + bytes(23), b"no page at all"])
def test_no_page_is_the_last_page_of_nothing(content: bytes) -> None:
    assert ends_within(io.BytesIO(content), "ogg")


def test_the_card_its_file_and_its_notification_say_that_the_end_is_missing() -> None:
    assert SENTENCE in json.dumps(blocks.card_blocks(CARD, "1", file=False))
    assert SENTENCE in blocks.transcript_text(CARD)
    assert SENTENCE in blocks.fallback_text(CARD)
    whole = replace(CARD, cut=False)
    for text in (
        json.dumps(blocks.card_blocks(whole, "1", file=False)),
        blocks.transcript_text(whole),
        blocks.fallback_text(whole),
    ):
        assert "missing" not in text
    unknown = replace(CARD, promised_s=0.0)
    assert unknown.what_is_missing == "The end is missing: the file breaks off after 0:31."


def test_the_model_reads_where_a_recording_breaks_off_and_nobody_can_write_that() -> None:
    assert CARD.text_for_model.splitlines() == [
        "So far so good",
        "[the recording breaks off after 0:31 of 1:04: what was said after that is not known]",
    ]
    mark = CARD.text_for_model.splitlines()[1]
    assert own_words(mark) != mark
    assert not has_words(mark)
    assert words_alone(CARD.text_for_model) == "So far so good"
    assert replace(CARD, cut=False).text_for_model == "So far so good"


def test_captions_and_texts_say_that_the_end_is_missing() -> None:
    assert captions.text(CARD).endswith(f"\n[{SENTENCE}]\n")
    assert f"\nNOTE {SENTENCE}\n" in captions.vtt(CARD)
    read = json.loads(captions.as_json(CARD))
    assert (read["cut"], read["promised_duration"]) == (True, 64.0)
    assert json.loads(captions.as_json(replace(CARD, cut=False, promised_s=0.0)))["promised_duration"] is None


def test_a_card_of_before_is_whole() -> None:
    row = json.loads(clip_card.dump_card(CARD))
    del row["cut"], row["promised_s"]
    assert not clip_card.load_card(json.dumps(row)).cut
    assert clip_card.load_card(clip_card.dump_card(CARD)) == CARD
