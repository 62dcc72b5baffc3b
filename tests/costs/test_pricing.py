"""Prices against published figures with their dates, and against genai-prices' own arithmetic."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import genai_prices
import pytest
from genai_prices import data_snapshot
from hypothesis import given
from hypothesis import strategies as st

from bot.core.errors import SetupError
from bot.core.values import Usage
from bot.costs.price_list import read_list, read_packaged
from bot.costs.pricing import Prices, load_prices, nano, usd

NOVEMBER = datetime(2026, 11, 23, 12, tzinfo=UTC)
A_THOUSAND = Usage(input_tokens=1000)
OPENAI = next(p for p in data_snapshot.get_snapshot().providers if p.id == "openai")
BY_TOKEN = [m.id for m in OPENAI.models if OPENAI.find_model(m.id) is m and not m.id.startswith("tts")]


@pytest.fixture
def prices() -> Prices:
    return Prices()


@pytest.mark.parametrize(
    ("model", "dollars"),
    [
        ("gpt-6-sol", "0.011318"),
        ("gpt-6.1-sol", "0.010294"),
        ("gpt-6.1-terra", "0.005147"),
        ("gpt-6-luna", "0.000565900"),
        ("gpt-5.4-mini", "0.004338"),
    ],
)
def test_cached_and_written_tokens_have_their_own_prices(prices: Prices, model: str, dollars: str) -> None:
    usage = Usage(input_tokens=12_000, cached_tokens=10_240, cache_write_tokens=1_500, output_tokens=500)
    assert prices.cost(model, usage, at=NOVEMBER) == Decimal(dollars)


def test_the_price_of_the_day_of_the_request_holds(prices: Prices) -> None:
    usage = Usage(input_tokens=10_000, output_tokens=500)
    assert prices.cost("gpt-5.6-sol", usage, at=datetime(2026, 8, 1, tzinfo=UTC)) == Decimal("0.065")
    assert prices.cost("gpt-5.6-sol", usage, at=datetime(2026, 11, 1, tzinfo=UTC)) == Decimal("0.05")


def test_a_long_prompt_is_charged_at_its_tier_throughout(prices: Prices) -> None:
    below, above = Usage(input_tokens=272_000), Usage(input_tokens=272_001)
    assert prices.cost("gpt-6-sol", below, at=NOVEMBER) == Decimal("0.544")
    assert prices.cost("gpt-6-sol", above, at=NOVEMBER) == Decimal("1.088004")


@pytest.mark.parametrize(
    ("tier", "dollars"), [("", "0.002"), ("flex", "0.001"), ("batch", "0.001"), ("priority", "0.004")]
)
def test_service_tiers_and_batches_change_the_price(prices: Prices, tier: str, dollars: str) -> None:
    assert prices.price("gpt-6-sol", A_THOUSAND, at=NOVEMBER, tier=tier).usd == Decimal(dollars)


# Per 1,000 tokens: use, training, fine-tuned use.
ANCESTOR = {
    "text-davinci-003": ("0.02", "0.03", "0.12"),
    "davinci": ("0.02", "0.03", "0.12"),
    "curie": ("0.002", "0.003", "0.012"),
    "babbage": ("0.0005", "0.0006", "0.012"),
    "ada": ("0.0004", "0.0004", "0.0016"),
}


@pytest.mark.parametrize("model", ANCESTOR)
def test_the_ancestors_table_holds_to_the_digit(prices: Prices, model: str) -> None:
    use, training, tuned = ANCESTOR[model]
    assert prices.cost(model, A_THOUSAND, at=NOVEMBER) == Decimal(use)
    assert prices.cost(model, Usage(output_tokens=1000), at=NOVEMBER) == Decimal(use)
    assert prices.price(model, A_THOUSAND, at=NOVEMBER, kind="training").usd == Decimal(training)
    assert prices.cost(f"{model}:ft-acme-2022-12-01", A_THOUSAND, at=NOVEMBER) == Decimal(tuned)


def test_speech_is_charged_by_the_second_or_by_the_token(prices: Prices) -> None:
    assert prices.cost("whisper-1", Usage(audio_seconds=61.2), at=NOVEMBER) == Decimal("0.00612")
    assert prices.cost("gpt-transcribe", Usage(audio_seconds=61.2), at=NOVEMBER) == Decimal("0.00459")
    by_token = Usage(input_tokens=790, input_audio_tokens=690, output_tokens=90, audio_seconds=61.2)
    assert prices.cost("gpt-4o-transcribe", by_token, at=NOVEMBER) == Decimal("0.00529")


def test_pictures_are_charged_by_the_token_or_by_the_piece(prices: Prices) -> None:
    drawn = Usage(input_tokens=50, output_tokens=1056, images=1)
    assert prices.price("gpt-image-2.5-flare", drawn, at=NOVEMBER, kind="image").usd == Decimal("0.03193")
    assert prices.price("dall-e-3", Usage(images=2), at=NOVEMBER, kind="image").usd == Decimal("0.08")
    of_both = Usage(output_tokens=1_000_000)
    assert prices.price("gpt-image-1.5", of_both, at=NOVEMBER, kind="image").usd == 32
    assert prices.price("gpt-image-1.5", of_both, at=NOVEMBER).usd == 10


@pytest.mark.parametrize(
    ("model", "usage"),
    [
        ("whisper-1", Usage(input_tokens=790, output_tokens=90)),
        ("gpt-4o-transcribe", Usage(audio_seconds=61.2)),
        ("text-embedding-3-small", Usage(input_tokens=10, output_tokens=10)),
        ("gpt-6-luna", Usage(images=1)),
    ],
)
def test_a_unit_without_a_price_is_unpriced_and_says_so(prices: Prices, model: str, usage: Usage) -> None:
    price = prices.price(model, usage, at=NOVEMBER)
    assert price.usd is None
    assert model in price.reason


def test_an_unknown_model_is_unpriced_and_moderation_is_free(prices: Prices) -> None:
    assert prices.price("gpt-99-sol", A_THOUSAND, at=NOVEMBER).reason == "no price is known for gpt-99-sol"
    assert prices.price("omni-moderation-latest", A_THOUSAND, at=NOVEMBER).usd == 0
    assert prices.price("gpt-6-luna", Usage(), at=NOVEMBER).usd == 0


def test_a_deployment_costs_what_its_base_model_costs() -> None:
    prices = load_prices(
        base_url="https://acme.openai.azure.com/openai/v1", model="our-bot", base_model="gpt-6-sol"
    )
    assert prices.cost("our-bot", A_THOUSAND, at=NOVEMBER) == Decimal("0.002")
    assert prices.cost("another", A_THOUSAND, at=NOVEMBER) is None
    assert prices.cost("another", A_THOUSAND, at=NOVEMBER, base_model="gpt-6-sol") == Decimal("0.002")
    assert prices.cost("davinci", Usage(output_tokens=1000), at=NOVEMBER) == Decimal("0.02")


def test_each_deployment_of_several_has_the_price_of_its_base_model() -> None:
    azure = "https://acme.openai.azure.com/openai/v1"
    prices = load_prices(base_url=azure, model="our-bot", base_model="our-bot=gpt-6-sol, our-ears=whisper-1")
    assert prices.cost("our-bot", A_THOUSAND, at=NOVEMBER) == Decimal("0.002")
    assert prices.cost("our-ears", Usage(audio_seconds=61.2), at=NOVEMBER) == Decimal("0.00612")
    assert prices.cost("another", A_THOUSAND, at=NOVEMBER) is None


HOSTS = ["127.0.0.1:8080", "localhost:11434", "ollama:11434", "[::1]:1", "10.0.0.7", "100.64.3.4", "gpu.lan"]
OPEN = ["llama3.2", "gpt-oss-20b", "openai/gpt-oss-20b", "gemma-3-27b", "mistral-small", "deepseek-r1:7b"]


@pytest.mark.parametrize("host", HOSTS)
def test_what_runs_on_ones_own_server_is_unpriced_and_never_free(host: str) -> None:
    prices = Prices(f"http://{host}/v1")
    for model in OPEN:
        assert prices.cost(model, A_THOUSAND, at=NOVEMBER) is None, model
        assert not prices.lists(model, at=NOVEMBER)
    assert prices.cost("gpt-6-sol", A_THOUSAND, at=NOVEMBER) == Decimal("0.002"), "nobody else can run it"


@pytest.mark.parametrize("host", HOSTS)
def test_the_operator_says_by_name_what_costs_nothing(host: str) -> None:
    prices = load_prices(base_url=f"http://{host}/v1", free="Llama3.2, qwen*")
    assert prices.cost("llama3.2", A_THOUSAND, at=NOVEMBER) == 0
    assert prices.cost("Qwen3-30B-A3B", A_THOUSAND, at=NOVEMBER) == 0
    assert prices.cost("llama3.2-vision", A_THOUSAND, at=NOVEMBER) is None
    assert "llama3.2" in prices.list_models()


@pytest.mark.parametrize("host", [*HOSTS, "gateway.example.com", "api.groq.com", "acme.openai.azure.com"])
@pytest.mark.parametrize(
    ("base", "dollars"),
    [
        ("gpt-6-sol", "0.002"),
        ("gpt-oss-120b", "0.00015"),
        ("groq/llama-3.3-70b-versatile", "0.00059"),
        ("claude-sonnet-5", "0.002"),
        ("anthropic/claude-sonnet-5", "0.002"),
    ],
)
def test_a_base_model_counts_on_every_host(host: str, base: str, dollars: str) -> None:
    prices = load_prices(base_url=f"https://{host}/v1", model="our-bot", base_model=base)
    cost = prices.cost("our-bot", A_THOUSAND, at=NOVEMBER)
    assert cost is not None
    if base != "gpt-oss-120b":  # hosts ask for it what they like
        assert cost == Decimal(dollars)
    assert prices.cost("our-other-bot", A_THOUSAND, at=NOVEMBER) is None


def test_models_of_other_vendors_have_prices_behind_a_gateway() -> None:
    gateway = Prices("http://litellm:4000/v1")
    for name in ("claude-sonnet-5", "anthropic/claude-sonnet-5"):
        assert gateway.cost(name, A_THOUSAND, at=NOVEMBER) == Decimal("0.002")
    assert gateway.cost("azure/gpt-6-sol", A_THOUSAND, at=NOVEMBER) == Decimal("0.002")
    assert gateway.cost("xai/grok-4.7", A_THOUSAND, at=NOVEMBER)
    assert gateway.cost("gemini/gemini-2.5-flash", A_THOUSAND, at=NOVEMBER)
    router = Prices("https://openrouter.ai/api/v1")
    assert router.cost("anthropic/claude-sonnet-4.5", A_THOUSAND, at=NOVEMBER) == Decimal("0.003")
    assert router.cost("deepseek/deepseek-r1:free", A_THOUSAND, at=NOVEMBER) == 0
    assert gateway.cost("deepseek/deepseek-r1:free", A_THOUSAND, at=NOVEMBER) is None
    google = Prices("https://generativelanguage.googleapis.com/v1beta/openai/")
    for name in ("gemini-2.5-flash", "models/gemini-2.5-flash"):
        assert google.cost(name, A_THOUSAND, at=NOVEMBER) == Decimal("0.0003")


def test_models_newer_than_the_package_have_the_price_of_our_list() -> None:
    prices = Prices()
    usage = Usage(input_tokens=12_000, cached_tokens=10_240, cache_write_tokens=1_500, output_tokens=500)
    assert prices.cost("gpt-6.2-sol", usage, at=NOVEMBER) == Decimal("0.010294")
    assert prices.cost("gpt-6.2-sol", Usage(272_000), at=NOVEMBER) == Decimal("0.544")
    assert prices.cost("gpt-6.2-sol", Usage(272_001), at=NOVEMBER) == Decimal("1.088004")
    assert prices.price("gpt-6.2-sol", A_THOUSAND, at=NOVEMBER, tier="priority").usd == Decimal("0.004")
    assert prices.price("gpt-6.2-astra", A_THOUSAND, at=NOVEMBER, tier="batch").usd == Decimal("0.004")
    drawn = Usage(input_tokens=50, output_tokens=1056, images=1)
    assert prices.price("gpt-image-2.6-flare", drawn, at=NOVEMBER, kind="image").usd == Decimal("0.03193")


def test_azure_has_its_own_price_where_it_charges_otherwise() -> None:
    usage = Usage(input_tokens=1_000_000)
    azure = Prices("https://acme.openai.azure.com/openai/v1")
    assert azure.cost("text-embedding-3-small", usage, at=NOVEMBER) == Decimal("0.022")
    assert Prices().cost("text-embedding-3-small", usage, at=NOVEMBER) == Decimal("0.02")
    assert azure.cost("whisper", Usage(audio_seconds=3600), at=NOVEMBER) == Decimal("0.36")
    assert Prices("http://127.0.0.1:9000/v1").cost("whisper", Usage(audio_seconds=3600), at=NOVEMBER) is None


def test_another_host_has_its_own_prices() -> None:
    groq = Prices("https://api.groq.com/openai/v1")
    assert groq.cost("llama-3.3-70b-versatile", Usage(input_tokens=1_000_000), at=NOVEMBER) == Decimal("0.59")
    assert Prices("https://models.example.com/v1").cost("llama3.2", A_THOUSAND, at=NOVEMBER) is None


def price_file(folder: Path, text: str) -> str:
    path = folder / "prices.toml"
    path.write_text(text, "utf-8")
    return str(path)


OWN = """
[[price]]
model = "our-llama*"
source = "the electricity bill"
checked_on = 2026-11-01
input_mtok = 0.05
output_mtok = 0.1

