"""People of every kind of right in one workspace: who they are, and the channels they are and are not in."""

from __future__ import annotations

from bot.sandbox.slack.state import Person
from tests.support.spending import run_command
from tests.support.workspace import Workspace

PEOPLE = {"admin": "alice", "owner": "bob", "member": "carol", "guest": "gus", "stranger": "dana"}


async def furnish(team: Workspace) -> None:
    """Everybody is in #general, which Bob owns. Alice and Bob share the private #leads; the private #vault is
    Bob's. Eve writes in #finance alone, which is public."""
    ws = team.slack.workspace
    for person in (
        Person("U0GUS00001", "gus", "Gus Guest", ws.team, guest=True),
        Person("U0EVE00001", "eve", "Eve Elsewhere", ws.team),
    ):
        ws.people[person.id] = person
        ws.direct(person.id)
    for name in PEOPLE.values():
        ws.channels[team.slack.channel("#general")].members[team.slack.user(name)] = None
    ws.channels[team.slack.channel("#finance")].members[team.slack.user("eve")] = None
    ws.add_channel("C0VAULT001", "vault", team.slack.user("bob"), ws.bot, kind="group")
    await run_command(team, "alice", "owner @bob")
