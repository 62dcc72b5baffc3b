"""A form of fields in words, as an owner writes it: "invoice: number, date, supplier, total with currency".

Further lines may say what is between them: "net + tax = total", "date before due date". What was understood
is written back in the same words, so that it can be looked at and changed.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict

from bot.core.errors import NotUnderstood
from bot.fields.roles import find_role, guess_type
from bot.fields.values import Check, Field, FieldForm, FieldType
from storage.fields.forms import StoredForm

MOST_FIELDS = 40
LONGEST_NAME = 60  # characters
EXAMPLE = "Try: invoice: number, date, supplier, total with currency"
_BLANKS = re.compile(r"[^\S\n]+")
_KIND = re.compile(r"\s*([^:,\n]{1,60}):\s*(.+)", re.DOTALL)
_BRACKETS = re.compile(r"\(([^)]*)\)")
_CURRENCY = re.compile(r"\s+(?:with|in|mit)\s+(?:(?:its|the)\s+)?(?:currency|währung)\b", re.IGNORECASE)
_SPLIT = re.compile(r"[,;\n](?![^(]*\))")
_AND = re.compile(r"\s+(?:and|und|et|y|e)\s+", re.IGNORECASE)
_SUM = re.compile(r"(.+?\+.+?)=\s*(.+)")
_ORDER = re.compile(r"(.+?)\s+(?:before|not after|vor|<=?|≤)\s+(.+)", re.IGNORECASE)
_CODE = re.compile(r"[A-Z]{3}")
_TYPES: dict[str, FieldType] = {
    "text": "text",
    "words": "text",
    "number": "number",
    "zahl": "number",
    "date": "date",
    "day": "date",
    "datum": "date",
    "money": "money",
    "amount": "money",
    "betrag": "money",
    "geld": "money",
}
_OPTIONAL = frozenset({"optional", "if any", "wenn vorhanden", "may be missing"})


def parse(text: str) -> FieldForm:
    """What an owner described. It belongs nowhere yet. NotUnderstood."""
    found = _KIND.fullmatch(_BLANKS.sub(" ", text.strip()))
    if found is None:
        raise NotUnderstood(text.strip(), f"A form begins with what it is about, and a colon. {EXAMPLE}")
    rules, listed = _sort_lines(found[2])
    fields = tuple(map(_read_field, _split_names(listed)))
    names = [field.name.casefold() for field in fields]
    if not fields or len(fields) > MOST_FIELDS:
        raise NotUnderstood(text.strip(), f"A form has between 1 and {MOST_FIELDS} fields. {EXAMPLE}")
    for name in names:
        if names.count(name) > 1:
            raise NotUnderstood(name, "Two fields have that name.")
    checks = [_read_check(rule, fields) for rule in rules]
    return FieldForm("", "", "", " ".join(found[1].split()), fields, (*checks, *_find_checks(fields, checks)))


def describe(form: FieldForm) -> str:
    """A form in words that `parse` understands."""
    lines = [f"{form.name}: {', '.join(map(_write_field, form.fields))}"]
    return "\n".join([*lines, *map(describe_check, form.checks)])


def describe_check(check: Check) -> str:
    """What has to be true, in words."""
    return (
        " + ".join(check.parts) + f" = {check.total}" if check.kind == "sum" else " before ".join(check.parts)
    )


def encode_form(form: FieldForm) -> StoredForm:
    """As it is kept."""
    return StoredForm(
        form.id,
        form.team,
        form.channel,
        form.name,
        json.dumps([asdict(field) for field in form.fields]),
        json.dumps([asdict(check) for check in form.checks]),
        int(form.every),
        form.by,
        form.changed_at,
    )


def decode_form(kept: StoredForm) -> FieldForm:
    """What `encode_form` wrote."""
    fields = tuple(Field(**one | {"choices": tuple(one["choices"])}) for one in json.loads(kept.fields))
    checks = tuple(Check(one["kind"], tuple(one["parts"]), one["total"]) for one in json.loads(kept.checks))
    at = (kept.id, kept.team, kept.channel, kept.name)
    return FieldForm(*at, fields, checks, bool(kept.every), kept.changed_by, kept.changed_at)


def _sort_lines(text: str) -> tuple[list[str], str]:
    """Lines that say what is between fields, and the rest, which lists them."""
    lines = [line.strip(" -•*\t.") for line in text.splitlines()]
    rules = [line for line in lines if _SUM.fullmatch(line) or (_ORDER.fullmatch(line) and "," not in line)]
    return rules, "\n".join(line for line in lines if line and line not in rules)


def _split_names(listed: str) -> Iterator[str]:
    parts = [part.strip() for part in _SPLIT.split(listed) if part.strip()]
    if len(parts) > 1 and "(" not in parts[-1]:
        parts[-1:] = _AND.split(parts[-1])
    yield from parts


def _read_field(words: str) -> Field:
    name = " ".join(_CURRENCY.sub("", _BRACKETS.sub(" ", words)).split()).strip(" :.")
    optional, name = name.endswith("?"), name.rstrip("? ")
    if not name or len(name) > LONGEST_NAME:
        raise NotUnderstood(words.strip(), "A field has a short name, such as “total”.")
    type: FieldType = "money" if _CURRENCY.search(words) else guess_type(name)
    choices: tuple[str, ...] = ()
    hints = list[str]()
    for inside in _BRACKETS.findall(words):
        named = [part.strip() for part in re.split(r"[,;/|]", inside) if part.strip()]
        optional |= any(part.casefold() in _OPTIONAL for part in named)
        named = [part for part in named if part.casefold() not in _OPTIONAL]
        types = [_TYPES[part.casefold()] for part in named if part.casefold() in _TYPES]
        rest = [part for part in named if part.casefold() not in _TYPES]
        type = types[0] if types else type
        if rest and all(map(_CODE.fullmatch, rest)) and type == "money":
            choices = tuple(rest)
        elif len(rest) > 1:
            type, choices = "choice", tuple(rest)
        else:
            hints += rest
    return Field(name, type, not optional, choices, "; ".join(hints))


def _write_field(field: Field) -> str:
    told: list[str] = [] if field.type in ("choice", guess_type(field.name)) else [field.type]
    told += [*field.choices, *([field.hint] if field.hint else []), *([] if field.required else ["optional"])]
    return f"{field.name} ({', '.join(told)})" if told else field.name


def _read_check(rule: str, fields: Sequence[Field]) -> Check:
    names = {field.name.casefold(): field.name for field in fields}

    def find(word: str) -> str:
        if word.strip().casefold() not in names:
            raise NotUnderstood(word.strip(), f"No field has that name: {', '.join(names.values())}.")
        return names[word.strip().casefold()]

    if added := _SUM.fullmatch(rule):
        return Check("sum", tuple(map(find, added[1].split("+"))), find(added[2]))
    ordered = _ORDER.fullmatch(rule)
    return Check("order", (find(ordered[1]), find(ordered[2]))) if ordered else Check("order", ())


def _find_checks(fields: Sequence[Field], given: Sequence[Check]) -> Iterator[Check]:
    """What everybody means between fields of such names."""
    by_role = {find_role(field.name, field.type): field.name for field in reversed(fields)}
    kinds = {check.kind for check in given}
    if "sum" not in kinds and {"net", "tax", "total"} <= set(by_role):
        yield Check("sum", (by_role["net"], by_role["tax"]), by_role["total"])
    for first, then in (("issued", "due"), ("start", "end")):
        if "order" not in kinds and {first, then} <= set(by_role):
            yield Check("order", (by_role[first], by_role[then]))
