"""Answers what is not text: embeddings, decisions, moderations, recordings and images, each in one piece.

Each function takes the checked body and gives (bytes, content type). What a recording says is decided in
rehearsal/recordings.py, what a verdict is in rehearsal/json_answers.py.
"""

from __future__ import annotations

import asyncio
import base64
import math
from array import array
from collections.abc import Callable
from typing import Any

import orjson
from aiohttp import web

from bot.sandbox.model.frames import make_usage
from bot.sandbox.model.rules import AUDIO_LIMIT_BYTES, ModelCard, ModelRefusal
from bot.sandbox.model.usage import count_prompt_tokens, split_pieces
from bot.sandbox.rehearsal import picture, recordings
from bot.sandbox.rehearsal.json_answers import judge_statement
from bot.sandbox.rehearsal.question import read_content
from bot.sandbox.rehearsal.words import vector

Sent = tuple[bytes, str]
JSON = "application/json"

# Source: OpenAI API reference, embeddings: 2,048 inputs, 8,192 tokens each, 300,000 tokens in all.
EMBEDDING_INPUTS, EMBEDDING_TOKENS, EMBEDDING_TOTAL = 2048, 8192, 300_000
EMBEDDING_SIZE = {"text-embedding-3-large": 3072}
# Source: openai 3.54, DecisionCreateParams.questions.
DECISION_QUESTIONS = 400
# Source: OpenAI API reference, speech to text: shortest recording taken.
SHORTEST_S = 0.1
DIARIZE_WHOLE_S = 30.0  # longer recordings need a chunking_strategy
AUDIO_TOKENS_PER_S = 10
# Source: OpenAI's guide to image generation: output tokens of a square picture, per quality.
IMAGE_TOKENS = {"low": 272, "medium": 1056, "high": 4160, "xhigh": 8320, "max": 16_640, "auto": 1056}
_LISTS = ("include", "keywords", "known_speaker_names", "known_speaker_references", "languages")
_CATEGORIES = (
    *("harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent"),
    *("self-harm", "self-harm/instructions", "self-harm/intent", "sexual", "sexual/minors"),
    *("violence", "violence/graphic"),
)


async def read_form(http: web.Request) -> dict[str, Any]:
    """A multipart body as a dict: `file` is (name, bytes), numbers are numbers, name[] are lists."""
    body: dict[str, Any] = {}
    for key, value in (await http.post()).items():
        name = key.removesuffix("[]")
        if isinstance(value, web.FileField):
            with value.file as given:
                body[name] = (value.filename, given.read())
        elif key.endswith("[]") or name in (*_LISTS, "timestamp_granularities"):
            body.setdefault(name, []).append(value)
        else:
            body[name] = _parse(str(value)) if name in ("temperature", "stream") else str(value)
    return body


def _parse(value: str) -> Any:
    try:
        return orjson.loads(value)
    except ValueError:
        return value


async def answer_request(
    endpoint: str,
    body: dict[str, Any],
    card: ModelCard,
    recognise: Callable[[bytes], recordings.RecognisedSpeech],
) -> tuple[Sent, dict[str, Any] | None, str]:
    """What is sent, the usage told in it, and the words in it, of a request to a one-piece endpoint."""
    if endpoint == "embeddings":
        return make_embeddings(body)
    if endpoint == "decisions":
        return make_decisions(body)
    if endpoint == "moderations":
        return make_moderations(body)
    if endpoint == "images/generations":
        return await asyncio.to_thread(make_images, body)
    return await asyncio.to_thread(transcribe, endpoint, body, card, recognise)


def make_embeddings(body: dict[str, Any]) -> tuple[Sent, dict[str, Any], str]:
    given = body["input"]
    texts = given if isinstance(given, list) and not isinstance(given[0], int) else [given]
    texts = [text if isinstance(text, str) else " ".join(map(str, text)) for text in texts]
    counts = [count_prompt_tokens(text) for text in texts]
    if len(texts) > EMBEDDING_INPUTS or "" in texts or sum(counts) > EMBEDDING_TOTAL:
        raise ModelRefusal(400, "'$.input' is invalid.", code="invalid_input", param="input")
    if max(counts) > EMBEDDING_TOKENS:
        message = f"This model's maximum context length is {EMBEDDING_TOKENS} tokens."
        raise ModelRefusal(400, message, code="context_length_exceeded", param="input")
    size = body.get("dimensions") or EMBEDDING_SIZE.get(body["model"], 1536)
    packed = body.get("encoding_format") == "base64"
    vectors = [_pack(vector(text, size)) if packed else vector(text, size) for text in texts]
    usage = {"prompt_tokens": sum(counts), "total_tokens": sum(counts)}
    rows = [{"object": "embedding", "index": at, "embedding": row} for at, row in enumerate(vectors)]
    content = {"object": "list", "data": rows, "model": body["model"], "usage": usage}
    return (orjson.dumps(content), JSON), usage, ""


