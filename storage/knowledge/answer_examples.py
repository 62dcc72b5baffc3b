"""Questions of a channel with the passage that answers them or does not: what its own head learns from.

A row refers to its passage and holds the question, which is its person's words. What is erased (`erase`)
takes the versions along that learned from it; what goes by its age does not, for a version holds no words.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from storage.engine import Tx
from storage.learning.models import ModelTable
from storage.place import Channel
from storage.workers import changes

# answered: with checked quotes · liked: and somebody said that it was good · not ours: its owner said that it
# is rightly refused · refused: and somebody else said so · near miss: written by a model for a passage that
# does not answer it
ExampleSource = Literal["answered", "liked", "not ours", "refused", "near miss"]
_OPPOSITE = "disliked"
COUNTED = "e.source <> 'disliked'"
TRAINING = "answer lesson"  # the kind of a training's job
TABLE = ModelTable(
    "answer_models",
    "answer_examples",
    lane="answers",
    changed=changes.ANSWER_MODELS,
    counted=COUNTED,
    ages=True,
    again=TRAINING,
)


@dataclass(frozen=True, slots=True)
class AnswerExample:
    """One question. `document` and `chunk` name the passage; "" and 0 where no passage answers it."""

    team: str
    channel: str
    question: str
    answerable: int
    source: ExampleSource
    added_at: float
    document: str = ""
    chunk: int = 0
    person: str = ""  # whose words; "" of what a model wrote
    conversation: str = ""
    message: str = ""
    reply: str = ""

    @property
    def at(self) -> Channel:
        return Channel(self.team, self.channel)


_COLUMNS = ", ".join(AnswerExample.__dataclass_fields__)
_VALUES = ", ".join(f":{name}" for name in AnswerExample.__dataclass_fields__)
_REPLACED = ("answerable", "source", "added_at", "person", "conversation", "message", "reply")
# What was attached to a thread is gone with it, and found nowhere else.
_LASTING = """select 1 as found from documents where id = :document and audience <> 'thread'
    and hidden not in ('removed', 'replaced')"""


# The same question and passage again changes nothing: versions trained since the first one was added learned
# from it. Only what a model wrote gives way to what people say.
_INSERT = f"""insert into answer_examples ({_COLUMNS}) values ({_VALUES})
    on conflict (team, channel, question, document, chunk) do update set
    {", ".join(f"{name} = excluded.{name}" for name in _REPLACED)}
    where answer_examples.source = 'near miss' and excluded.source <> 'near miss'"""


def add(tx: Tx, example: AnswerExample) -> bool:
    """One example; whether its passage may teach."""
    if example.document and tx.one(_LASTING, document=example.document) is None:
        return False
    if not tx.changed(_INSERT, **asdict(example)) and example.source == "not ours":
        tx.run(
            """update answer_examples set source = :source where team = :team and channel = :channel
            and question = :question and document = '' and answerable = 0""",
            source=example.source,
            question=example.question,
            **example.at.key,
        )
    return True


def add_near_miss(tx: Tx, example: AnswerExample) -> bool:
    """A question that a model wrote for a passage; False where somebody asked just that, for then nobody
    knows that it is one."""
    meant = _simplify(example.question)
    asked = tx.all(
        "select distinct question from answer_examples where team = :team and channel = :channel",
        **example.at.key,
    )
    if not meant or any(_simplify(row["question"]) == meant for row in asked):
        return False
    return add(tx, example)


def _simplify(question: str) -> str:
    return " ".join(re.findall(r"\w+", question.casefold()))


def add_examples(tx: Tx, at: Channel, given: Sequence[tuple[Any, bool]], *, source: str, now: float) -> None:
    """Many at once (bot/learning/examples.py): each is an `AnswerExample`."""
    for example, _ in given:
        add(tx, example)


def list_examples(tx: Tx, at: Channel) -> list[dict[str, Any]]:
    """id, question, answerable, source, document, chunk, person and added_at of each that counts,
    oldest first."""
    return tx.all(
        f"""select id, question, answerable, source, document, chunk, person, added_at from answer_examples e
        where e.team = :team and e.channel = :channel and {COUNTED} order by id""",
        **at.key,
    )


def rate(tx: Tx, team: str, reply: str, *, good: bool) -> int:
    """Somebody said of an answer that it was good, or not: then nothing is learned from it. How many
    examples it had. What was said of a refusal before is taken back by the opposite, save by its owner."""
    which = "where team = :team and reply = :reply and reply <> ''"
    given = {"team": team, "reply": reply}
    refused = tx.changed(
        f"update answer_examples set source = :source {which} and answerable = 0"
        " and source in ('refused', 'disliked')",
        source="refused" if good else _OPPOSITE,
        **given,
    )
    return refused + tx.changed(
        f"update answer_examples set source = :source {which} and answerable = 1",
        source="liked" if good else _OPPOSITE,
        **given,
    )


def erase(tx: Tx, which: str, **values: Any) -> int:
    """The examples that a condition names, and the versions that learned from them; how many examples."""
    if tx.one(f"select 1 as found from answer_examples where {which} limit 1", **values) is None:
        return 0
    TABLE.drop_learned(tx, which, **values)
    return tx.changed(f"delete from answer_examples where {which}", **values)


def find_newest(tx: Tx, at: Channel) -> int:
    """The last of what people asked in a channel; 0 for nothing. What a model wrote is not new."""
    which = "team = :team and channel = :channel and source <> 'near miss'"
    row = tx.one(f"select coalesce(max(id), 0) as newest from answer_examples where {which}", **at.key)
    return int((row or {})["newest"])


def count_by_source(tx: Tx, at: Channel) -> dict[str, int]:
    """How many examples of a channel count, by where they come from."""
    rows = tx.all(
        f"""select source, count(*) as n from answer_examples e
        where e.team = :team and e.channel = :channel and {COUNTED} group by source order by source""",
        **at.key,
    )
    return {row["source"]: int(row["n"]) for row in rows}


def list_without_near_miss(tx: Tx, at: Channel, *, limit: int) -> list[tuple[str, int]]:
    """Passages of documents that answer something, and for which no near miss is written yet."""
    rows = tx.all(
        """select distinct e.document, e.chunk from answer_examples e where e.team = :team
        and e.channel = :channel and e.answerable = 1 and e.document <> '' and not exists
        (select 1 from answer_examples n where n.team = e.team and n.channel = e.channel
        and n.document = e.document and n.chunk = e.chunk and n.source = 'near miss')
        order by e.document, e.chunk limit :limit""",
        limit=limit,
        **at.key,
    )
    return [(row["document"], row["chunk"]) for row in rows]
