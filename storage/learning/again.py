"""A training that is wanted because examples are gone: a job of the inbox, stored as they go."""

from __future__ import annotations

import json
import time

from storage.engine import Tx
from storage.jobs import inbox
from storage.place import Channel

AGAIN = "again"  # in a training's payload: whatever the newest version knows


def find_lane(at: Channel, kind: str) -> str:
    """Trainings of a channel stand behind one another in it."""
    return f"{kind}:{at.team}:{at.channel}"


def put_training(tx: Tx, at: Channel, kind: str) -> None:
    """Whichever process looks first does it."""
    lane, now = find_lane(at, kind), time.time()
    payload = json.dumps({**at.key, AGAIN: True})
    inbox.put(tx, f"{lane}:{time.time_ns()}", lane, kind, payload, team=at.team, now=now)
    tx.wake()
