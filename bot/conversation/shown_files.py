"""Files of a question and of what was said before it, as the turn shows them to a model.

Those of the question are opened before the model is asked, so that the person hears what cannot be read; of
earlier ones, pictures are looked at once more and documents that nobody has read yet are read. How a file is
opened is bot/knowledge/attachments.py's.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import sqrt

from bot.channel.service import AnswerSettings
from bot.conversation.memory import Memory
from bot.conversation.recollection import Recollection
from bot.core.access import remembers
from bot.core.settings import Settings
from bot.core.values import PATCH_PIXELS, PATCH_TOKENS, File, Incoming, Message, ShownPicture
from bot.images.formats import may_be_picture
from bot.images.seeing import LONGEST_SIDE
from bot.knowledge.attachments import MOST_PICTURES, Attached, Attachments, ReadFile
from bot.provider.service import Provider
from bot.text import marks, tokens
from bot.voice.message_clips import SpokenWords

CANNOT_SEE = "The model that answers here cannot see pictures, so it does not know what is in {names}."
NO_ROOM = "The model had no room for pictures, so it does not know what is in {names}."
ONLY_BEGINNING = "Of what is attached, the model read the beginning: it has no room for all of it."
TOLD = "The asker is told about files: {notes}"
MOST_EARLIER = 10  # documents of earlier messages that are read in one turn
PICTURE_SHARE = 4  # of a model that reads little, pictures get a part of this size
LEAST_SIDE = 256


@dataclass(frozen=True, slots=True)
class ShownFiles:
    """What came of the files so far. `posted`: those of the question; `earlier`: pictures by the id of their
    file; `unseen`: names of pictures that nobody sees here."""

    posted: tuple[ReadFile, ...] = ()
    earlier: Mapping[str, ShownPicture] = field(default_factory=dict)
    read_earlier: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()
    unseen: tuple[str, ...] = ()
    unkept: str = ""  # what is in documents that may not be stored

    @property
    def any_read(self) -> bool:
        """Whether a model can be given something of the question's files."""
        return any(one.file.read for one in self.posted)

    @property
    def pictures(self) -> tuple[ShownPicture, ...]:
        """Those of the question."""
        return tuple(one.picture for one in self.posted if one.picture)

    @property
    def names(self) -> str:
        """Of all pictures, for a person."""
        return ", ".join(picture.name for picture in (*self.earlier.values(), *self.pictures))

    def told(self) -> tuple[str, ...]:
        """All that a person is told of files."""
        unseen = (CANNOT_SEE.format(names=", ".join(self.unseen)),) if self.unseen else ()
        return (*self.notes, *unseen)

    def add(self, opened: Sequence[ReadFile]) -> ShownFiles:
        """With those of one more post."""
        return replace(
            self,
            posted=(*self.posted, *opened),
            notes=(*self.notes, *(note for one in opened for note in one.notes)),
            unseen=(*self.unseen, *(one.file.name or "a picture" for one in opened if one.unseen)),
        )

    def without_pictures(self, why: str) -> ShownFiles:
        """Where the model has no eyes, or no room, for them: `why` is a sentence with their names."""
        posted = tuple(replace(one, picture=None) for one in self.posted)
        return replace(self, posted=posted, earlier={}, notes=(*self.notes, why.format(names=self.names)))

    def onto(self, recollection: Recollection) -> Recollection:
        """The conversation with its pictures where they stand in it."""
        messages = tuple(map(self._show, recollection.messages))
        return replace(
            recollection,
            messages=messages,
            pictures=self.pictures,
            told=self.told(),
            attached=self.unkept,
        )

    def _show(self, message: Message) -> Message:
        text = message.text
        for file in message.files:
            if file.id in self.earlier or file.id in self.read_earlier:
                text = text.replace(_mark(file, read=False), _mark(file, read=True))
        pictures = (self.earlier[file.id] for file in message.files if file.id in self.earlier)
        return replace(message, text=text, pictures=tuple(pictures))


