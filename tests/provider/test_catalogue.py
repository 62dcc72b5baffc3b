"""When models end, and who answers for them then."""

from __future__ import annotations

import tomllib
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from bot.core.errors import ModelMissing, SetupError
from bot.core.settings import Settings
from bot.provider import catalogue
from bot.provider.catalogue import Catalogue, Ending, find_service, read_successors
from tests.support.model_api import open_bench

AZURE = "https://ours.openai.azure.com/openai/v1"
OWN = "http://127.0.0.1:8080/v1"


def at(day: str) -> float:
    return datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp()


@pytest.mark.parametrize(
    ("url", "service"),
    [
        ("", "openai"),
        ("https://api.openai.com/v1", "openai"),
        ("https://eu.api.openai.com/v1", "openai"),
        (AZURE, "azure"),
        (OWN, ""),
        ("https://openai.com.example.org/v1", ""),
        ("https://notopenai.com/v1", ""),
    ],
)
def test_the_service_is_known_by_the_end_of_its_host(url: str, service: str) -> None:
    assert find_service(url) == service


@pytest.mark.parametrize("model", ["gpt-5", "gpt-5-2025-08-07", "GPT-5", "openai/gpt-5", "ft:gpt-5:acme::1"])
def test_a_model_is_known_by_its_snapshots_and_its_fine_tuned_ones(model: str) -> None:
    assert Catalogue(Settings()).find_ending(model) == Ending(model, date(2026, 12, 11), "gpt-6.1-sol")


@pytest.mark.parametrize("model", ["gpt-5.9", "gpt-5-pro", "", "local:small", "llama3.2:3b"])
def test_of_other_models_no_end_is_known(model: str) -> None:
    assert Catalogue(Settings()).find_ending(model) is None


def test_until_its_last_day_is_over_a_model_answers_itself() -> None:
    known = Catalogue(Settings())
    assert known.pick("gpt-5", at=at("2026-12-11") - 1) == "gpt-5"
    assert known.replaced == {}
    assert known.pick("gpt-5", at=at("2026-12-11")) == "gpt-6.1-sol"
    assert known.replaced == {"gpt-5": "gpt-6.1-sol"}


def test_what_a_server_reports_goes_before_the_table() -> None:
    known = Catalogue(Settings())
    known.learn({"gpt-5": date(2027, 3, 1), "gpt-6-luna": date(2027, 1, 1), "gpt-4o": None})
    assert known.pick("gpt-5", at=at("2026-12-31")) == "gpt-5"
    assert known.pick("gpt-5", at=at("2027-03-01")) == "gpt-6.1-sol"
    assert known.find_ending("gpt-6-luna") == Ending("gpt-6-luna", date(2027, 1, 1), "")
    assert known.find_ending("gpt-4o") == Ending("gpt-4o", date(2027, 1, 14), "gpt-6-luna")


def test_the_operators_word_about_who_follows_goes_before_the_services() -> None:
    known = Catalogue(Settings(successors="gpt-5=gpt-6-luna, gpt-4o="))
    assert known.pick("gpt-5", at=at("2027-01-01")) == "gpt-6-luna"
    assert known.pick("gpt-4o", at=at("2027-06-01")) == "gpt-4o"
    assert known.pick("gpt-4.1", at=at("2027-06-01")) == "gpt-6-luna"


def test_a_successor_that_has_ended_as_well_has_a_successor_of_its_own() -> None:
    chain = Catalogue(Settings(successors="gpt-5=gpt-4o, gpt-4o=gpt-6-sol"))
    assert chain.pick("gpt-5", at=at("2026-12-20")) == "gpt-4o"
    assert chain.pick("gpt-5", at=at("2027-02-01")) == "gpt-6-sol"
    circle = Catalogue(Settings(successors="gpt-5=gpt-4o, gpt-4o=gpt-5"))
    assert circle.pick("gpt-5", at=at("2027-02-01")) in ("gpt-5", "gpt-4o")


def test_on_azure_a_deployment_ends_with_its_model_and_its_successor_is_the_operators_to_name() -> None:
    settings = Settings(openai_base_url=AZURE, model="ours", base_model="gpt-5")
    known = Catalogue(settings)
    assert known.find_ending("ours") == Ending("ours", date(2027, 2, 9), "")
    assert known.pick("ours", at=at("2027-03-01")) == "ours"
    named = Catalogue(settings.changed(successors="ours=our-next"))
    assert named.pick("ours", at=at("2027-03-01")) == "our-next"


def test_another_server_is_believed_but_not_the_table() -> None:
    known = Catalogue(Settings(openai_base_url=OWN))
    assert known.find_ending("gpt-5") is None
    known.learn({"gpt-5": date(2027, 1, 1)})
    assert known.find_ending("gpt-5") == Ending("gpt-5", date(2027, 1, 1), "gpt-6.1-sol")


def test_what_is_no_pair_is_told() -> None:
    with pytest.raises(SetupError) as raised:
        read_successors("gpt-5, =x, a=b")
    assert raised.value.problems == [
        "PARLEY_SUCCESSORS: 'gpt-5' is not model=successor",
        "PARLEY_SUCCESSORS: '' is not model=successor",
    ]


def test_every_row_of_the_table_is_dated_sourced_and_about_a_model_once() -> None:
    rows = tomllib.loads(Path(catalogue.__file__).with_name("endings.toml").read_text("utf-8"))["ending"]
    seen = set[tuple[str, str]]()
    for row in rows:
        assert row.keys() == {"at", "models", "ends", "then", "source", "checked_on"}
        assert row["source"] and row["checked_on"] >= date(2026, 11, 1) and row["at"] in ("openai", "azure")
        for model in row["models"]:
            assert (row["at"], model) not in seen
            seen.add((row["at"], model))


async def test_a_model_that_is_gone_is_answered_for_at_once_and_asked_for_no_more(tmp_path: Path) -> None:
    async with open_bench(tmp_path, successors="rehearsal=gpt-6-luna") as bench:
        bench.model.faults.add("ended", model="rehearsal", times=0)
        answer = await bench.ask()
        assert (answer.model, answer.finish) == ("gpt-6-luna", "stop")
        await bench.ask()
        asked = [body["model"] for body in bench.bodies]
        assert asked == ["rehearsal", "gpt-6-luna", "gpt-6-luna"]
        assert bench.provider.catalogue.replaced == {"rehearsal": "gpt-6-luna"}
        assert [row["model"] for row in await bench.rows()] == asked


async def test_a_model_that_is_gone_and_that_nobody_follows_is_an_error_that_says_so(tmp_path: Path) -> None:
    async with open_bench(tmp_path) as bench:
        bench.model.faults.add("ended", model="rehearsal", times=0)
        with pytest.raises(ModelMissing):
            await bench.ask()
        assert len(bench.bodies) == 1


async def test_a_successor_that_is_not_there_either_is_asked_for_once(tmp_path: Path) -> None:
    async with open_bench(tmp_path, successors="rehearsal=nobody") as bench:
        bench.model.faults.add("ended", model="rehearsal", times=0)
        with pytest.raises(ModelMissing):
            await bench.ask()
        assert [body["model"] for body in bench.bodies] == ["rehearsal", "nobody"]
