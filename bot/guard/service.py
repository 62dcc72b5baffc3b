"""The guard as turns and handlers use it: the ruling on a message, and what people say about rulings.

The ladder itself is bot/guard/ladder.py, training is bot/learning's (what it is trained on:
bot/guard/head.py). A channel without a policy passes through here without a write or a request.
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from functools import partial

from bot.core.errors import BotError, Missing
from bot.core.values import Conversation, Incoming, Message, Scope
from bot.guard.contradictions import Contradiction, find_contradictions, find_opposite
from bot.guard.coverage import Earlier
from bot.guard.judge_notices import JudgeNotices
from bot.guard.ladder import Ladder, verdict_from_row
from bot.guard.policy import Policy
from bot.guard.rules import ABOUT_US
from bot.guard.verdict import Verdict
from bot.guard.weekly_report import Week, read_weeks
from bot.learning.trainer import Trainer
from bot.learning.training_jobs import TrainingJobs
from bot.learning.versions import Version
from bot.text import marks
from storage.channel import owners
from storage.conversation import replies
from storage.engine import Engine, Tx
from storage.guard import examples, verdicts
from storage.guard.examples import list_examples
from storage.place import Channel

WEEKS_SHOWN = 8
LATEST = 12  # verdicts shown at a time


@dataclass(frozen=True, slots=True)
class Ruling:
    """What holds for one message: the channel's policy, and the verdict on the message."""

    rules: Policy
    verdict: Verdict
    earlier: Earlier = field(default_factory=Earlier)

    def choose(self, messages: Sequence[Message]) -> tuple[Message, ...]:
        """What the model may read of a conversation: nothing that was refused, nor what was not judged with a
        question that belongs everywhere, or that people decided about."""
        return tuple(m for m in messages if m.role == "assistant" or not self._is_hidden(m.text))

    def choose_summary(self, summary: str) -> str:
        """The summary of a conversation, as far as the model may read it."""
        return "" if self._stands_alone and self.earlier.is_unjudged(summary) else summary

    def _is_hidden(self, text: str) -> bool:
        return self.earlier.is_refused(text) or (self._stands_alone and self.earlier.is_unjudged(text))

    @property
    def _stands_alone(self) -> bool:
        by_rule = self.verdict.rung == "rule" and self.verdict.reason == ABOUT_US
        return by_rule or self.verdict.rung == "people"

    @property
    def is_courtesy(self) -> bool:
        """Whether it is no question that anything but the model itself answers."""
        return self.verdict.rung == "rule" and self.verdict.reason in ("greeting", "command", ABOUT_US)

    @property
    def from_passages(self) -> bool:
        """Whether the answer may use nothing but documents and what the channel's owner gave."""
        return self.rules.context_only and not self.rules.shadow and not self.is_courtesy


@dataclass(frozen=True, slots=True)
class StoredVerdict:
    """A stored verdict with what it was about. `label`: what a person said it should have been."""

    verdict: Verdict
    channel: str
    text: str
    asker: str
    reply: str  # id of the reply that came of it; empty: none yet
    at: float  # unix seconds
    label: bool | None
    labelled_by: str
    labelled_at: float
    origin: str = examples.SLACK  # where the words come from

    @property
    def overturned(self) -> bool:
        return self.label is not None and self.label is not self.verdict.on_topic


@dataclass(frozen=True, slots=True)
class GuardState:
    """A channel's guard as its owner sees it."""

    policy: Policy | None
    versions: Sequence[Version]
    weeks: Sequence[Week]
    learning: bool  # what changed last is not learned yet
    contradictions: Sequence[Contradiction] = ()