class FileShower:
    """Opens what a turn shows."""

    def __init__(
        self, settings: Settings, attachments: Attachments, provider: Provider, memory: Memory
    ) -> None:
        self._settings = settings
        self._attachments = attachments
        self._provider = provider
        self._memory = memory

    async def open_posted(
        self, shown: ShownFiles, post: Incoming, spoken: SpokenWords, how: AnswerSettings
    ) -> tuple[ShownFiles, SpokenWords]:
        """With the files of a post that are no recordings, and what is known of them since."""
        if not spoken.others:
            return shown, spoken
        opened = await self._attachments.read(
            self._attach(post, spoken.others),
            sees=self._provider.sees(how.model),
            most_pictures=MOST_PICTURES - len(shown.pictures),
            side=self._choose_side(how, len(spoken.others)),
        )
        known = (*spoken.known, *(one.file for one in opened))
        return shown.add(opened), replace(spoken, known=known)

    async def open_earlier(
        self, shown: ShownFiles, incoming: Incoming, recollection: Recollection, how: AnswerSettings
    ) -> ShownFiles:
        """With pictures of what was said before, the newest first, and documents nobody has read yet."""
        posted = {one.file.id for one in shown.posted}
        said = [file for message in recollection.messages for file in message.files]
        files = [file for file in _newest_once(said) if file.id not in posted]
        if not files:
            return await self._fit_unkept(shown, how)
        sees = self._provider.sees(how.model)
        pictures = [file for file in files if may_be_picture(file)]
        pictures = pictures[: MOST_PICTURES - len(shown.pictures)] if sees else []
        read, unread = await self._attachments.sort_documents(self._attach(incoming, files))
        speakers = {file.id: message.speaker for message in recollection.messages for file in message.files}
        opened = await self._attachments.read(
            replace(self._attach(incoming, [*pictures, *unread[:MOST_EARLIER]]), speakers=speakers),
            sees=sees,
            most_pictures=MOST_PICTURES - len(shown.pictures),
            side=self._choose_side(how, len(pictures)),
        )
        first = not recollection.turns
        hidden = [file.name for file in files if may_be_picture(file)] if first and not sees else []
        notes = (note for one in opened if first or not may_be_picture(one.file) for note in one.notes)
        return replace(
            shown,
            earlier={one.file.id: one.picture for one in opened if one.picture},
            read_earlier=frozenset(
                file.id for file in (*read, *(one.file for one in opened if one.file.read))
            ),
            notes=(*shown.notes, *notes),
            unseen=(*shown.unseen, *hidden),
        )

    async def _fit_unkept(self, shown: ShownFiles, how: AnswerSettings) -> ShownFiles:
        """With documents that may not be stored, as far as there is room for them."""
        texts = [
            f"{marks.quote(f'file: {marks.tidy_name(one.file.name)}', one.text)}\n{marks.END}"
            for one in shown.posted
            if one.text
        ]
        whole = "\n\n".join(texts)
        room = self._memory.room.passage_tokens(how)
        if tokens.fits(whole, room, how.model):
            return replace(shown, unkept=whole)
        cut = f"{tokens.cut(whole, room, how.model)}\n{marks.END}"
        return replace(shown, unkept=cut, notes=(*shown.notes, ONLY_BEGINNING))

    def _attach(self, post: Incoming, files: Sequence[File]) -> Attached:
        kept = remembers(post, self._settings)
        return Attached(post.conversation, post.message, post.user, tuple(files), kept)

    def _choose_side(self, how: AnswerSettings, pictures: int) -> int:
        """How long a picture may be: for a model that reads little, so that all of them have room."""
        if not self._memory.room.is_small(how):
            return LONGEST_SIDE
        each = self._memory.room.budget_tokens(how) / PICTURE_SHARE / max(1, pictures)
        return max(LEAST_SIDE, min(LONGEST_SIDE, int(sqrt(each / PATCH_TOKENS)) * PATCH_PIXELS))


def forget_pictures(heard: Sequence[SpokenWords]) -> tuple[SpokenWords, ...]:
    """The same where the model turned out not to see: its pictures were not read."""
    return tuple(
        replace(
            spoken,
            known=tuple(replace(file, read=file.read and not may_be_picture(file)) for file in spoken.known),
        )
        for spoken in heard
    )


def _newest_once(files: Sequence[File]) -> list[File]:
    return list({file.id: file for file in reversed(files)}.values())


def _mark(file: File, *, read: bool) -> str:
    return marks.mark_file(file.name, file.size_bytes, file.kind, read=read)


def describe_told(notes: Iterable[str]) -> str:
    """What a model is told of what a person is told; "" for nothing."""
    said = " ".join(marks.tidy_name(note, 300) for note in notes)
    return TOLD.format(notes=said) if said else ""
