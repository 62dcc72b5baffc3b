"""Acts that change files which Slack has: shared once more, renamed or replaced, taken out, deleted.

Files are named by their id; who owns a file or is an admin may change it.
"""

from __future__ import annotations

from bot.sandbox.slack.api import file_removal
from bot.sandbox.slack.delivery import changes
from bot.sandbox.slack.people.acts import ActLog, act
from bot.sandbox.slack.people.directory import PeopleDirectory
from bot.sandbox.slack.people.forms import NotPossible
from bot.sandbox.slack.people.writing import write_message
from bot.sandbox.slack.state import Person, SlackFile, Workspace


class FileActs:
    """What becomes of files after they were uploaded."""

    def __init__(self, directory: PeopleDirectory, log: ActLog) -> None:
        self.log = log
        self._directory = directory

    @act
    async def share_file(
        self, user: str, file: str, channel: str, text: str = "", *, thread_ts: str | None = None
    ) -> str:
        """Share a file in one more conversation; the message's ts."""
        at = self._directory.find_place(user, channel)
        found = at[0].files.get(file)
        if found is None or not _sees(*at[:2], found):
            raise NotPossible(f"{user} sees no file {file}")
        return write_message(at, text, thread_ts=thread_ts, shared=[found])

    @act
    async def change_file(
        self, user: str, file: str, *, content: bytes | None = None, title: str = ""
    ) -> None:
        """Give a file another title or, as with snippets, other contents; links and id stay."""
        ws, person, found = self._find_own(user, file)
        found.about["title"] = title or found.about["title"]
        if content is not None:
            found.content = content
            found.about["size"] = len(content)
        if file_removal.is_seen_by_app(ws, found):
            ws.emit("file_change", changes.file_changed(person.id, file, ws.ts()))

    @act
    async def unshare_file(self, user: str, file: str, channel: str) -> None:
        """Take a file out of one conversation."""
        ws, person, found = self._find_own(user, file)
        _, _, place = self._directory.find_place(user, channel)
        if place.id not in found.shares:
            raise NotPossible(f"the file is not shared in {channel}")
        file_removal.unshare_file(ws, found, place, person.id)

    @act
    async def delete_file(self, user: str, file: str) -> None:
        """Delete a file for good."""
        ws, _, found = self._find_own(user, file)
        file_removal.delete_file(ws, found)

    def _find_own(self, user: str, file: str) -> tuple[Workspace, Person, SlackFile]:
        ws, person = self._directory.find_person(user)
        found = ws.files.get(file)
        if found is None or found.about["mode"] == "tombstone":
            raise NotPossible(f"there is no file {file}")
        if found.about["user"] != person.id and not person.admin:
            raise NotPossible("that is somebody else's file")
        return ws, person, found


def _sees(ws: Workspace, person: Person, file: SlackFile) -> bool:
    places = (ws.channels.get(id) for id in file.shares)
    return file.about["user"] == person.id or any(place and person.id in place.members for place in places)
