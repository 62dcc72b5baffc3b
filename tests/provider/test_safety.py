"""Requests say whose they are by an identifier that nobody else can read."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.settings import Settings
from bot.provider.safety import SafetyIdentifiers
from tests.support.model_api import SCOPE, build_prompt, open_bench

TOKEN = {"slack_bot_token": "xoxb-1"}
MINE = SafetyIdentifiers(Settings(**TOKEN))


def identifiers(bodies: list[dict[str, Any]]) -> list[tuple[str | None, str | None]]:
    return [(body.get("safety_identifier"), body.get("user")) for body in bodies]


@pytest.mark.parametrize("style", ["transcript", "chat", "responses"])
async def test_each_request_carries_the_person_by_the_name_its_endpoint_takes(
    tmp_path: Path, style: str
) -> None:
    async with open_bench(tmp_path, style=style, **TOKEN) as bench:
        await bench.ask()
        await bench.provider.complete(build_prompt(), replace(SCOPE, user="U2"))
        await bench.provider.complete(build_prompt(), replace(SCOPE, user=""))
        first, second, nobody = identifiers(bench.bodies)
    who = MINE.identify("T1", "U1")
    assert first == ((None, who) if style == "transcript" else (who, None))
    assert second != first
    assert nobody == (None, None)


async def test_vectors_carry_it_too_and_recordings_have_no_place_for_it(tmp_path: Path) -> None:
    async with open_bench(tmp_path, **TOKEN) as bench:
        await bench.provider.embed(["x"], SCOPE, model="text-embedding-3-small")
        assert identifiers(bench.bodies) == [(None, MINE.identify("T1", "U1"))]
    assert MINE.parameters("/audio/transcriptions", SCOPE) == {}
    assert set(MINE.parameters("/decisions", SCOPE)) == {"safety_identifier"}


async def test_a_server_that_refuses_it_is_told_by_the_older_name_and_then_not_at_all(tmp_path: Path) -> None:
    async with open_bench(tmp_path, **TOKEN) as bench:
        for name in ("safety_identifier", "user"):
            bench.model.faults.add("unsupported", value=name)
        await bench.ask()
        await bench.ask()
        who = MINE.identify("T1", "U1")
        assert identifiers(bench.bodies) == [(who, None), (None, who), (None, None), (None, None)]


@pytest.mark.parametrize("name", ["user", "safety_identifier"])
async def test_what_the_operator_sends_as_one_is_left_alone(tmp_path: Path, name: str) -> None:
    async with open_bench(tmp_path, extra_parameters=f'{{"{name}": "mine"}}', **TOKEN) as bench:
        await bench.ask()
        [body] = bench.bodies
    assert body[name] == "mine"
    assert len({"user", "safety_identifier"} & body.keys()) == 1


@given(st.text(max_size=30), st.text(min_size=1, max_size=30))
def test_an_identifier_shows_nothing_of_a_person(team: str, person: str) -> None:
    made = MINE.identify(team, person)
    assert re.fullmatch("[0-9a-f]{32}", made)
    assert made == SafetyIdentifiers(Settings(**TOKEN)).identify(team, person)
    assert made != SafetyIdentifiers(Settings(slack_bot_token="xoxb-2")).identify(team, person)
    assert made != MINE.identify(team + "x", person)


def test_without_a_secret_nobody_is_identified() -> None:
    assert SafetyIdentifiers(Settings()).parameters("/responses", SCOPE) == {}
