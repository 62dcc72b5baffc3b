"""Judging whether a message belongs in its channel, the cheapest way first, and storing the verdict.

Rules that cannot be wrong, then the channel's trained discriminator where it is sure, then the model; a rung
that fails passes on, and when all have, the policy says open or closed. A channel without a policy has no
guard and costs nothing. Training is bot/learning's, the rungs' own business bot/guard/rules.py's,
bot/ml/discriminator.py's and bot/guard/model_judge.py's.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from bot.core.errors import BotError
from bot.core.values import Message, Scope
from bot.costs.pricing import nano, usd
from bot.guard import policy
from bot.guard import rules as guard_rules
from bot.guard.about_us import may_ask_about_us
from bot.guard.contradictions import find_opposite
from bot.guard.coverage import Earlier, list_covered, look_back
from bot.guard.model_judge import FAILURES, Judge, Opinion, UnreadableVerdict, split_for_judge
from bot.guard.policy import Policy
from bot.guard.verdict import Verdict
from bot.ml.discriminator import Discriminator, load
from bot.ml.features import MAX_CHARACTERS, strip_invisible
from bot.ops.metrics import METRICS
from bot.provider.embeddings import Embedder
from storage.conversation import tombstones
from storage.engine import Engine, Tx
from storage.guard import examples, models, policies, verdicts
from storage.place import Channel

log = logging.getLogger(__name__)

# Without a trained model to draw the line, half decides.
_EVEN = 0.5
# Reasons of the discriminator's verdicts.
SURE, NOT_SURE = "sure", "not sure"
PART = "a part of it seems to belong elsewhere"
UNKNOWN = "mostly words it never saw, perhaps another language"
UNSEEN = "it says something that no example of its kind says"
FEW = "too few examples to be sure"
LONG = "longer than what it reads"
BEFORE = "something before it was not judged yet"
TO_ME = "it speaks to the guard, and what it asks for does not seem to belong"
FAMILIAR = 0.4  # share of known words below which nothing is sure; of English messages one in 30 has fewer
# Words cut out of a sentence say less than a sentence: only so much below the line they count. On CLINC150
# this asks the model about 3 % more of what belongs, and about nearly all that is only dressed up to belong.
FAR = 10
VERDICTS_READ = 500  # of one conversation; what older ones cover is judged anew
MOST_PARTS = 60  # of 4,000 characters, each a request; what is longer is refused
FEW_SHOTS = 10  # of what people taught, shown to the model with the policy
SHOT = 300  # characters of each


@dataclass(frozen=True, slots=True)
class MessageToJudge:
    """One message to be judged, with what is known around it."""

    text: str  # without characters nobody sees
    earlier: Earlier
    scope: Scope
    after_on_topic: bool
    kept: bool = True  # whether anything made from its words may be
    id: str = ""

    @property
    def channel(self) -> Channel:
        return Channel(self.scope.team, self.scope.channel)


@dataclass(frozen=True, slots=True)
class Trained:
    """The discriminator a channel uses."""

    version: int
    model: Discriminator
    embedder: str
    at: float = 0.0  # when it was trained, unix seconds


class Ladder:
    """One for the whole process; policies and models in use are kept in memory."""

    def __init__(
        self,
        engine: Engine,
        *,
        judge: Judge | None = None,
        embedder: Embedder | None = None,
        given: Mapping[str, Policy] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        """`given`: the operator's policies by channel, in force until the channel's owner decides."""
        self._engine, self._judge, self._embedder, self._clock = engine, judge, embedder, clock
        self._given = given or {}
        self._policies: dict[Channel, Policy | None] = {}
        self._models: dict[Channel, Trained | None] = {}

    # Policies

    async def read_policy(self, at: Channel) -> Policy | None:
        """What the channel is for; None: no guard."""
        if at not in self._policies:
            stored = await self._engine.read(policies.read_policy, at)
            self._policies[at] = self._given.get(at.channel) if stored is None else policy.load_policy(stored)
        return self._policies[at]

    async def save_policy(self, at: Channel, changed: Policy, *, by: str) -> None:
        """Puts a policy in force with the next message."""
        what = policy.describe_changes(await self.read_policy(at), changed)
        await self._engine.write(
            policies.save_policy, at, changed.as_json(), by=by, what=what, now=self._clock()
        )
        self._policies[at] = changed

    async def remove_policy(self, at: Channel, *, by: str) -> bool:
        """Ends the guard of a channel; False when there was none."""
        had = await self.read_policy(at) is not None
        if at.channel in self._given:  # else that one would be back
            await self._engine.write(policies.save_policy, at, policy.NONE, by=by, now=self._clock())
        else:
            await self._engine.write(policies.remove_policy, at, by=by, now=self._clock())
        self._policies[at] = None
        return had

    # Judging

    async def look_back(self, history: Sequence[Message], summary: str, scope: Scope) -> Earlier:
        """What stands before a message in the prompt of its answer, and how far verdicts cover it."""
        if not history and not summary:
            return Earlier(conversation=scope.conversation)
        rows = await self._engine.read(
            verdicts.list_covers, scope.team, scope.conversation, limit=VERDICTS_READ
        )
        return look_back(history, summary, conversation=scope.conversation, rows=rows)

    async def judge(
        self,
        rules: Policy,
        text: str,
        earlier: Earlier,
        scope: Scope,
        *,
        message: str,
        along: Sequence[str] = (),
        posts: Sequence[str] = (),
        kept: bool = True,
        origin: str = examples.SLACK,
    ) -> Verdict:
        """The stored verdict on one message and whatever unjudged stands before it.

        `earlier`: as `look_back` finds it; `message`: its id; `along`: those of others that are a part of it;
        `posts`: its texts where it came in several; `kept` False: its words are not; `origin`: where they
        come from. Only a storage error comes out of this.
        """
        last = (
            await self._engine.read(verdicts.read_last_in, scope.team, scope.conversation)
            if earlier.said
            else None
        )
        to_judge = MessageToJudge(
            strip_invisible(text).strip(), earlier, scope, bool(last and last["on_topic"]), kept, id=message
        )
        verdict = await self._climb(rules, to_judge)
        verdict = replace(
            verdict,
            action=rules.action,
            shadow=rules.shadow,
            says="" if verdict.on_topic else rules.refusal(),
        )
        METRICS.count("parley_guard_decisions_total", verdict="on" if verdict.on_topic else "off")
        row = self._build_row(verdict, to_judge, message)
        row |= {"covers": list_covered(verdict, posts or (text,), earlier)} if kept else {"text": ""}
        row["origin"] = origin
        stored = await self._engine.write(keep_verdict, to_judge.channel, row, [message, *along])
        return replace(verdict, id=stored)

    async def _climb(self, rules: Policy, message: MessageToJudge) -> Verdict:
        """What stands unjudged before a message is asked for by a mere "ok" as well: no rule is about that,
        nor is what people said of other messages. What they decided about this one holds for it alone."""
        alone = not message.earlier.unjudged
        rule = guard_rules.find_rule(message.text, after_on_topic=message.after_on_topic)
        if rule and (alone or rule == guard_rules.ABOUT_US):
            return Verdict(True, "rule", rule, probability=1.0)
        decided = await self._find_decided(message)
        if decided is None and alone:
            decided = await self._find_taught(message)
        if decided:
            return decided
        local = await self._judge_all_locally(message)
        if local and _is_sure(local, message):
            return local
        if local and _is_carried_by_orders(local, message):
            return replace(local, on_topic=False, reason=TO_ME)
        return await self._ask_model(rules, message, local) or _fall_back(rules, local)

    async def _find_decided(self, message: MessageToJudge) -> Verdict | None:
        """What people decided about this very message, which is asked again; it need not be an example."""
        label = await self._engine.read(verdicts.find_label_on, message.channel, message.id, message.text)
        if label is None:
            return None
        return Verdict(label, "people", "this very message", probability=float(label))

    async def _find_taught(self, message: MessageToJudge) -> Verdict | None:
        """The verdict of people on the same words; a short message means something else each time."""
        if guard_rules.find_misleading(message.text) == "short":
            return None
        label = await self._engine.read(examples.find_label, message.channel, message.text)
        if label is None:
            return None
        return Verdict(label, "people", "a message of the same words", probability=float(label))

    async def _judge_all_locally(self, message: MessageToJudge) -> Verdict | None:
        """The discriminator's verdict on a message; not sure unless it is of all that was not judged, too."""
        local = await self._judge_locally(message)
        if local is None or local.reason != SURE or not local.on_topic:
            return local
        for one in message.earlier.unjudged:
            before = await self._judge_locally(replace(message, text=one.text))
            if before is None or not (before.on_topic and _is_sure(before, replace(message, text=one.text))):
                return replace(local, reason=BEFORE)
        return local

    async def _judge_locally(self, message: MessageToJudge) -> Verdict | None:
        """The discriminator's verdict, sure or not; None when there is none or it failed."""
        trained = await self.read_model(message.channel)
        if trained is None:
            return None
        try:
            vectors = await self._embed(trained, message)
            verdict = _judge_words(trained, message.text, vectors[0])
            elsewhere = verdict.on_topic and _asks_for_something_else(
                trained.model, message.text, vectors[1:]
            )
        except (BotError, ValueError, ArithmeticError) as error:
            log.warning("local verdict failed: %r", error, exc_info=error)
            return None
        return replace(verdict, reason=PART) if elsewhere else verdict

    async def _embed(self, trained: Trained, message: MessageToJudge) -> list[Any]:
        """The message's vector, then each of its clauses with its vector."""
        parts = guard_rules.split_clauses(message.text)
        parts = parts if len(parts) > 1 else []
        if not trained.embedder or self._embedder is None:
            return [(), *((part, ()) for part in parts)]
        whole, *rest = await self._embedder.embed([message.text, *parts], message.scope, kept=message.kept)
        return [whole, *zip(parts, rest, strict=True)]

    async def _ask_model(
        self, rules: Policy, message: MessageToJudge, local: Verdict | None
    ) -> Verdict | None:
        if self._judge is None:
            return None
        threshold = _EVEN if rules.strictness != "lenient" else _EVEN / 2
        try:
            shown = await self._add_taught(rules, message.channel)
            opinion = await self._ask_in_parts(shown, message, threshold)
        except UnreadableVerdict as error:
            # Whoever can make the model say something else must not get through by it.
            log.warning("unreadable verdict: %s", error)
            return Verdict(False, "model", "its verdict could not be read", cost_usd=error.cost_usd)
        except FAILURES as error:
            log.warning("model verdict failed: %r", error)
            return None
        reason = "judged with the conversation" if message.earlier.said else "judged against the purpose"
        return Verdict(
            opinion.probability >= threshold,
            "model",
            reason,
            opinion.probability,
            threshold,
            opinion.cost_usd,
            version=local.version if local else None,
        )

    async def _ask_in_parts(self, rules: Policy, message: MessageToJudge, threshold: float) -> Opinion:
        """The model's opinion on the least likely part of a message and what was not judged before it."""
        assert self._judge
        scope = replace(message.scope, kind="guard")
        parts = split_for_judge(message.text, message.earlier.said)
        if len(parts) > MOST_PARTS:
            return Opinion(0.0, usd(0))
        least, spent = 1.0, list[Decimal | None]()
        for text, said in parts:
            opinion = await self._judge.opinion(rules, text, said, scope)
            least = min(least, opinion.probability)
            spent.append(opinion.cost_usd)
            if least < threshold:
                break
        known = [cost for cost in spent if cost is not None]
        return Opinion(least, sum(known, usd(0)) if len(known) == len(spent) else None)

    async def _add_taught(self, rules: Policy, at: Channel) -> Policy:
        """The policy with what people taught last among its examples: learned at once, by the model too."""
        rows = await self._engine.read(examples.list_taught, at, limit=FEW_SHOTS)
        # Words that talk to a model are no example for one, nor is what contradicts the policy.
        shown = [
            row
            for row in rows
            if guard_rules.find_misleading(row["text"]) != "instructions"
            and not find_opposite(rules, row["text"], on_topic=bool(row["on_topic"]))
        ]
        on, off = (
            [row["text"][:SHOT] for row in shown if bool(row["on_topic"]) is kind] for kind in (True, False)
        )
        return replace(rules, belongs=(*on, *rules.belongs), does_not=(*off, *rules.does_not))

    @property
    def given(self) -> Collection[str]:
        """The channels of which the operator's file has a policy."""
        return self._given.keys()

    async def was_learned(self, at: Channel) -> bool:
        """Whether a version was trained on the policy as it is now. What an owner changes is trained on at
        once; a file changes while nobody looks."""
        rules = await self.read_policy(at)
        if rules is None or await self._engine.read(policies.read_policy, at) is not None:
            return True
        reports = (json.loads(row["report"]) for row in await self._engine.read(models.list_models, at))
        return any(report.get("learned_from") == rules.learned_from for report in reports)

    async def read_model(self, at: Channel) -> Trained | None:
        """The discriminator in use; None when nothing was trained, or it has to be trained anew."""
        if at not in self._models:
            row = await self._engine.read(models.read_model, at)
            mine = self._embedder.name if self._embedder else ""
            if row and row["embedder"] not in ("", mine):
                row = None  # vectors of another model mean nothing to it
            model = load(row["model"]) if row else None
            known = row and model and model.words.spread  # else an earlier release trained it
            self._models[at] = (
                Trained(row["version"], model, row["embedder"], row["trained_at"])
                if row and model and known
                else None
            )
        return self._models[at]

    def reload_model(self, at: Channel) -> None:
        """Drops a channel's model: another one is in use."""
        self._models.pop(at, None)

    async def reread_models(self) -> None:
        """Drops models where another one is in use, or none any more: another process trained, or erased."""
        for at, kept in list(self._models.items()):
            in_use = await self._engine.read(models.find_in_use, at)
            if in_use != (None if kept is None else (kept.version, kept.at)):
                self._models.pop(at, None)

    async def reread_policies(self) -> None:
        """Drops policies, which another process may have changed."""
        self._policies.clear()

    def reload_models(self) -> None:
        """Drops all models: those that hold erased words are not found when they are read again."""
        self._models.clear()

    def _build_row(self, verdict: Verdict, message: MessageToJudge, message_id: str) -> dict[str, Any]:
        return {
            "conversation": message.scope.conversation,
            "person": message.scope.user,
            "message": message_id,
            "text": message.text,
            "on_topic": int(verdict.on_topic),
            "rung": verdict.rung,
            "probability": verdict.probability,
            "threshold": verdict.threshold,
            "reason": verdict.reason,
            "cost": None if verdict.cost_usd is None else nano(verdict.cost_usd),
            "action": verdict.action,
            "shadow": int(verdict.shadow),
            "version": verdict.version,
            "judged_at": self._clock(),
            "covers": "",
        }