def _pack(values: list[float]) -> str:
    return base64.b64encode(array("f", values).tobytes()).decode()


def make_decisions(body: dict[str, Any]) -> tuple[Sent, dict[str, Any], str]:
    questions = body["questions"]
    if not isinstance(questions, list) or len(questions) > DECISION_QUESTIONS:
        raise ModelRefusal(400, "Expected 1 to 400 questions.", code="invalid_value", param="questions")
    given = body["input"]
    text = given if isinstance(given, str) else "\n".join(read_content(item.get("content")) for item in given)
    answers = [_decide(text, question, number) for number, question in enumerate(questions)]
    usage = make_usage("decisions", count_prompt_tokens(text), 0, 0, len(answers))
    content = {"answers": answers, "model": body["model"], "usage": usage}
    return (orjson.dumps(content), JSON), usage, ""


def _decide(text: str, question: dict[str, Any], number: int) -> dict[str, Any]:
    kind, name = question.get("type"), question.get("name")
    instructions = read_content(question.get("instructions"))
    if not instructions or kind not in ("predicate", "choice", "score"):
        raise ModelRefusal(400, "Invalid question.", code="invalid_value", param=f"questions[{number}]")
    if kind == "predicate":
        return {"type": kind, "name": name, "probability": judge_statement(text, instructions)}
    options = question.get("choices" if kind == "choice" else "levels") or []
    words = [f"{o.get('value', o.get('label'))} {o.get('description', '')}" for o in options]
    weights = [math.exp(4 * judge_statement(text, word)) for word in words]
    shares = [weight / sum(weights) for weight in weights]
    best = max(range(len(shares)), key=shares.__getitem__)
    if kind == "choice":
        rows: list[dict[str, Any]] = [
            {"value": o["value"], "probability": p} for o, p in zip(options, shares, strict=True)
        ]
        content = {"choice": options[best]["value"]}
    else:
        rows = [
            {"label": o["label"], "value": at, "probability": p}
            for at, (o, p) in enumerate(zip(options, shares, strict=True))
        ]
        content = {"score": sum(row["value"] * row["probability"] for row in rows)}
    return {"type": kind, "name": name, "confidence": shares[best], "probabilities": rows} | content


def make_moderations(body: dict[str, Any]) -> tuple[Sent, None, str]:
    given = body["input"]
    texts = (
        [given] if isinstance(given, str) else [t if isinstance(t, str) else read_content([t]) for t in given]
    )
    content = {
        "id": "modr-rehearsal",
        "model": "omni-moderation-latest",
        "results": [_moderate(t) for t in texts],
    }
    return (orjson.dumps(content), JSON), None, ""


def _moderate(text: str) -> dict[str, Any]:
    violent = "kill you" in text.lower()
    scores = {name: 0.97 if violent and name == "violence" else 0.001 for name in _CATEGORIES}
    return {
        "flagged": violent,
        "categories": {name: score > 0.5 for name, score in scores.items()},
        "category_scores": scores,
        "category_applied_input_types": {name: ["text"] for name in _CATEGORIES},
    }


