"""`parley knowledge search CHANNEL QUESTION --json`: what documents have on a question, best first.

A list of {document, page, heading, score, text}, as somebody who asks in that channel would find it: what
belongs to the channel and to its workspace. It only reads, so it works beside a running bot. Vectors of the
model API are paid for through the ledger, which the running bot has: then words are searched alone.
"""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from bot.cli.access_notes import note_access
from bot.cli.standalone import open_standalone
from bot.cli.teams import find_team
from bot.core.settings import Settings
from bot.core.values import Scope
from bot.knowledge.index import Audience, DocumentIndex, Hit
from bot.ops.control_socket import is_running
from bot.provider.embeddings import LOCAL, embedder_for
from bot.provider.local_embeddings import LocalEmbedder
from bot.text.file_names import escape_unseen
from storage.database import open_engine
from storage.engine import Engine

SHOWN = 300  # characters of a passage, where people read it


async def run(args: Namespace, settings: Settings) -> int:
    """1 when nothing was found."""
    named, _, channel = args.channel.rpartition(":")
    async with open_index(settings) as (engine, index):
        team = args.team or named or await find_team(engine, channel)
        scope = Scope(team, channel, "", "parley knowledge search", "embedding")
        audience = Audience(team, channel, conversation="")
        hits = await index.search(audience, [args.question], scope=scope, limit=args.limit)
    await note_access(settings, "documents", f"searched what {channel} may find")
    if args.json:
        print(json.dumps([as_json(hit) for hit in hits], ensure_ascii=False, indent=1))
    else:
        print("\n\n".join(map(describe, hits)) or "nothing was found")
    return int(not hits)


@asynccontextmanager
async def open_index(settings: Settings) -> AsyncIterator[tuple[Engine, DocumentIndex]]:
    """The index, with the embedder that is configured where it can be asked."""
    if settings.embeddings in LOCAL or not settings.embeddings or await is_running(settings):
        local = LOCAL.get(settings.embeddings)
        async with open_engine(settings.database, read_only=True) as engine:
            yield engine, DocumentIndex(engine, LocalEmbedder(local) if local else None)
        return
    async with open_standalone(settings, must_exist=True) as alone:
        embedder = embedder_for(settings.embeddings, alone.provider, alone.engine)
        yield alone.engine, DocumentIndex(alone.engine, embedder)


def as_json(hit: Hit) -> dict[str, Any]:
    """What `--json` promises of each."""
    passage = hit.passage
    return {
        "document": passage.title,
        "page": passage.page,
        "heading": passage.heading,
        "score": round(hit.score, 6),
        "text": passage.text,
        "place": passage.place,
        "id": passage.document,
        "word_rank": hit.word_rank,
        "vector_rank": hit.vector_rank,
    }


def describe(hit: Hit) -> str:
    passage = hit.passage
    where = ", ".join(filter(None, (escape_unseen(passage.title), passage.place, passage.heading)))
    text = " ".join(passage.text.split())
    return f"{where}\n  {escape_unseen(text[:SHOWN])}{'…' if len(text) > SHOWN else ''}"