def verdict_from_row(row: dict[str, Any]) -> Verdict:
    return Verdict(
        bool(row["on_topic"]),
        row["rung"],
        row["reason"],
        row["probability"],
        row["threshold"],
        None if row["cost"] is None else usd(row["cost"]),
        row["action"],
        bool(row["shadow"]),
        row["version"],
        id=row["id"],
    )


def _judge_words(trained: Trained, text: str, vector: Sequence[float]) -> Verdict:
    lines = trained.model.lines
    p = trained.model.probability(text, vector)
    reason = SURE if p < lines.low or p > lines.high else NOT_SURE
    if len(text) > MAX_CHARACTERS:
        reason = LONG
    elif lines.never_sure or trained.model.words.are_few:
        reason = FEW
    elif trained.model.vocabulary.familiar(text) < FAMILIAR:
        reason = UNKNOWN
    elif reason == SURE and not trained.model.words.back(text, on_topic=p > lines.high):
        reason = UNSEEN
    return Verdict(p >= lines.threshold, "local", reason, p, lines.threshold, version=trained.version)


def keep_verdict(tx: Tx, at: Channel, verdict: Mapping[str, Any], messages: Sequence[str]) -> int:
    """Stores a verdict; without words where one of the messages was deleted while it was judged."""
    for message in sorted(messages):
        tombstones.lock(tx, at.team, at.channel, message)
    if any(tombstones.forgotten(tx, at.team, at.channel, message) for message in messages):
        verdict = {**verdict, "text": "", "covers": ""}
    return verdicts.add_verdict(tx, at, verdict)