def make_images(body: dict[str, Any]) -> tuple[Sent, dict[str, Any], str]:
    for name in ("response_format", "style"):
        if body.get(name) is not None:
            raise ModelRefusal(400, f"Unknown parameter: '{name}'.", code="unknown_parameter", param=name)
    if body.get("stream") or body.get("output_format") not in (None, "png", "svg"):
        raise ModelRefusal(400, "The rehearsal model draws whole PNG and SVG only.", code="unsupported_value")
    width, height = _size(body.get("size") or "1024x1024")
    kind = body.get("output_format") or "png"
    draw = picture.png if kind == "png" else picture.svg
    count = int(body.get("n") or 1)
    if not 1 <= count <= 10:
        raise ModelRefusal(400, "Invalid 'n': expected 1 to 10.", code="number_out_of_range", param="n")
    pictures = [draw(f"{body['prompt']} {at}", width, height) for at in range(count)]
    quality = body.get("quality") or "auto"
    if quality not in IMAGE_TOKENS:
        raise ModelRefusal(400, f"Invalid value: '{quality}'.", code="invalid_value", param="quality")
    output = max(16, IMAGE_TOKENS[quality] * width * height // 1024**2) * count
    text = count_prompt_tokens(body["prompt"])
    usage = {
        "input_tokens": text,
        "input_tokens_details": {"text_tokens": text, "image_tokens": 0},
        "output_tokens": output,
        "output_tokens_details": {"text_tokens": 0, "image_tokens": output},
        "total_tokens": text + output,
    }
    content = {
        "created": 1_795_000_000,
        "data": [{"b64_json": base64.b64encode(drawn).decode()} for drawn in pictures],
        "output_format": kind,
        "size": f"{width}x{height}",
        "quality": "medium" if quality == "auto" else quality,
        "background": "opaque",
        "usage": usage,
    }
    return (orjson.dumps(content), JSON), usage, ""


def _size(size: str) -> tuple[int, int]:
    """Width and height. Source: openai 3.54, ImageGenerateParams.size."""
    if size == "auto":
        return 1024, 1024
    width, _, height = size.partition("x")
    if width.isdigit() and height.isdigit():
        w, h = int(width), int(height)
        if (
            w % 16 == 0 == h % 16
            and 1 / 3 <= w / h <= 3
            and max(w, h) <= 3840
            and min(w, h) >= 16
            and w * h <= 3840 * 2160
        ):
            return w, h
    raise ModelRefusal(400, f"Invalid value: '{size}'.", code="invalid_value", param="size")


def transcribe(
    endpoint: str,
    body: dict[str, Any],
    card: ModelCard,
    recognise: Callable[[bytes], recordings.RecognisedSpeech],
) -> tuple[Sent, dict[str, Any], str]:
    """A transcription, or a translation into English, in the format that was asked for."""
    wanted = body.get("response_format") or "json"
    if wanted not in card.formats:
        message = f"response_format '{wanted}' is not compatible with model '{body['model']}'."
        raise ModelRefusal(400, message, code="unsupported_value", param="response_format")
    speech = _recognise(body, card, recognise)
    text = speech.english if endpoint == "audio/translations" else speech.text
    usage = _speech_usage(card, speech.seconds, text, str(body.get("prompt") or ""))
    if body.get("stream") and card.prefix != "whisper-1":
        return (_stream_transcript(text, usage), "text/event-stream"), usage, text
    segments = _segments(text, speech.seconds)
    if wanted in ("text", "srt", "vtt"):
        return (_plain(wanted, text, segments).encode(), "text/plain; charset=utf-8"), usage, text
    content: dict[str, Any] = {"text": text, "usage": usage}
    if wanted == "verbose_json":
        task = "translate" if endpoint == "audio/translations" else "transcribe"
        content |= {"task": task, "language": _LANGUAGES.get(speech.language, speech.language)}
        content |= {"duration": round(speech.seconds, 2), "segments": segments}
        if "word" in (body.get("timestamp_granularities") or ()):
            content["words"] = _words(text, speech.seconds)
    elif wanted == "diarized_json":
        kept = ({k: s[k] for k in ("start", "end", "text")} for s in segments)
        rows = [
            s | {"id": f"seg_{at}", "speaker": "A", "type": "transcript.text.segment"}
            for at, s in enumerate(kept)
        ]
        content |= {"task": "transcribe", "duration": round(speech.seconds, 2), "segments": rows}
    elif body["model"] == "gpt-transcribe":
        content["languages"] = [{"code": speech.language}] if text else []
    return (orjson.dumps(content), JSON), usage, text


_LANGUAGES = {"en": "english", "de": "german"}  # whisper-1 tells the name, not the code


def _recognise(
    body: dict[str, Any], card: ModelCard, recognise: Callable[[bytes], recordings.RecognisedSpeech]
) -> recordings.RecognisedSpeech:
    """What is heard in the file, when it is a recording that this model takes."""
    _, recording = body["file"]
    if len(recording) > AUDIO_LIMIT_BYTES:
        message = f"Maximum content size limit ({AUDIO_LIMIT_BYTES}) exceeded ({len(recording)} bytes read)"
        raise ModelRefusal(413, message, code=None)
    try:
        if not recordings.detect_container(recording):
            raise recordings.UnreadableRecording("unknown format")
        speech = recognise(recording)
    except recordings.UnreadableRecording as exc:
        message = "Audio file might be corrupted or unsupported"
        raise ModelRefusal(400, message, code="invalid_value", param="file") from exc
    if speech.seconds < SHORTEST_S:
        message = f"Audio file is too short. Minimum audio length is {SHORTEST_S} seconds."
        raise ModelRefusal(400, message, code="audio_too_short", param="file")
    if card.limit_s and speech.seconds > card.limit_s:
        message = (
            f"audio duration {speech.seconds:.0f} seconds is longer than {card.limit_s:.0f} seconds "
            "which is the maximum for this model"
        )
        raise ModelRefusal(400, message, code="invalid_value", param="file")
    if "diarize" in card.prefix and speech.seconds > DIARIZE_WHOLE_S and not body.get("chunking_strategy"):
        raise ModelRefusal(
            400,
            "chunking_strategy is required.",
            code="missing_required_parameter",
            param="chunking_strategy",
        )
    return speech


def _speech_usage(card: ModelCard, seconds: float, text: str, prompt: str) -> dict[str, Any]:
    if card.billed_by == "duration":
        return {"type": "duration", "seconds": math.ceil(seconds)}
    sound, hint, output = (
        math.ceil(seconds * AUDIO_TOKENS_PER_S),
        count_prompt_tokens(prompt),
        len(split_pieces(text)),
    )
    return {
        "type": "tokens",
        "input_tokens": sound + hint,
        "input_token_details": {"audio_tokens": sound, "text_tokens": hint},
        "output_tokens": output,
        "total_tokens": sound + hint + output,
    }


def _stream_transcript(text: str, usage: dict[str, Any]) -> bytes:
    events = [{"type": "transcript.text.delta", "delta": piece} for piece in split_pieces(text)]
    done = {"type": "transcript.text.done", "text": text, "usage": usage}
    return b"".join(b"data: " + orjson.dumps(event) + b"\n\n" for event in [*events, done])


def _spread(parts: list[str], seconds: float) -> list[tuple[float, float, str]]:
    """Parts spread over the recording by their length."""
    total, at, rows = sum(map(len, parts)) or 1, 0.0, []
    for part in parts:
        end = at + seconds * len(part) / total
        rows.append((round(at, 2), round(end, 2), part))
        at = end
    return rows


def _segments(text: str, seconds: float) -> list[dict[str, Any]]:
    parts = [
        part
        for part in text.replace("? ", "?\n").replace(". ", ".\n").replace("! ", "!\n").split("\n")
        if part
    ]
    fixed = {"seek": 0, "tokens": [], "temperature": 0.0, "avg_logprob": -0.2, "compression_ratio": 1.2}
    return [
        fixed | {"id": at, "start": start, "end": end, "text": part, "no_speech_prob": 0.01}
        for at, (start, end, part) in enumerate(_spread(parts, seconds))
    ]


def _words(text: str, seconds: float) -> list[dict[str, Any]]:
    return [{"word": word, "start": start, "end": end} for start, end, word in _spread(text.split(), seconds)]


def _plain(kind: str, text: str, segments: list[dict[str, Any]]) -> str:
    if kind == "text":
        return text + "\n"
    comma = "," if kind == "srt" else "."
    rows = []
    for number, part in enumerate(segments, 1):
        span = f"{_clock(part['start'], comma)} --> {_clock(part['end'], comma)}\n{part['text']}\n"
        rows.append(f"{number}\n{span}" if kind == "srt" else span)
    return ("" if kind == "srt" else "WEBVTT\n\n") + "\n".join(rows)


def _clock(seconds: float, comma: str) -> str:
    whole, ms = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02d}:{whole // 60 % 60:02d}:{whole % 60:02d}{comma}{ms:03d}"
