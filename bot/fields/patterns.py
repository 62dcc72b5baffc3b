"""What reviews settled: beside which label a field stands, how a sender writes days, what a sign means.

Kept with each review as JSON, so that it goes with it. The same doubt is not raised again; what stands in one
document alone, as a sum that is wrong, is settled by nothing.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.fields.values import FieldCandidate, Value
from storage.fields.reviews import StoredReview


@dataclass(slots=True)
class Learned:
    """Of each field by its name: labels beside which it stands, and beside which it does not; how days are
    written, by the sender; currencies by their sign."""

    right: dict[str, set[str]] = field(default_factory=dict)
    wrong: dict[str, set[str]] = field(default_factory=dict)
    orders: dict[tuple[str, str], str] = field(default_factory=dict)
    signs: dict[tuple[str, str], str] = field(default_factory=dict)
    names: dict[str, set[str]] = field(default_factory=dict)  # that stand beside no label, small
    not_names: dict[str, set[str]] = field(default_factory=dict)

    def is_right(self, name: str, label: str) -> bool:
        return label in self.right.get(name, ())

    def is_wrong(self, name: str, label: str) -> bool:
        return label in self.wrong.get(name, ())

    def is_name(self, field: str, words: str) -> bool:
        return words.casefold() in self.names.get(field, ())

    def is_no_name(self, field: str, words: str) -> bool:
        return words.casefold() in self.not_names.get(field, ())


def settle(read: Value, chosen: FieldCandidate) -> str:
    """What is settled when somebody says that a value is this one of its candidates; "" where nothing is."""
    asked = json.loads(read.pattern) if read.pattern else {}
    about = asked.get("about", "label")
    if about == "days" and chosen.value in asked["days"]:
        return json.dumps({"days": asked["sender"], "order": asked["days"][chosen.value]})
    if about == "sign":
        return json.dumps(
            {"sign": asked["sign"], "sender": asked["sender"], "means": chosen.value.partition(" ")[0]}
        )
    if about == "name":
        others_named = {one.value for one in read.candidates} - {chosen.value}
        return json.dumps({"name": chosen.value, "not": sorted(others_named)})
    if not chosen.label:
        return ""
    others = {one.label for one in read.candidates} | {read.label}
    return json.dumps({"right": chosen.label, "wrong": sorted(others - {chosen.label, ""})})


def learn(reviews: Sequence[StoredReview]) -> Learned:
    """All that was settled for a form, oldest first: the last word counts."""
    learned = Learned()
    for review in reviews:
        if review.pattern:
            _add(learned, review.field, json.loads(review.pattern))
    return learned


def _add(learned: Learned, name: str, told: dict[str, Any]) -> None:
    if "order" in told:
        learned.orders[name, told["days"]] = told["order"]
    if "means" in told:
        learned.signs[told["sender"], told["sign"]] = told["means"]
    if "name" in told:
        said, others = told["name"].casefold(), {one.casefold() for one in told["not"]}
        learned.names.setdefault(name, set()).add(said)
        learned.names[name] -= others
        learned.not_names.setdefault(name, set()).update(others)
        learned.not_names[name].discard(said)
    if "right" in told:
        right, wrong = learned.right.setdefault(name, set()), learned.wrong.setdefault(name, set())
        right.add(told["right"])
        wrong.discard(told["right"])
        wrong.update(told["wrong"])
        right.difference_update(told["wrong"])
