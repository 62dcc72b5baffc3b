"""First contact in a story: people invite the bot while things run, and everybody is told once of the AI.

A note or a first answer may be anywhere on its way when the process dies; it is there once all the same.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

from bot.welcome.disclosures import SENTENCE
from handlers.slack.own_messages import read_id
from handlers.welcome.delivery import METADATA
from tests.simulator.part import Doing, Part
from tests.simulator.plan import FAULTS_END_S, Act
from tests.support.workspace import is_final

if TYPE_CHECKING:
    from tests.simulator.story import Story


class FirstContact(Part):
    """In some stories people invite the bot; in all of them it has to tell them what it is."""

    def __init__(self, story: Story) -> None:
        super().__init__(story)
        self._invited: dict[str, str] = {}  # channel → who invited

    def acts(self) -> Iterable[Act]:
        for number in range(self.dice.choice((0, 0, 1, 3))):
            yield Act(self.dice.uniform(0, FAULTS_END_S), "invite", number)

    def does(self) -> Mapping[str, Doing]:
        return {"invite": self._invite}

    async def _invite(self, act: Act) -> None:
        slack, channel = self.story.slack, f"C0INVITED{act.number}"
        who = self.dice.choice(("alice", "bob"))
        slack.workspace.add_channel(channel, f"invited-{act.number}", slack.user(who))
        self._invited[channel] = who
        self.story.tell(f"{who} invites the bot into {channel}")
        await slack.invite(who, channel)

    def broken(self) -> Iterator[str]:
        yield from self._notes()
        yield from self._told()

    def _notes(self) -> Iterator[str]:
        """One note for each invitation that Slack was told we have."""
        notes = [m for m in self._ours() if (m.get("metadata") or {}).get("event_type") == METADATA]
        given = Counter(read_id(note).split(":")[2] for note in notes)
        for channel, who in self._invited.items():
            accepted = any(
                delivery.acked and delivery.payload["event"].get("channel") == channel
                for delivery in self.story.slack.deliveries
                if delivery.kind == "events_api"
            )
            if given[channel] != int(accepted):
                yield f"NOTES: {given[channel]} for the invitation of {who} into {channel}"

    def _told(self) -> Iterator[str]:
        """The reply that a row names, and no other, tells its person. What a command shows may come twice."""
        found = self.story.tx.all("select person, source from disclosures where occasion = 'answer'")
        sources = {row["source"]: row["person"] for row in found}
        telling = {read_id(m) for m in self._ours() if is_final(m) and SENTENCE in str(m["blocks"])}
        for id in telling - set(sources):
            yield f"TOLD TWICE: reply {id} tells of the AI, and another did"
        standing = {read_id(message) for message in self._ours() if is_final(message)}
        for id in standing & set(sources) - telling:
            yield f"NOT TOLD: reply {id} was to tell {sources[id]} of the AI"
        withdrawn = "select id from replies where state = 'withdrawn'"
        for id in {row["id"] for row in self.story.tx.all(withdrawn)} & set(sources):
            yield f"NOT TOLD: reply {id} was taken back, and {sources[id]} counts as told"

    def _ours(self) -> Iterator[dict[str, Any]]:
        ws = self.story.slack.workspace
        for channel in ws.channels.values():
            yield from (message for message in channel.messages.values() if message.get("user") == ws.bot)
