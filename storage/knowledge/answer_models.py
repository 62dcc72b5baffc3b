"""Trained versions of channels' own heads over answers: how they are kept is storage/learning/models.py's.

A version that was not better than the shipped head is kept with its report and is not in use.
"""

from __future__ import annotations

from storage import audit
from storage.engine import Tx
from storage.knowledge.answer_examples import COUNTED, TABLE
from storage.place import Channel
from storage.workers import changes

add_model = TABLE.add_model
use_model = TABLE.use_model
roll_back = TABLE.roll_back
read_model = TABLE.read_model
find_in_use = TABLE.find_in_use
list_models = TABLE.list_models

FIRST = 50  # examples that a first version wants
MORE = 50  # new ones that the next version wants


def is_up_to_date(tx: Tx, at: Channel) -> bool:
    """Whether there is not enough to be learned that the newest version does not know."""
    return not any(due == at for due in list_due(tx, team=at.team))


def list_due(tx: Tx, *, team: str = "") -> list[Channel]:
    """Channels with enough examples that the newest version does not know."""
    rows = tx.all(
        f"""select e.team, e.channel from answer_examples e
        where {COUNTED} and (:team = '' or e.team = :team) and e.added_at > coalesce((select max(m.trained_at)
        from answer_models m where m.team = e.team and m.channel = e.channel), 0)
        group by e.team, e.channel having count(*) >= :more order by e.team, e.channel""",
        team=team,
        more=min(FIRST, MORE),
    )
    return [Channel(row["team"], row["channel"]) for row in rows]


def use_shipped(tx: Tx, at: Channel, *, by: str, now: float) -> bool:
    """No version is in use from now on; False where none was."""
    TABLE.lock(tx, at)
    used = tx.changed(
        "update answer_models set in_use = 0 where team = :team and channel = :channel and in_use = 1",
        **at.key,
    )
    if used:
        changes.note(tx, changes.ANSWER_MODELS)
        audit.note(tx, "version used", at.channel, team=at.team, person=by, detail="shipped", now=now)
    return used > 0


def list_channels(tx: Tx, *, team: str = "", channel: str = "") -> list[Channel]:
    """Where there are versions: everywhere, or as far as it is named."""
    rows = tx.all(
        """select distinct team, channel from answer_models where (:team = '' or team = :team)
        and (:channel = '' or channel = :channel) order by team, channel""",
        team=team,
        channel=channel,
    )
    return [Channel(row["team"], row["channel"]) for row in rows]
