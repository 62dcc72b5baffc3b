"""What people attach to a question: pictures are seen, documents read, for that thread alone; and what is not
is named."""

from __future__ import annotations

import io
import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from bot.conversation.shown_files import CANNOT_SEE
from bot.images.seeing import SVG
from bot.knowledge.removal import REMOVAL
from storage.engine import Tx
from tests.support.clips import file
from tests.support.documents import until_true
from tests.support.guarded_channel import why
from tests.support.workspace import Workspace, workspace

BLIND = "gpt-3.5-turbo"


def picture(colour: str, kind: str = "PNG", size: tuple[int, int] = (64, 32)) -> bytes:
    out, exif = io.BytesIO(), Image.Exif()
    exif[0x010F] = "Secret camera"
    Image.new("RGB", size, colour).save(out, kind, exif=exif)
    return out.getvalue()


def parts(team: Workspace, message: int = -1) -> list[dict[str, Any]]:
    """What a message of the last request holds; of words alone one part."""
    content = team.model.requests[-1].body["messages"][message]["content"]
    return content if isinstance(content, list) else [{"type": "text", "text": content}]


def shown(team: Workspace) -> list[str]:
    """The names under which the last request shows pictures, oldest first."""
    said = [
        part
        for message in range(len(team.model.requests[-1].body["messages"]))
        for part in parts(team, message)
    ]
    return [before["text"] for before, part in itertools.pairwise(said) if part["type"] == "image_url"]


def count_kept(tx: Tx) -> dict[str, int]:
    tables = ("documents", "document_chunks")
    return {table: tx.all(f"select count(*) as n from {table}")[0]["n"] for table in tables}


def find_ends(tx: Tx, kind: str) -> set[tuple[str, bool]]:
    """How jobs of a kind stand, and whether what they were about is gone from them."""
    rows = tx.all("select state, payload from inbox where kind = :kind", kind=kind)
    return {(row["state"], row["payload"] is None) for row in rows}


def notes(team: Workspace, thread: str, channel: str = "#general") -> str:
    return str(team.replies(channel, thread)[-1]["blocks"])


async def test_a_picture_is_seen_and_priced_and_seen_again_later_in_the_thread_and_nowhere_else(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path) as team:
        plan = file("plan.png", picture("red"))
        thread = await team.slack.say("alice", "#general", "@parley what colour is it?", files=[plan])
        await team.answer("#general", thread)
        assert shown(team) == ["[picture: plan.png]"]
        words = parts(team)[-1]["text"]
        assert words.startswith("what colour is it?\n\n[picture: plan.png, ")
        assert "not read" not in words
        assert "Secret camera" not in str(team.model.requests[-1].body)

        await team.slack.say(
            "bob", "#general", "mine", thread_ts=thread, files=[file("b.jpg", picture("blue", "JPEG"))]
        )
        await team.quiet()
        await team.ask("@parley and which of both is warmer?", thread=thread)
        await team.answer("#general", thread, count=2)
        assert shown(team) == ["[picture: plan.png]", "[picture: b.jpg]"]
        answer = team.replies("#general", thread)[-1]["ts"]
        told = str(await why(team, "alice", thread, answer))
        assert "and 2 pictures." in told
        assert re.search(r"Of those read, up to [\d,]+ are pictures\.", told)

        other = await team.ask("@parley do you see a picture?")
        await team.answer("#general", other)
        assert shown(team) == []


async def test_a_model_that_cannot_see_says_so_once_and_answers_the_rest(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_MODEL=BLIND) as team:
        plan = file("plan.png", picture("red"))
        thread = await team.slack.say("alice", "#general", "@parley hello, what is it?", files=[plan])
        await team.answer("#general", thread)
        assert CANNOT_SEE.format(names="plan.png") in notes(team, thread)
        refused, answered = team.model.requests
        assert (refused.status, answered.status) == (400, 200)
        assert "you cannot see pictures" in parts(team)[0]["text"]

        again = await team.slack.say("alice", "#general", "@parley and now?", files=[plan])
        await team.answer("#general", again)
        assert CANNOT_SEE.format(names="plan.png") in notes(team, again)
        assert len(team.model.requests) == 3, "what was learned is not asked again"
        assert "plan.png" in parts(team)[0]["text"]


async def test_a_picture_alone_is_a_question_and_eight_are_looked_at_in_a_turn(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        dm = team.slack.dm("alice")
        files = [file(f"{number}.png", picture("red")) for number in range(9)]
        thread = await team.slack.say("alice", dm, "", files=[file("x.png", b"<svg/>"), *files])
        await team.answer(dm, thread)
        assert shown(team) == [f"[picture: {number}.png]" for number in range(8)]
        assert "8.png: there are more pictures" in notes(team, thread, dm)
        assert SVG in notes(team, thread, dm)


@pytest.mark.both_engines
async def test_a_document_is_read_for_its_thread_alone_and_gone_with_its_post(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        rules = file("rules.txt", b"Lifts hold 300 kg.\nThe roof is closed in March.")
        thread = await team.slack.say(
            "alice", "#general", "@parley thank you for reading this", files=[rules]
        )
        await team.answer("#general", thread)
        assert "The roof is closed in March" in team.model.requests[-1].prompt
        assert "[file: rules.txt, " in team.model.requests[-1].prompt
        assert "not read" not in team.model.requests[-1].prompt

        await team.ask("@parley when is the roof closed?", thread=thread)
        await team.answer("#general", thread, count=2)
        assert "The roof is closed in March" in team.model.requests[-1].prompt

        answer = team.replies("#general", thread)[0]["ts"]
        told = str(await why(team, "alice", thread, answer))
        assert re.search(r"Of those read, about \d+ are what was attached here\.", told)

        other = await team.ask("@parley when is the roof closed?")
        await team.answer("#general", other)
        assert "closed in March" not in team.model.requests[-1].prompt

        await team.slack.delete("alice", "#general", thread)
        read = team.bot.services.engine.read

        async def removed() -> bool:
            return await read(find_ends, REMOVAL) == {("done", True)}  # of the post, and of its file

        await until_true(removed)
        assert await read(count_kept) == {"documents": 0, "document_chunks": 0}


async def test_the_night_finds_an_attached_file_that_is_gone(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        rules = file("rules.txt", b"The roof is closed in March.")
        thread = await team.slack.say("alice", "#general", "@parley read this", files=[rules])
        await team.answer("#general", thread)
        (shared,) = team.slack.thread("#general", thread)[0]["files"]
        await team.bot.services.follower.sweep(lambda team: True)
        assert (await team.bot.services.engine.read(count_kept))["documents"] == 1
        del team.slack.workspace.files[shared["id"]]  # no event tells of it
        await team.bot.services.follower.sweep(lambda team: True)
        await team.quiet()
        assert await team.bot.services.engine.read(count_kept) == {"documents": 0, "document_chunks": 0}
