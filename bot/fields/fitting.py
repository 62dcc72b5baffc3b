"""Whether a label is one beside which a field stands: by what people settled, its role, or its own words."""

from __future__ import annotations

import re

from bot.fields.labels import Label
from bot.fields.patterns import Learned
from bot.fields.roles import FAMILIES, find_role, simplify
from bot.fields.values import Field

FIRM = re.compile(
    r"(?<![^\s,])[\s,]{0,3}(?:gmbh|mbh|ag|kg|se|ohg|ug|e\.?k|ltd|limited|plc|llc|llp|inc|corp|co|company|sarl|sas|s\.?a|"
    r"b\.?v|n\.?v|s\.?r\.?l|s\.?p\.?a|oy|ab|as|aps|pty|& co)\b",
    re.IGNORECASE,
)
NUMBERS = frozenset({"bill number", "other number", "account"})
PARTIES = frozenset({"supplier", "customer"})
_ANY = frozenset({"number", "nummer", "note"})
_SHORT = 3  # letters of a word that says too little


class FieldLabels:
    """The labels of one field."""

    def __init__(self, field: Field, learned: Learned, kind: str = "") -> None:
        """`kind`: of the form, whose own number is meant by "number": "delivery note no"."""
        self.learned = learned
        self._kind = simplify(kind)
        self._field = field
        self.role = find_role(field.name, field.type) if field.type in FAMILIES else ""
        self._name = simplify(field.name)
        said = simplify(f"{field.name} {field.hint}")
        self._words = {word for word in re.findall(r"\w+", said) if len(word) > _SHORT}

    @property
    def wants_label(self) -> bool:
        """Whether a value without one may be something else: any day or sum of money may, a name may not."""
        return self._field.type in ("money", "date", "number") or self.role in NUMBERS

    @property
    def is_choice(self) -> bool:
        return self._field.type == "choice"

    def fits(self, label: Label) -> bool:
        """Whether what stands beside it is this field."""
        name, words = self._field.name, label.words
        if not words or self.learned.is_wrong(name, words):
            return False
        if self.learned.is_right(name, words):
            return True
        if label.column:
            return False
        if self.role:
            return self._is_of_role(words)
        return self.names(words)

    def _is_of_role(self, words: str) -> bool:
        role = find_role(words, self._field.type)
        if self.role == "bill number" and role == "other number" and self._kind:
            return self._kind in words
        if self.role == "other number" and role == self.role:  # order numbers are no customer numbers
            own, there = (set(re.findall(r"\w{4,}", one)) - _ANY for one in (self._name, words))
            return any(one[:5] == other[:5] for one in own for other in there)
        return role == self.role

    def names(self, words: str) -> bool:
        """Whether a word of the field itself is among these."""
        return bool(self._words & set(re.findall(r"\w+", words.casefold())))

    def speaks_of_other(self, label: Label) -> bool:
        """Whether a label says that it is something else, or people did."""
        if self.learned.is_wrong(self._field.name, label.words) or label.column:
            return True
        return bool(find_role(label.words, self._field.type)) and not self.fits(label)

    def goes_on(self, value: str, behind: str) -> bool:
        """Whether the name of a firm was cut before what kind of one it is."""
        return self.role in PARTIES and bool(FIRM.match(behind)) and not FIRM.search(f" {value}")
