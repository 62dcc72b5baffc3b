"""Counts and cuts text in tokens; the only user of tiktoken.

The vocabularies lie in bot/text/vocabulary/ and are checked against tiktoken's own hashes when they are first
needed: no network, no environment variables. o200k_base costs 45 MB of memory, so ask `fits` or `at_most`
where a bound is enough: a short text never loads anything. What a request used is for the provider to say
(bot/provider/reported_usage.py); this is for before.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
import lzma
import re
import threading
from collections.abc import Mapping
from importlib.resources import files
from types import FunctionType

import tiktoken
from tiktoken_ext import openai_public

# Around each message of a chat request, its role included.
# Source: OpenAI cookbook, "How to count tokens with tiktoken" (gpt-3.5-turbo-0613 and everything since).
MESSAGE_TOKENS = 4

# Longest prefix wins. Source: tiktoken.model of tiktoken 0.14; models after gpt-5 are taken to keep o200k.
_VOCABULARIES = {
    "gpt-": "o200k_base",  # gpt-oss too: its vocabulary differs in control tokens only
    "o1": "o200k_base",
    "o3": "o200k_base",
    "o4": "o200k_base",
    "chatgpt-4o": "o200k_base",
    "gpt-4-": "cl100k_base",
    "gpt-3.5": "cl100k_base",
    "gpt-35": "cl100k_base",
    "davinci-002": "cl100k_base",
    "babbage-002": "cl100k_base",
    "text-embedding-": "cl100k_base",
}
_PREFIXES = sorted(_VOCABULARIES, key=len, reverse=True)

# tiktoken refuses a run of 1,000,000 spaces, so no more than this is encoded at once.
STEP = 200_000
# Above this many characters counting would be felt by everybody else on the event loop.
LONG = 20_000

# A word, a number, a run of non-ASCII, a run of blanks, or one other character.
_PIECE = re.compile(r"[A-Za-z]+|[0-9]+|[^\x00-\x7f]+|\s+|[^\sA-Za-z0-9]")
# The estimate was 0.9 to 1.3 of o200k on prose, code, JSON and German: this keeps it on the safe side.
SAFETY = 1.2
# No tokenizer in use is further from the estimate; a report beyond that counts something else than text.
LEAST_RATIO, MOST_RATIO = 0.3, 5.0

_loading = threading.Lock()
_loaded: dict[str, tiktoken.Encoding] = {}
_ratios: dict[str, float] = {}


def count(text: str, model: str) -> int:
    """Tokens of a text: exact where the model's vocabulary is known, else estimated and corrected."""
    name = _vocabulary(model)
    if not name:
        return min(at_most(text), _scaled(_estimate(text), model))
    encoding = _encoding(name)
    return sum(len(encoding.encode_ordinary(text[i : i + STEP])) for i in range(0, len(text), STEP))


async def counted(text: str, model: str) -> int:
    """`count` without holding up the event loop, however long the text is."""
    name = _vocabulary(model)
    if len(text) <= LONG and (not name or name in _loaded):
        return count(text, model)
    return await asyncio.to_thread(count, text, model)


def at_most(text: str) -> int:
    """An upper bound in any byte-level vocabulary: the bytes of the text in UTF-8. Loads nothing."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def fits(text: str, limit: int, model: str) -> bool:
    """Does the text have at most `limit` tokens? Counts only when the bound does not decide."""
    return at_most(text) <= limit or count(text, model) <= limit


def cut(text: str, limit: int, model: str) -> str:
    """The longest beginning of the text that has at most `limit` tokens."""
    if at_most(text) <= limit:
        return text
    if limit <= 0:
        return ""
    if name := _vocabulary(model):
        return _cut_exactly(text, limit, _encoding(name))
    short, long = 0, len(text)
    while short < long:
        middle = (short + long + 1) // 2
        short, long = (middle, long) if count(text[:middle], model) <= limit else (short, middle - 1)
    return text[:short]


def estimated(model: str) -> bool:
    """Is there no vocabulary for this model, so that its counts are estimates?"""
    return not _vocabulary(model)


def learn(model: str, ratio: float) -> float:
    """Corrects a model's estimates by one request's reported ÷ counted tokens, half the way each time.

    Returns what `remember` should be given after a restart; 0 for a model that needs no correction.
    """
    if estimated(model) and ratio > 0:
        corrected = _ratios.get(model, SAFETY) * (1 + ratio) / 2
        _ratios[model] = min(max(corrected, LEAST_RATIO), MOST_RATIO)
    return _ratios.get(model, 0.0)


def remember(ratios: Mapping[str, float]) -> None:
    """Takes over the corrections that an earlier process learned."""
    _ratios.update(ratios)


def _vocabulary(model: str) -> str:
    """Name of the vocabulary, "" when unknown. A fine-tuned model ("ft:gpt-4o:…") has that of its base."""
    base = model.removeprefix("ft:")
    if base == "gpt-4":
        return "cl100k_base"
    return next((_VOCABULARIES[prefix] for prefix in _PREFIXES if base.startswith(prefix)), "")


def _encoding(name: str) -> tiktoken.Encoding:
    with _loading:
        if name not in _loaded:
            _loaded[name] = _load(name)
        return _loaded[name]


def _load(name: str) -> tiktoken.Encoding:
    """tiktoken's own constructor of a vocabulary, with our file in place of its download."""
    ranks: dict[bytes, int] = {}

    def read(_url: str, *, expected_hash: str) -> dict[bytes, int]:
        packed = files("bot.text").joinpath("vocabulary", f"{name}.tiktoken.xz").read_bytes()
        blob = lzma.decompress(packed)
        if hashlib.sha256(blob).hexdigest() != expected_hash:
            raise ValueError(f"bot/text/vocabulary/{name}.tiktoken.xz is not the vocabulary tiktoken expects")
        for line in io.BytesIO(blob):
            token, rank = line.split()
            ranks[base64.b64decode(token)] = int(rank)
        return ranks

    constructor = openai_public.ENCODING_CONSTRUCTORS[name]
    own = FunctionType(constructor.__code__, vars(openai_public) | {"load_tiktoken_bpe": read})
    encoding = tiktoken.Encoding(**own())
    ranks.clear()  # the encoder has its own copy; this one is 25 MB
    return encoding


def _cut_exactly(text: str, limit: int, encoding: tiktoken.Encoding) -> str:
    tokens: list[int] = []
    for start in range(0, len(text), STEP):
        tokens += encoding.encode_ordinary(text[start : start + STEP])
        if len(tokens) > limit:
            break
    else:
        return text
    kept = encoding.decode_bytes(tokens[:limit]).decode("utf-8", "ignore")
    # The last word may fall into more tokens when it stands alone than it had in its place.
    while sum(len(encoding.encode_ordinary(kept[i : i + STEP])) for i in range(0, len(kept), STEP)) > limit:
        kept = kept[:-1]
    return kept


def _scaled(estimate: float, model: str) -> int:
    return round(estimate * _ratios.get(model, SAFETY))


def _estimate(text: str) -> float:
    return sum(_piece(piece) for piece in _PIECE.findall(text))


def _piece(piece: str) -> float:
    """Tokens of one piece: six letters, three digits or one and a half bytes of other scripts make one."""
    first = piece[0]
    if not first.isascii():
        return max(1.0, len(piece.encode("utf-8", "surrogatepass")) * 0.65)
    if first.isalpha():
        return -(-len(piece) // 6)
    if first.isdigit():
        return -(-len(piece) // 3)
    return 0.0 if piece == " " else 1.0