class ChannelGuard:
    """One for the whole process."""

    def __init__(
        self,
        engine: Engine,
        ladder: Ladder,
        trainer: Trainer,
        training_jobs: TrainingJobs,
        *,
        is_outsider: Callable[[str], Awaitable[bool]],
        notices: JudgeNotices | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`is_outsider` says whether somebody is a guest or of another company."""
        self._is_outsider = is_outsider
        self._engine, self._ladder, self._trainer = engine, ladder, trainer
        self._training_jobs, self._clock = training_jobs, clock
        self._notices = notices
        self._seen: set[Channel] = set()  # channels of which it is known whether there is a model in use

    # Turns

    async def rule(
        self,
        incoming: Incoming,
        history: Sequence[Message],
        *,
        summary: str = "",
        posts: Sequence[str] = (),
        kept: bool,
    ) -> Ruling | None:
        """Judges a message, with all that stands unjudged before it, and stores the verdict; with its words
        if they may be `kept`. `posts`: its texts where it came in several.

        None where there is no guard.
        """
        where = incoming.conversation
        at = Channel(where.team, where.channel)
        rules = await self._ladder.read_policy(at)
        if rules is None:
            return None
        await self._learn_if_never(at)
        scope = Scope(where.team, where.channel, incoming.user, where.key, "guard")
        earlier = await self._ladder.look_back(history, summary, scope)
        if incoming.follow_up and not earlier.unjudged:
            # What a button asks for is in our own words, about an answer that was given.
            return Ruling(rules, Verdict(True, "rule", "button of mine", probability=1.0), earlier)
        verdict = await self._ladder.judge(
            rules,
            incoming.text,
            earlier,
            scope,
            message=incoming.message,
            along=[post.message for post in incoming.added],
            posts=posts,
            kept=kept and not incoming.follow_up,
            origin=_find_origin(incoming, posts),
        )
        if self._notices and verdict.rung == "policy":
            await self._notices.note_ruling(at)
        return Ruling(rules, verdict, earlier)

    async def _learn_if_never(self, at: Channel) -> None:
        """Has a model trained where there is none: the policy came from a file, or words were erased."""
        if at in self._seen:
            return
        self._seen.add(at)
        if await self._ladder.read_model(at) is None:
            await self._put_training(at)

    async def learn_given(self, team: str) -> None:
        """Has models trained on the policies of the operator's file, where that was not done."""
        for channel in self._ladder.given:
            at = Channel(team, channel)
            if await self._ladder.read_policy(at) and not await self._trainer.is_up_to_date(at):
                self._seen.add(at)
                await self._put_training(at)

    async def reread_models(self) -> None:
        """Another process may have trained models, or erased words of theirs."""
        await self._ladder.reread_models()
        self._seen.clear()

    async def reread_policies(self) -> None:
        """Another process may have changed what channels are for."""
        await self._ladder.reread_policies()

    def reload_models(self) -> None:
        """Drops models of which words were erased; they are trained anew without them."""
        self._ladder.reload_models()
        self._seen.clear()

    # What people say of rulings

    async def read_verdict(self, team: str, id: int) -> StoredVerdict:
        """A stored verdict. Missing when there is none of that number."""
        row = await self._engine.read(verdicts.read_verdict, team, id)
        if row is None:
            raise Missing(f"verdict {id}")
        return _build_verdict(row)

    async def find_verdict_on(self, place: Conversation, message: str) -> StoredVerdict | None:
        """The verdict on a message, or behind a reply; None when neither was judged."""
        row = await self._engine.read(verdicts.read_verdict_on, Channel(place.team, place.channel), message)
        if row is None and (reply := await self._engine.read(replies.shown_in, place.key, message)):
            row = await self._engine.read(verdicts.read_verdict_behind, place.team, reply)
        return _build_verdict(row) if row else None

    async def list_latest(self, at: Channel) -> list[StoredVerdict]:
        """The last verdicts of a channel, newest first."""
        return [
            _build_verdict(row) for row in await self._engine.read(verdicts.list_verdicts, at, limit=LATEST)
        ]

    async def overrule(self, team: str, id: int, on_topic: bool, *, by: str) -> bool:
        """Labels a verdict with what it should have been: it counts at once, and is learned. False when it
        had that label. Missing without a verdict."""
        row = await self._engine.read(verdicts.read_verdict, team, id)
        if row is None:
            raise Missing(f"verdict {id}")
        outside = await self._is_outsider(row["person"])
        label = partial(
            _label, team=team, verdict=id, on_topic=on_topic, by=by, outside=outside, now=self._clock()
        )
        return await self._put_training(Channel(team, row["channel"]), by=by, verdict=id, when=label)

    async def appeal(self, team: str, id: int, *, by: str) -> bool:
        """Notes that the asker disagrees; False when that is known, or decided, already."""
        return await self._engine.write(verdicts.add_appeal, team, id, by=by, now=self._clock())

    async def find_verdict_behind(self, team: str, reply: str) -> StoredVerdict | None:
        """The verdict that a reply came of."""
        row = await self._engine.read(verdicts.read_verdict_behind, team, reply)
        return _build_verdict(row) if row else None

    async def find_shown_reply(self, judged: StoredVerdict) -> tuple[Conversation, str] | None:
        """Where the last message of the reply stands that came of a verdict; None where none is known."""
        reply = await self._engine.read(replies.find, judged.reply)
        if reply is None or not reply.messages:
            return None
        return Conversation(reply.team, reply.channel, reply.thread), reply.messages[-1]

    async def learn_good_answer(self, team: str, reply: str, *, by: str) -> bool:
        """Takes the question of a good answer as an example that belongs, unless somebody from outside wrote
        it or says so; whether it was. Of a bad answer nothing follows."""
        judged = await self.find_verdict_behind(team, reply)
        if judged is None or not judged.verdict.on_topic or judged.label is not None:
            return False
        if not await self.may_teach(judged) or await self._is_outsider(by):
            return False
        return await self.overrule(team, judged.verdict.id, True, by=by)

    async def is_member(self, person: str) -> bool:
        """Whether what they say may be learned from: no guest, and of no other company, as far as known."""
        try:
            return not await self._is_outsider(person)
        except BotError:
            return False

    async def may_teach(self, judged: StoredVerdict) -> bool:
        """Whether a message can become an example: its words are kept, and all of them a member's own."""
        if not judged.text or judged.origin not in examples.TEACHING:
            return False
        return not await self._is_outsider(judged.asker)

    # Owners

    async def list_owners(self, at: Channel) -> list[str]:
        """People whom an admin named for a channel, beside its creator."""
        return await self._engine.read(owners.of_channel, at.team, at.channel)

    async def read_policy(self, at: Channel) -> Policy | None:
        """What the channel is for; None: no guard."""
        return await self._ladder.read_policy(at)

    async def read_instruction(self, at: Channel) -> str:
        """The second layer, for the prompts of answers; "" where there is no policy or it only watches."""
        rules = await self._ladder.read_policy(at)
        return "" if rules is None or rules.shadow else rules.instruction()

    async def read_state(self, at: Channel) -> GuardState:
        """Everything that a channel's owner is shown of its guard."""
        since = self._clock() - WEEKS_SHOWN * verdicts.WEEK_S
        return GuardState(
            await self._ladder.read_policy(at),
            await self._trainer.list_versions(at),
            await read_weeks(self._engine, at.team, since=since, channel=at.channel),
            await self._training_jobs.is_waiting(at),
            find_contradictions(
                await self._ladder.read_policy(at), await self._engine.read(list_examples, at)
            ),
        )

    async def find_opposite(self, at: Channel, text: str, *, on_topic: bool) -> str:
        """What the channel's policy names that says the opposite of a label; "" for nothing."""
        rules = await self._ladder.read_policy(at)
        return find_opposite(rules, text, on_topic=on_topic) if rules else ""

    async def save_policy(self, at: Channel, changed: Policy | None, *, by: str) -> None:
        """Saves the owner's policy, or ends the guard: in force with the next message, then trained on."""
        if changed is None:
            await self._ladder.remove_policy(at, by=by)
            return
        before = await self._ladder.read_policy(at)
        if changed != before:
            await self._ladder.save_policy(at, changed, by=by)
        if before is None or _training_input(changed) != _training_input(before):
            await self._put_training(at, by=by)

    async def use_version(self, at: Channel, version: int, *, by: str) -> None:
        """Rolls back (or forward) to a trained version. Missing when it is not there."""
        await self._trainer.use_version(at, version, by=by)

    async def _put_training(
        self, at: Channel, *, by: str = "", verdict: int = 0, when: Callable[[Tx], bool] = lambda tx: True
    ) -> bool:
        return await self._training_jobs.put(at, {"by": by, "verdict": verdict}, when=when)


def _find_origin(incoming: Incoming, posts: Sequence[str]) -> str:
    """Where the words of a question come from. Who wrote what was forwarded or quoted is not looked up."""
    if incoming.external:
        return examples.EXTERNAL
    return examples.QUOTED if any(marks.END in post for post in posts) else examples.SLACK


def _label(tx: Tx, *, team: str, verdict: int, on_topic: bool, by: str, outside: bool, now: float) -> bool:
    labelled = verdicts.label_verdict(tx, team, verdict, on_topic, by=by, outside=outside, now=now)
    return labelled is not None


def _training_input(rules: Policy) -> tuple[object, ...]:
    return rules.purpose, rules.belongs, rules.does_not, rules.strictness


def _build_verdict(row: dict[str, object]) -> StoredVerdict:
    label = row["label"]
    return StoredVerdict(
        verdict_from_row(row),
        str(row["channel"]),
        str(row["text"]),
        str(row["person"]),
        str(row["reply"] or ""),
        float(str(row["judged_at"])),
        None if label is None else bool(label),
        str(row["labelled_by"] or ""),
        float(str(row["labelled_at"] or 0)),
        str(row["origin"]),
    )
