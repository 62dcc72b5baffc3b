"""Token counts: exact with the shipped vocabularies, bounded without them, and never a download."""

from __future__ import annotations

import asyncio
import importlib.util
import subprocess
import sys
import threading

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.text import tokens

O200K = "gpt-4o"
CL100K = "gpt-3.5-turbo"
UNKNOWN = "qwen3-32b"

ENGLISH = "The quick brown fox jumps over the lazy dog, and then it sleeps until Thursday. " * 40
CODE = (
    'def total(rows: list[int]) -> int:\n    return sum(row["price"] for row in rows if row["paid"])\n' * 40
)
TEXTS = {"prose": ENGLISH, "code": CODE, "json": '{"id": 17, "tags": ["a", "b"], "ok": true}\n' * 40}

text = st.text(st.characters(codec="utf-8") | st.sampled_from(" \n<|>aé漢🎉"), max_size=300)


# Published counts. Source: OpenAI cookbook, "How to count tokens with tiktoken".
PUBLISHED = {"2 + 2 = 4": 7, "antidisestablishmentarianism": 6, "hello world": 2}
BIRTHDAY = "お誕生日おめでとう"  # which the vocabularies cut differently
BIRTHDAY_TOKENS = {"o200k_base": 8, "cl100k_base": 9}


def fresh_tokens():
    """The module as it is before anything was loaded or learned."""
    spec = importlib.util.find_spec("bot.text.tokens")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_known_texts_have_the_published_tokens():
    for text, published in PUBLISHED.items():
        assert tokens.count(text, O200K) == tokens.count(text, CL100K) == published


@pytest.mark.parametrize(
    ("model", "vocabulary"),
    [
        ("gpt-6-luna", "o200k_base"),
        ("gpt-5.4-mini", "o200k_base"),
        ("gpt-4.1", "o200k_base"),
        ("gpt-4o-mini", "o200k_base"),
        ("o3-mini", "o200k_base"),
        ("gpt-oss-120b", "o200k_base"),
        ("ft:gpt-4o:team::1", "o200k_base"),
        ("gpt-4", "cl100k_base"),
        ("gpt-4-32k", "cl100k_base"),
        ("gpt-3.5-turbo", "cl100k_base"),
        ("gpt-35-turbo", "cl100k_base"),
        ("ft:davinci-002:team", "cl100k_base"),
        ("text-embedding-3-small", "cl100k_base"),
        ("mistral-large", ""),
        ("llama3", ""),
    ],
)
def test_model_has_its_vocabulary(model, vocabulary):
    assert tokens.estimated(model) is (vocabulary == "")
    assert not vocabulary or tokens.count(BIRTHDAY, model) == BIRTHDAY_TOKENS[vocabulary]


def test_control_tokens_in_a_text_are_plain_text():
    assert tokens.count("<|endoftext|>", O200K) > 1


@pytest.mark.parametrize("model", [O200K, CL100K])
@pytest.mark.parametrize("blank", [" ", "\t", "\n"])
def test_a_million_blanks_are_counted(model, blank):
    assert 0 < tokens.count(blank * 1_000_001, model) < 200_000


def test_a_lone_surrogate_is_counted():
    assert tokens.count("a\ud800b", O200K) <= tokens.at_most("a\ud800b")


@settings(max_examples=60)
@given(text=text, model=st.sampled_from([O200K, CL100K, UNKNOWN]))
def test_bytes_bound_every_count(text, model):
    assert tokens.count(text, model) <= tokens.at_most(text)


@settings(max_examples=60)
@given(text=text, limit=st.integers(0, 120), model=st.sampled_from([O200K, UNKNOWN]))
def test_cut_is_a_beginning_that_fits(text, limit, model):
    kept = tokens.cut(text, limit, model)
    assert text.startswith(kept)
    assert tokens.count(kept, model) <= limit
    if tokens.count(text, model) <= limit:
        assert kept == text


