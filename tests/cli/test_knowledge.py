"""`parley knowledge add`: files and folders of this machine, without a bot and beside a running one."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import pytest

from bot.cli import knowledge, teams
from bot.cli.main import main
from bot.core import settings_sources
from bot.core.errors import SetupError
from bot.core.settings import Settings
from storage.database import open_engine
from storage.place import Channel
from storage.unanswered import questions
from tests.support.documents import QUESTION, RULES, audience, documents, found
from tests.support.engines import database_url
from tests.support.workspace import workspace


def fill(folder: Path) -> Path:
    (folder / "sub").mkdir(parents=True)
    (folder / "rules.md").write_text(RULES)
    (folder / "sub" / "rules.md").write_text("# Keys\n\nThe keys hang in the office.")
    (folder / "empty.pdf").write_bytes(b"")
    (folder / ".hidden").write_text("not this one")
    (folder.parent / "private.md").write_text("nor this one")
    (folder / "a link out of it.md").symlink_to(folder.parent / "private.md")
    (folder / "a link to what is hidden.md").symlink_to(folder / ".hidden")
    os.mkfifo(folder / "pipe.md")
    return folder


def states(told: list[dict[str, Any]]) -> dict[str, str]:
    return {one["name"]: one["state"] for one in told}


def test_a_folder_is_taken_in_without_a_bot_and_once_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PARLEY_DATABASE", database_url(tmp_path / "parley.db"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    command = ["knowledge", "add", "--channel", "C1", str(fill(tmp_path / "handbook")), "--json"]
    assert main(command) == 1, "one of the files is empty"
    told = json.loads(capsys.readouterr().out)
    assert states(told) == {"empty.pdf": "failed", "rules.md": "searchable", "sub/rules.md": "searchable"}
    assert next(one for one in told if one["name"] == "empty.pdf")["problem"]
    main(command)
    again = json.loads(capsys.readouterr().out)
    assert states(again) == {"empty.pdf": "failed", "rules.md": "unchanged", "sub/rules.md": "unchanged"}


async def test_files_for_slack_are_not_taken_in_for_a_workspace_that_is_not_named(tmp_path: Path) -> None:
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        assert await teams.find_team(engine, "C1") == teams.COMMAND_LINE, "it serves nobody in Slack"
        with pytest.raises(SetupError, match=r"C1: no workspace .* name it with --team"):
            await teams.find_team(engine, "C1", in_slack=True)


def test_what_is_neither_a_file_nor_a_folder_is_told_and_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.md")
    with pytest.raises(SetupError, match="no such file or folder"):
        list(knowledge.list_files(tmp_path / "pipe.md"))


async def test_beside_a_running_bot_files_are_found_in_the_channel_at_once(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        here = audience(team, "#general")
        args = argparse.Namespace(
            action="add",
            channel=here.channel,
            workspace=False,
            team="",
            paths=[fill(tmp_path / "handbook")],
            json=True,
        )
        settings = settings_sources.load(team.environ)
        assert await knowledge.run(args, settings) == 1
        assert "office" in str(await found(team, "Where are the keys?", here))
        assert "greenhouse" in str(await found(team, QUESTION, here))
        assert len(await documents(team, here)) == 3, "also the one that could not be read is told of"
        await knowledge.run(args, settings)
        assert len(await documents(team, here)) == 3


def test_a_search_prints_what_was_found_best_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PARLEY_DATABASE", database_url(tmp_path / "parley.db"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-test")
    main(["knowledge", "add", "--channel", "C1", str(fill(tmp_path / "handbook"))])
    capsys.readouterr()
    assert main(["knowledge", "search", "C1", "Where are the keys?", "--json"]) == 0
    first, *rest = json.loads(capsys.readouterr().out)
    assert {"document", "page", "heading", "score", "text"} <= first.keys()
    assert "hang in the office" in first["text"]
    assert first["heading"] == "Keys"
    assert all(other["score"] <= first["score"] for other in rest)
    assert main(["knowledge", "search", "C1", "Where are the keys?"]) == 0
    assert "hang in the office" in capsys.readouterr().out
    assert main(["knowledge", "search", "C2", "Where are the keys?"]) == 1, "nothing of another channel"


async def test_what_could_not_be_answered_is_listed_by_channel_and_private_talk_only_where_it_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = database_url(tmp_path / "parley.db")
    async with open_engine(url) as engine:
        for number, channel in enumerate(("C1", "C1", "D1"), 1):
            await engine.write(
                questions.add_question, Channel("T1", channel), "Who has\x1b[2J the key?", "House rules",
                person=f"U{number}", conversation="c", message=str(number), now=float(number),
            )  # fmt: skip
    settings = settings_sources.load({"PARLEY_DATABASE": url})
    assert await list_unanswered(settings) == 0
    told = capsys.readouterr().out
    assert "C1 (T1)" in told
    assert "2 × by 2: Who has" in told
    assert "\x1b" not in told
    assert "D1" not in told
    await list_unanswered(settings, channel="T1:D1", json=True)
    (topic,) = json.loads(capsys.readouterr().out)
    assert (topic["channel"], topic["times"], topic["nearest"]) == ("D1", 1, "House rules")


async def list_unanswered(settings: Settings, *, channel: str = "", json: bool = False) -> int:
    args = argparse.Namespace(action="unanswered", channel=channel, team="", json=json)
    return await knowledge.run(args, settings)