[[price]]
model = "our-llama*"
from = 2026-12-01
source = "the electricity bill"
checked_on = 2026-11-01
input_mtok = 0.07
output_mtok = 0.1

[[price]]
model = "gpt-6-sol"
source = "our agreement"
checked_on = 2026-11-01
input_mtok = 1
"""


def test_the_operators_list_adds_and_overrules(tmp_path: Path) -> None:
    prices = load_prices(base_url="http://localhost:1/v1", path=price_file(tmp_path, OWN))
    december = datetime(2026, 12, 1, tzinfo=UTC)
    assert prices.cost("our-llama-70b", A_THOUSAND, at=NOVEMBER) == Decimal("0.00005")
    assert prices.cost("our-llama-70b", A_THOUSAND, at=december) == Decimal("0.00007")
    assert prices.cost("gpt-6-sol", A_THOUSAND, at=NOVEMBER) == Decimal("0.001")
    assert prices.cost("gpt-6-sol", Usage(output_tokens=1000), at=NOVEMBER) == Decimal("0.01")
    free = OWN.replace("our-llama*", "llama*").replace("0.05", "0").replace("0.1", "0")
    prices = load_prices(base_url="http://localhost:1/v1", path=price_file(tmp_path, free))
    assert prices.cost("llama3.2", A_THOUSAND, at=NOVEMBER) == 0


def test_every_problem_of_a_list_is_told_at_once(tmp_path: Path) -> None:
    wrong = (
        '[[price]]\nmodel = "a"\nsource = "b"\ninput_token = 1\n[[price]]\nmodel = "c"\noutput_mtok = -1\n'
        '[[price]]\nmodel = "d"\noutput_mtok = { base = 1, over = 2 }\ntimes = { gold = 2 }\n'
        '[[price]]\nmodel = "e"\noutput_mtok = nan\n'
    )
    with pytest.raises(SetupError) as caught:
        read_list(Path(price_file(tmp_path, wrong)))
    problems = "\n".join(caught.value.problems)
    assert "a: checked_on is missing" in problems
    assert "input_token is not one of" in problems
    assert "output_mtok is not an amount of dollars" in problems
    assert "d: output_mtok is not an amount of dollars" in problems
    assert "d: times is not a factor" in problems
    assert "e: output_mtok is not an amount of dollars" in problems
    with pytest.raises(SetupError, match="currency is not USD"):
        read_list(Path(price_file(tmp_path, 'currency = "EUR"')))
    with pytest.raises(SetupError, match="cannot read"):
        read_list(tmp_path / "nowhere.toml")


def test_our_own_list_lacks_nothing_and_names_each_model_once() -> None:
    names = [(entry.model, entry.since) for entry in read_packaged()]
    assert len(names) == len(set(names)) > 20


counts = st.integers(0, 400_000)


@given(
    model=st.sampled_from(BY_TOKEN),
    parts=st.tuples(counts, counts, counts, counts),
    tier=st.sampled_from(["", "flex", "priority", "batch"]),
)
def test_our_sum_is_genai_prices_sum_for_every_model(
    model: str, parts: tuple[int, int, int, int], tier: str
) -> None:
    fresh, cached, written, output = parts
    usage = Usage(fresh + cached + written, cached, written, output)
    ours = Prices().price(model, usage, at=NOVEMBER, tier=tier).usd
    context = {"processing" if tier == "batch" else "service_tier": tier} if tier else None
    theirs = genai_prices.calc_price(
        genai_prices.Usage(
            input_tokens=usage.input_tokens,
            output_tokens=output,
            cache_read_tokens=cached,
            cache_write_tokens=written,
        ),
        model,
        provider_id="openai",
        genai_request_timestamp=NOVEMBER,
        price_context=context,
    ).total_price
    if ours is not None:
        assert nano(ours) == nano(theirs)
    else:
        assert output or not theirs


@given(amount=st.integers(-(2**63), 2**63 - 1))
def test_money_survives_the_disk(amount: int) -> None:
    assert nano(usd(amount)) == amount
