"""Files of a question are read once for their conversation, however often its turn runs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

from PIL import Image

from bot.core.settings import Settings
from bot.core.values import Conversation, File
from bot.knowledge.attachments import Attached, Attachments, document_id
from bot.knowledge.index import DocumentIndex
from bot.privacy.retention import erase_due
from handlers.slack.payloads import file_from
from storage.conversation import messages
from storage.database import open_engine
from storage.engine import Engine
from storage.knowledge import documents
from storage.knowledge.documents import Document
from tests.support.engines import database_url

PLACE = Conversation("T1", "C1", "1.0")
LINK = "https://example.slack.com/files/U1/F1/rules.txt"
RULES = File("F1", "rules.txt", "text/plain", 20, "https://files.example/rules.txt", link=LINK)
ATTACHED = Attached(PLACE, "1.0", "U1", (RULES,))


class Folder:
    """Files of one folder; `fetches` are counted."""

    def __init__(self, path: Path) -> None:
        self.path, self.fetches = path, 0

    async def details(self, file: File) -> File:
        return file

    @asynccontextmanager
    async def fetched(self, file: File) -> AsyncIterator[Path]:
        self.fetches += 1
        yield self.path / Path(file.url).name


def attachments(engine: Engine, folder: Folder) -> Attachments:
    return Attachments(Settings(), engine, DocumentIndex(engine), folder, clock=lambda: 1.0)


async def test_a_turn_that_runs_again_finds_what_was_read_and_fetches_nothing(tmp_path: Path) -> None:
    (tmp_path / "rules.txt").write_text("The roof is closed in March.")
    folder = Folder(tmp_path)
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        for _ in range(2):
            (read,) = await attachments(engine, folder).read(ATTACHED, sees=True)
            assert read.file.read
        (document,) = await engine.read(documents.list_all)
        assert (document.state, document.chunks, folder.fetches) == ("searchable", 1, 1)
        assert document.link == LINK


async def test_what_cannot_be_read_is_told_again_without_being_fetched(tmp_path: Path) -> None:
    (tmp_path / "rules.txt").write_bytes(b"")
    folder = Folder(tmp_path)
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        for _ in range(2):
            (read,) = await attachments(engine, folder).read(ATTACHED, sees=True)
            assert "rules.txt" in read.notes[0]
            assert not read.file.read
        assert folder.fetches == 1


async def test_a_message_deleted_while_its_file_is_read_leaves_nothing(tmp_path: Path) -> None:
    (tmp_path / "rules.txt").write_text("The roof is closed in March.")
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        await engine.write(messages.delete, "T1", "C1", "1.0", now=1.0)
        await attachments(engine, Folder(tmp_path)).read(ATTACHED, sees=True)
        assert await engine.read(documents.find, document_id(PLACE.key, RULES)) is None


async def test_where_nothing_may_be_kept_the_words_are_handed_on_and_not_stored(tmp_path: Path) -> None:
    (tmp_path / "rules.txt").write_text("The roof is closed in March.")
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        unkept = Attached(PLACE, "1.0", "U1", (RULES,), kept=False)
        (read,) = await attachments(engine, Folder(tmp_path)).read(unkept, sees=True)
        assert "closed in March" in read.text
        assert await engine.read(documents.list_all) == []


async def test_what_was_attached_goes_by_age_and_nothing_else_does(tmp_path: Path) -> None:
    (tmp_path / "rules.txt").write_text("The roof is closed in March.")
    kept = Document("d2", "T1", "channel", "handbook", added_at=1.0, channel="C1")
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        await attachments(engine, Folder(tmp_path)).read(ATTACHED, sees=True)
        await engine.write(documents.add, kept)
        settings = Settings(keep_messages_days=1)
        await erase_due(engine, settings, now=80_000.0)
        assert await engine.read(documents.find, document_id(PLACE.key, RULES))
        await erase_due(engine, settings, now=90_000.0)
        assert await engine.read(documents.find, document_id(PLACE.key, RULES)) is None
        assert await engine.read(documents.find, "d2")


async def test_a_picture_that_is_not_opened_here_is_seen_as_slack_shows_it(tmp_path: Path) -> None:
    Image.new("RGB", (64, 32), "red").save(tmp_path / "small.png")
    Image.new("RGB", (640, 320), "red").save(tmp_path / "scan.tiff")
    told = {"id": "F2", "name": "scan.tiff", "mimetype": "image/tiff", "size": 9, "url_private": "scan.tiff"}
    scan = file_from(told | {"thumb_360": "tiny.png", "thumb_1024": "small.png"})
    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        asked = Attached(PLACE, "1.0", "U1", (scan, replace(scan, id="F3", preview="")))
        seen, unseen = await attachments(engine, Folder(tmp_path)).read(asked, sees=True)
        assert seen.picture
        assert (seen.picture.name, seen.picture.width) == ("scan.tiff", 64)
        assert "a TIFF picture" in unseen.notes[0]
