"""`parley forget`: erases everything a person said, for somebody who has left. Works beside a running bot."""

from __future__ import annotations

import argparse
import time

from bot.core.errors import SetupError
from bot.core.settings import Settings
from bot.ops.control_socket import ask_running
from bot.privacy.anonymise import Anonymiser, make_order
from bot.privacy.portions import thin_out_person
from bot.privacy.under_way import erase_person
from bot.voice import local_files
from storage.costs import ledger
from storage.database import open_engine


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """PERSON, and --team where there are several."""
    parser.add_argument("person", metavar="PERSON", help="the person's id in Slack (U0123…)")
    parser.add_argument("--team", default="", help="the workspace's id; not needed where there is only one")


async def run(args: argparse.Namespace, settings: Settings) -> int:
    async with open_engine(settings.database, read_only=True) as engine:
        known = await engine.read(ledger.teams)
    teams = [args.team] if args.team else [team for team in known if team != local_files.SCOPE.team]
    if len(teams) != 1:
        found = f"one of {', '.join(teams)}" if teams else "the ledger knows none"
        raise SetupError([f"{args.person}: name the workspace with --team ({found})"])
    (team,) = teams
    if not await ask_running(settings, f"/forget/{team}/{args.person}"):
        async with open_engine(settings.database, must_exist=True) as engine:
            now = time.time()
            erased = await thin_out_person(engine, team, args.person, now=now)
            await engine.write(erase_person, team, args.person, by="", erased=erased, now=now)
            await Anonymiser(engine).carry_out(make_order(team, args.person)[1])
    print(f"{args.person}: forgotten in {team}; amounts stay, without whose they are")
    return 0
