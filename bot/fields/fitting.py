"""Whether a label is one beside which a field stands: by what people settled, its role, or its own words."""

from __future__ import annotations

import re

from bot.fields.labels import Label
from bot.fields.patterns import Learned
from bot.fields.roles import FAMILIES, find_role, simplify
from bot.fields.values import Field

_FIRM = re.compile(
    r"[\s,]*(?:gmbh|mbh|ag|kg|se|ohg|ug|e\.?k|ltd|limited|plc|llc|llp|inc|corp|co|company|sarl|sas|s\.?a|"
    r"b\.?v|n\.?v|s\.?r\.?l|s\.?p\.?a|oy|ab|as|aps|pty|& co)\b",
    re.IGNORECASE,
)
_PARTIES = frozenset({"supplier", "customer"})
_SHORT = 3  # letters of a word that says too little


class FieldLabels:
    """The labels of one field."""

    def __init__(self, field: Field, learned: Learned) -> None:
        self.learned = learned
        self._field = field
        self._role = find_role(field.name, field.type) if field.type in FAMILIES else ""
        said = simplify(f"{field.name} {field.hint}")
        self._words = {word for word in re.findall(r"\w+", said) if len(word) > _SHORT}

    @property
    def wants_label(self) -> bool:
        """Whether a value without one may be something else: any day or sum of money may, a name may not."""
        return self._field.type in ("money", "date", "number") or self._role == "bill number"

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
        if self._role:
            return find_role(words, self._field.type) == self._role
        return bool(self._words & set(re.findall(r"\w+", words)))

    def speaks_of_other(self, label: Label) -> bool:
        """Whether a label says that it is something else, or people did."""
        if self.learned.is_wrong(self._field.name, label.words) or label.column:
            return True
        return bool(find_role(label.words, self._field.type)) and not self.fits(label)

    def goes_on(self, value: str, behind: str) -> bool:
        """Whether the name of a firm was cut before what kind of one it is."""
        return self._role in _PARTIES and bool(_FIRM.match(behind)) and not _FIRM.search(f" {value}")