def _asks_for_something_else(model: Discriminator, text: str, clauses: Sequence[Any]) -> bool:
    """Does a part of an on-topic message ask for something else? A clause, or a run of its words."""
    if any(model.probability(clause, vector) < model.lines.low for clause, vector in clauses):
        return True
    if model.uses_vectors:
        return False
    return any(model.probability(run) < model.lines.low / FAR for run in guard_rules.split_stretches(text))


def _is_sure(local: Verdict, message: MessageToJudge) -> bool:
    """Sure of its words, and words are enough: a follow-up may belong whatever its words are."""
    if local.reason != SURE or guard_rules.find_misleading(message.text):
        return False
    return local.on_topic or not (message.earlier.said or may_ask_about_us(message.text))


def _is_carried_by_orders(local: Verdict, message: MessageToJudge) -> bool:
    """It gives the guard orders, which a model might obey, and by its words it does not belong anyway."""
    if local.reason in (UNKNOWN, FEW):
        return False
    return guard_rules.find_misleading(message.text) == "instructions" and (
        not local.on_topic or local.reason == PART
    )


def _fall_back(rules: Policy, local: Verdict | None) -> Verdict:
    """Without the model: a guess decides nothing, the channel's setting does."""
    return Verdict(
        rules.on_failure == "open",
        "policy",
        f"policy: {rules.on_failure}",
        version=local.version if local else None,
    )
