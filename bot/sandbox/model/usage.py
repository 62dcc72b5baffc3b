"""Counts tokens, and how many of them came from the prompt cache, by simple rules that do not change.

Not a tokenizer: a token is four bytes of prompt, or one piece of an answer. What is real is the cache: cached
tokens are the longest common prefix with a prompt that was really sent before.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

# A piece of an answer: up to seven characters of a word with the space before it, or a run of spaces.
_PIECE = re.compile(r"[^\S\n]?[^\s]{1,7}|\s", re.UNICODE)

# Source: OpenAI's prompt caching guide: prefixes of at least 1,024 tokens, in steps of 128.
CACHE_MIN_TOKENS = 1024
CACHE_STEP_TOKENS = 128
CACHE_LIFE_S = 30 * 60.0


def split_pieces(text: str) -> list[str]:
    """The answer cut into the tokens it is streamed in; joined they are the text again."""
    return _PIECE.findall(text)


def count_prompt_tokens(text: str) -> int:
    """Tokens of a prompt: one for every four bytes begun."""
    return (len(text.encode("utf-8", "surrogatepass")) + 3) // 4


@dataclass(frozen=True, slots=True)
class CachedTokens:
    """Tokens of one prompt that were read from the cache, and that were written to it."""

    read: int
    written: int


class PromptCache:
    """Remembers recent prompts per (model, key, beginning) and tells how much of a new one is known.

    Prompts of another `prompt_cache_key` are never found, as a request of another key may land on another
    machine. The oldest prompts are forgotten first, and all after CACHE_LIFE_S unused.
    """

    def __init__(self, *, prompts: int = 4096, clock: Callable[[], float] = time.monotonic) -> None:
        self._prompts = prompts
        self._clock = clock
        self._seen: OrderedDict[tuple[str, str, str], deque[tuple[float, str]]] = OrderedDict()

    def look_up(self, model: str, key: str, prompt: str) -> CachedTokens:
        """How much of this prompt was sent before; the prompt itself is remembered from now on."""
        total = count_prompt_tokens(prompt)
        if total < CACHE_MIN_TOKENS:
            return CachedTokens(0, 0)
        place = (model, key, prompt[: CACHE_MIN_TOKENS * 2])
        earlier = self._seen.setdefault(place, deque(maxlen=4))
        self._seen.move_to_end(place)
        fresh = self._clock() - CACHE_LIFE_S
        common = max((_common(text, prompt) for at, text in earlier if at > fresh), default=0)
        earlier.append((self._clock(), prompt))
        while len(self._seen) > self._prompts:
            self._seen.popitem(last=False)
        read = _step(count_prompt_tokens(prompt[:common]))
        return CachedTokens(read, _step(total) - read)

    def clear(self) -> None:
        self._seen.clear()


def _step(tokens: int) -> int:
    return 0 if tokens < CACHE_MIN_TOKENS else tokens - tokens % CACHE_STEP_TOKENS


def _common(one: str, two: str) -> int:
    """Length of the common prefix, by halving: slices compare at the speed of memory."""
    low, high = 0, min(len(one), len(two))
    if one[:high] == two[:high]:
        return high
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == two[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


class MinuteLimit:
    """Requests or tokens per minute, refilled all the time; reported in the x-ratelimit headers."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.per_minute = per_minute
        self._clock = clock
        self._level = float(per_minute)
        self._at = clock()

    def take(self, amount: int) -> float:
        """0 when taken, else the seconds after which there will be enough."""
        now = self._clock()
        self._level = min(self.per_minute, self._level + (now - self._at) * self.per_minute / 60)
        self._at = now
        missing = min(amount, self.per_minute) - self._level
        if missing > 0:
            return missing * 60 / self.per_minute
        self._level -= amount
        return 0.0

    def headers(self, kind: str) -> dict[str, str]:
        full_s = (self.per_minute - self._level) * 60 / self.per_minute
        return {
            f"x-ratelimit-limit-{kind}": str(self.per_minute),
            f"x-ratelimit-remaining-{kind}": str(max(0, int(self._level))),
            f"x-ratelimit-reset-{kind}": _span(full_s),
        }


def _span(seconds: float) -> str:
    """A duration as OpenAI writes it: 120ms, 1.5s, 6m0s."""
    if seconds < 1:
        return f"{int(seconds * 1000)}ms"
    minutes, rest = divmod(seconds, 60)
    return f"{int(minutes)}m{rest:.3g}s" if minutes else f"{rest:.3g}s"
