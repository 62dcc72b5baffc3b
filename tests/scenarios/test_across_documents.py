"""A question to every document, as people see it in Slack: told what it takes, then a line for each."""

from __future__ import annotations

from pathlib import Path

from bot.core.values import FOLLOW_UPS
from handlers.slack.sources import read_sources
from tests.support.documents import take_in
from tests.support.guarded_channel import said, why
from tests.support.workspace import workspace

ACME = "# Contract Acme\n\nThe notice period of this contract is four weeks."
BROOK = "# Vertrag Brook\n\nDie Ziegel kommen am Montag."
NEWS = "# News\n\nThe notice period for lunch is one day."


async def test_all_contracts_are_gone_through_once_somebody_wants_that_and_each_is_told(
    tmp_path: Path,
) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text(
        '[[price]]\nmodel = "gpt-4.1-mini"\nsource = "made up"\nchecked_on = 2026-11-01\n'
        "input_mtok = 200\noutput_mtok = 200\n"
    )
    async with workspace(tmp_path, PARLEY_DOCUMENTS="only", PARLEY_PRICES=str(prices)) as team:
        for name, text in (("acme.md", ACME), ("brook.md", BROOK), ("news.md", NEWS)):
            await take_in(team, name, text)
        team.model.requests.clear()
        text, thread = await said(team, "What do our contracts say about the notice period?")
        assert text.startswith("That goes through 2 documents that are called so by their titles")
        assert "for about $0." in text
        assert not team.model.requests
        (offer,) = team.replies("#general", thread)
        await team.slack.press("bob", "#general", offer["ts"], "across")
        text = await team.answer("#general", thread, count=2)
        assert "Contract Acme" in text
        assert "four weeks" in text
        assert "Nothing about this in one document: **Vertrag Brook**." in text
        assert "News" not in text
        await team.quiet()
        answer = team.replies("#general", thread)[-1]
        assert "four weeks" in read_sources(answer["blocks"])[0]
        assert "four weeks" in str(await why(team, "bob", thread, answer["ts"]))
        (asked,) = [one for one in team.model.requests if "[Document 2]" in one.prompt]
        assert FOLLOW_UPS["across"] not in asked.prompt
