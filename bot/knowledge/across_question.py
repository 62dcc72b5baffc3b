"""Which questions are put to every document for itself: "what do our contracts say about notice periods?".

By rule, in six languages. A question of one document ("what does the contract say?") is none of them, nor is
one that only has such a word in it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from bot.core.values import Message
from bot.knowledge.document_kinds import find_kind, fold
from bot.text import marks

LONGEST = 600  # characters of a question; what is longer is a text that somebody wrote
_BETWEEN = r"(?:[\w-]+ ){0,2}?"  # "our *current supplier* contracts"
_THEM = _BETWEEN + r"(?P<kind>[^\W\d_][\w-]*)"
_KINDS = r"(?P<kind>[^\W\d_][\w-]*s)"  # more than one, in English
_SAY_EN = (
    r"(?:say|mention|state|contain|include|specify|name|define|cover|discuss|describe|stipulate|provide|tell"
    r"|talk about|refer to|speak (?:of|about)|deal with)"
)
_SAY_DE = (
    r"(?:sagen|erwahnen|enthalten|nennen|regeln|beschreiben|behandeln|besagen|bestimmen|schreiben|handeln"
    r"|sprechen)"
)
_SAY_FR = r"(?:disent|mentionnent|parlent|contiennent|precisent|prevoient|evoquent|indiquent)"
_SAY_ES = r"(?:dicen|mencionan|hablan|contienen|incluyen|indican|establecen)"
_SAY_IT = r"(?:dicono|menzionano|parlano|contengono|prevedono|indicano)"
_SAY_NL = r"(?:zeggen|noemen|vermelden|bevatten|melden|beschrijven)"
_OURS_DE = r"(?:unsere[nr]?|alle[nr]?|samtliche[nr]?|die(?:se[nr]?)?|den|der|meine[nr]?)"

# Of what is asked of several: a word there that is no known kind counts where documents are called so.
_OF_SEVERAL = (
    rf"\bwhat (?:do|did) (?:all )?(?:of )?(?:our|the|these|those|my|your|all) {_THEM} (?:all )?"
    rf"{_SAY_EN}\b",
    rf"\b(?:which|what) (?:of (?:our|the|these|my|all) )?{_BETWEEN}{_KINDS} "
    rf"(?:all |do not |don.t )?{_SAY_EN}\b",
    rf"\bwhat (?:does|did) (?:each|every) (?:one )?(?:of our )?{_THEM} {_SAY_EN}\b",
    rf"\bque dizem (?:todos |todas )?(?:os |as )?(?:noss[oa]s |meus |seus )?{_THEM}\b",
    rf"\bwas {_SAY_DE} (?:alle )?{_OURS_DE} {_THEM}\b",
    rf"\bwas steht .{{0,40}}?\bin (?:allen |all )?(?:unseren|den|diesen|meinen|allen|samtlichen) {_THEM}\b",
    rf"\bwelche (?:unserer |der |von unseren )?{_THEM} {_SAY_DE}\b",
    rf"\bque {_SAY_FR} (?:tous |toutes )?(?:nos|les|ces|mes|vos) {_THEM}\b",
    rf"\bquel(?:le)?s (?:de nos )?{_THEM} {_SAY_FR}\b",
    rf"\bque {_SAY_ES} (?:todos |todas )?(?:nuestr[oa]s|l[oa]s|est[oa]s|mis) {_THEM}\b",
    rf"\b(?:que|cuales|cuales de nuestros) {_THEM} {_SAY_ES}\b",
    rf"\b(?:cosa|che cosa|che) {_SAY_IT} (?:tutt[ie] )?(?:i |le |gli )?(?:nostr[ie] )?{_THEM}\b",
    rf"\bquali {_THEM} {_SAY_IT}\b",
    rf"\bwat {_SAY_NL} (?:al )?(?:onze|de|alle|deze|mijn) {_THEM}\b",
    rf"\bwelke (?:van onze )?{_THEM} {_SAY_NL}\b",
)
# Of what is said of each one: only a known kind counts.
_OF_EACH = (
    rf"\b(?:in|from|across|through|over|of|for) (?:all|each|every) (?:of )?"
    rf"(?:our |the |these |my )?{_THEM}\b",
    rf"\b(?:across|throughout) (?:our|the|these|my) {_THEM}\b",
    rf"\bin (?:which|what) {_THEM} (?:is|are|do|does|can|will)\b",
    rf"\b(?:compare|search|go through|look through) (?:all )?(?:of )?(?:our|the|these|my|all) {_THEM}\b",
    rf"\bcompare .{{1,60}}? (?:in|of|across|from) (?:all )?(?:of )?(?:our|the|these|my) {_BETWEEN}{_KINDS}\b",
    rf"\b(?:what|which) .{{1,60}}? do (?:all )?(?:of )?(?:our|the|these|my) {_BETWEEN}{_KINDS} "
    r"(?:have(?! to\b)|set)\b",
    rf"\b(?:which|what) (?:of our )?{_BETWEEN}{_KINDS} (?:have(?! to\b)|end|expire|run|renew|start)\b",
    rf"\bwelche .{{1,60}}? (?:haben|enthalten|nennen|regeln) (?:alle |unsere |die |diese ){_THEM}\b",
    rf"\bwelche (?:unserer |der )?{_THEM} (?:haben(?!.* zu \w+n\b)|enden|laufen|beginnen)\b",
    rf"\b(?:durchsuche|vergleiche?|prufe) (?:.{{1,60}}? )?(?:alle[nr]?|unsere[nr]?|der) {_THEM}\b",
    rf"\bin den (?:einzelnen|jeweiligen|verschiedenen) {_THEM}\b",
    rf"\b(?:in|aus|uber|fur|durch) (?:all(?:e[nr]?)?|jede[mnrs]?|samtliche[nr]?) "
    rf"(?:unsere[nr]? |diese[nr]? |den )?{_THEM}\b",
    rf"\bin welchen {_THEM} (?:steht|stehen|wird|werden|ist|sind|kommt|gibt|geht|finde)\b",
    rf"\b(?:dans|de|pour|parmi) (?:tou(?:s|tes)|chaque|chacun(?:e)? de) (?:nos |les |ces |mes )?{_THEM}\b",
    rf"\b(?:en|de|para) (?:tod[oa]s|cada) (?:un[oa] de )?(?:nuestr[oa]s |l[oa]s |est[oa]s )?{_THEM}\b",
    rf"\b(?:in|da|per|di) (?:tutt[ie]|ogni|ciascun) (?:i |le |gli )?(?:nostr[ie] )?{_THEM}\b",
    rf"\b(?:in|uit|voor|van) (?:al|alle|elk|elke|ieder|iedere) (?:onze |de |deze )?{_THEM}\b",
)
_SEVERAL = [re.compile(pattern) for pattern in _OF_SEVERAL]
_EACH = [re.compile(pattern) for pattern in _OF_EACH]
# What begins so asks for yes or no, of a rule that holds for all: "is a signature needed in all contracts?"
_YES_OR_NO = re.compile(
    r"^\W*(?:is|are|was|were|do|does|did|can|could|may|must|should|will|has|have|ist|sind|darf|muss|kann|gilt"
    r"|est-ce|es|son|hay|zijn|mag|moet)\b"
)


@dataclass(frozen=True, slots=True)
class AcrossQuestion:
    """A question to every document of a kind. `kind`: the word that names it; `sure`: no title has to bear
    out that documents are called so."""

    text: str
    kind: str
    sure: bool


def find_across(messages: Sequence[Message], *, agreed: bool) -> AcrossQuestion | None:
    """The last message of a conversation as such a question; None where it is none. `agreed`: it says that
    the question before it is to be gone through after all."""
    asked = [marks.words_alone(one.text).strip() for one in messages if one.role == "human"]
    if not agreed:
        return read_across(asked[-1]) if asked else None
    return next((found for text in reversed(asked[:-1]) if (found := read_across(text))), None)


def read_across(text: str) -> AcrossQuestion | None:
    """A text as such a question; None where it is none."""
    if not text or len(text) > LONGEST:
        return None
    plain = " ".join(fold(text).replace("’", "'").split())
    return _read_several(text, plain) or _read_each(text, plain)


def _read_several(text: str, plain: str) -> AcrossQuestion | None:
    for pattern in _SEVERAL:
        if found := pattern.search(plain):
            return AcrossQuestion(text, found["kind"], find_kind(found["kind"]) is not None)
    return None


def _read_each(text: str, plain: str) -> AcrossQuestion | None:
    if _YES_OR_NO.match(plain):
        return None
    for pattern in _EACH:
        for found in pattern.finditer(plain):
            if find_kind(found["kind"]):
                return AcrossQuestion(text, found["kind"], sure=True)
    return None