def test_an_estimate_is_never_above_the_bound():
    assert tokens.count("." * 50, UNKNOWN) == 50


def test_cut_leaves_out_no_more_than_it_must():
    kept = tokens.cut(ENGLISH, 100, O200K)
    assert tokens.count(kept, O200K) == 100


def test_fits_agrees_with_count():
    exact = tokens.count(ENGLISH, O200K)
    assert tokens.fits(ENGLISH, exact, O200K)
    assert not tokens.fits(ENGLISH, exact - 1, O200K)


@pytest.mark.parametrize("name", TEXTS)
def test_estimate_is_near_the_truth_and_above_it(name):
    exact = tokens.count(TEXTS[name], O200K)
    assert exact <= tokens.count(TEXTS[name], UNKNOWN) <= 1.8 * exact


def test_estimates_follow_what_the_provider_reports():
    tokens = fresh_tokens()
    before = tokens.count(ENGLISH, UNKNOWN)
    reported = before * 0.8
    for _ in range(10):
        tokens.learn(UNKNOWN, reported / tokens.count(ENGLISH, UNKNOWN))
    assert tokens.count(ENGLISH, UNKNOWN) == pytest.approx(reported, rel=0.01)
    assert tokens.count(ENGLISH, "another-model") == before


def test_an_absurd_report_does_not_spoil_the_estimates():
    tokens = fresh_tokens()
    before = tokens.count(ENGLISH, UNKNOWN)
    for _ in range(9):
        tokens.learn(UNKNOWN, 1000.0)
    assert tokens.count(ENGLISH, UNKNOWN) <= before * tokens.MOST_RATIO


def test_exact_counts_learn_nothing():
    before = tokens.count(ENGLISH, O200K)
    tokens.learn(O200K, 3.0)
    assert tokens.count(ENGLISH, O200K) == before


def test_a_short_text_loads_no_vocabulary_and_nothing_is_downloaded():
    code = (
        "from bot.text import tokens\n"
        "import lzma, socket; socket.socket = None\n"
        "unpack, lzma.decompress = lzma.decompress, None\n"
        "assert tokens.fits('hello ' * 1000, 24_000, 'gpt-6-luna')\n"
        "assert tokens.cut('hello', 5, 'gpt-6-luna') == 'hello'\n"
        "lzma.decompress = unpack\n"
        "assert tokens.count('hello', 'gpt-6-luna') == 1\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, env={"PATH": ""})


def test_a_damaged_vocabulary_is_refused(monkeypatch, tmp_path):
    tokens = fresh_tokens()
    (tmp_path / "vocabulary").mkdir()
    packed = tokens.files("bot.text").joinpath("vocabulary", "cl100k_base.tiktoken.xz").read_bytes()
    blob = tokens.lzma.decompress(packed).replace(b"IQ== 0", b"IQ== 7", 1)
    (tmp_path / "vocabulary" / "cl100k_base.tiktoken.xz").write_bytes(tokens.lzma.compress(blob, preset=0))
    monkeypatch.setattr(tokens, "files", lambda _package: tmp_path)
    with pytest.raises(ValueError, match="not the vocabulary"):
        tokens.count("hi", CL100K)


def test_many_threads_share_one_vocabulary(monkeypatch):
    tokens = fresh_tokens()
    loads: list[str] = []
    files = tokens.files
    monkeypatch.setattr(tokens, "files", lambda package: loads.append(package) or files(package))
    threads = [threading.Thread(target=tokens.count, args=("hi", CL100K)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(loads) == 1


async def test_long_texts_are_counted_off_the_loop():
    ticks = 0

    async def tick() -> None:
        nonlocal ticks
        while True:
            ticks += 1
            await asyncio.sleep(0)

    ticking = asyncio.create_task(tick())
    assert await tokens.counted(ENGLISH * 100, O200K) == tokens.count(ENGLISH * 100, O200K)
    ticking.cancel()
    assert ticks > 1
    assert await tokens.counted("hi", O200K) == 1
