"""Whether somebody asks us to remember something, in so many words: rules over what they wrote themselves.

"Remember that the release is on Fridays" is such a wish. "Do you remember that …?" is a question, and what is
quoted, forwarded or stands in a file asks for nothing.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.core.values import Incoming
from bot.text.marks import leave_out_quotes

WHICH_WORDS = (
    "Tell me in one message what to remember: “remember that …”. To keep a message that stands here already, "
    "choose *Remember this* in its ⋮ menu."
)
_PLEASE = r"(?:(?:please|pls|hey|hi|ok|okay|bitte|por favor|per favore|s'il (?:te|vous) pla[iî]t)[,!]? )*"
_SO = r"(?:,? ?(?:please|bitte|svp|alsjeblieft))?"
_THAT = {  # what comes between the verb and what is to be remembered
    "en": r"(?: (?:this|the following|for (?:me|us|later|next time)))*(?: ?[:：]|,? that)",
    "de": r"(?: (?:das|folgendes))?(?: ?:|,? dass)",
    "fr": r"(?: (?:bien|ceci))?(?: ?:| que| qu')",
    "es": r"(?: esto)?(?: ?:| que)",
    "it": r"(?: questo)?(?: ?:| che)",
    "pt": r"(?: (?:disto|isto|isso))?(?: ?:| (?:de )?que)",
    "nl": r"(?: dit)?(?: ?:|,? dat)",
    "sv": r"(?: ?:|,? att?)",
    "pl": r"(?: ?:|,? że)",
    "ru": r"(?: ?:|,? что)",
}
_VERBS = {
    "en": r"(?:(?:can|could|would|will) you please )?(?:remember|keep in mind|bear in mind|make a note"
    r"|take a note|note down|(?:do not|don't|don’t) forget)(?: of)?",
    "de": r"(?:merk(?:e|t)? (?:dir|euch)|merken sie sich|behalte?|notiere?|vergiss nicht"
    r"|(?:kannst|könntest) du dir bitte merken)",
    "fr": r"(?:souviens-toi|souvenez-vous|rappelle-toi|retiens|retenez|notez?|n['’]oubliez? pas)",
    "es": r"(?:recuerda|recuerde|acuérdate de|anota|apunta|no olvides|ten en cuenta)",
    "it": r"(?:ricorda|ricordati|ricordate|annota|tieni presente|non dimenticare)",
    "pt": r"(?:lembra-te|lembre-se|lembre|anota|anote|não (?:te )?esqueças?)",
    "nl": r"(?:onthoud|noteer|vergeet niet)",
    "sv": r"(?:kom ihåg|husk)",
    "pl": r"(?:zapamiętaj|zanotuj)",
    "ru": r"(?:запомни|запомните|запиши)",
}
_WISHES = tuple(
    re.compile(rf"{_PLEASE}{verb}{_SO}{_THAT[code]}\s*(?P<words>\S.*)", re.IGNORECASE | re.DOTALL)
    for code, verb in _VERBS.items()
)
_IN_CHINESE = re.compile(
    r"(?:请|請)?(?:你)?(?:记住|記住|记一下|記一下|记下|記下)[，,：: ]?\s*(?P<words>\S.*)", re.DOTALL
)
_IN_JAPANESE = (
    re.compile(
        r"(?:次のことを|これを)?(?:覚えて|メモして)おいて(?:ください|下さい)?[：:。]\s*(?P<words>\S.*)",
        re.DOTALL,
    ),
    re.compile(
        r"(?P<words>\S.*?)(?:ことを|と|を)(?:覚えて|メモして)(?:おいて)?(?:ください|下さい|ね)?[。！!]?",
        re.DOTALL,
    ),
)
# "Remember the code is 5512": a statement without "that"; no order to us, and nothing that stands for itself.
_STATES = re.compile(
    rf"{_PLEASE}remember,? (?P<words>(?!(?:to|when|what|who|whom|how|where|why|if|whether|me|us|him|them)\b)"
    r"\S.*?\b(?:is|are|isn['’]t|aren['’]t|was|were|has|have|will|won['’]t|must|can|can['’]t|cannot|should"
    r"|costs?|starts?|begins?|ends?|opens?|closes?|means?|needs?|lives?|works?)\b.*)",
    re.IGNORECASE | re.DOTALL,
)
# "The office is closed on Monday. Please remember that."
_BEHIND = tuple(
    re.compile(rf"(?P<words>\S.*[.!。])\s+{_PLEASE}{verb}\W*", re.IGNORECASE | re.DOTALL)
    for verb in (
        r"(?:remember|keep in mind|make a note of|do(?:n['’]t| not) forget) (?:this|that|it)(?:,? please)?",
        r"merk(?:e|t)? (?:dir|euch) das(?:,? bitte)?",
        r"(?:retiens|retenez|souviens-toi de|souvenez-vous de) (?:ça|cela)",
        r"(?:recuérdalo|anótalo|apúntalo|ricordalo|ricordatelo|lembra-te disso|onthoud (?:dit|dat))",
    )
)
_PATTERNS = (*_WISHES, _IN_CHINESE, *_IN_JAPANESE, _STATES, *_BEHIND)
# "Remember this", and nothing that is to be: what somebody else said is kept by the ⋮ menu.
_NOTHING_SAID = re.compile(
    rf"{_PLEASE}(?:remember (?:this|that|it)|merk(?:e|t)? (?:dir|euch) das|(?:retiens|retenez) (?:ça|cela)"
    rf"|recuérdalo|ricordalo|onthoud (?:dit|dat)){_SO}\W*",
    re.IGNORECASE,
)
_SIGNS = re.compile(r"\W*")
_ASKS = re.compile(r"[?？]")
_POLITE = re.compile(
    rf"{_PLEASE}(?:can|could|would|will) you please |{_PLEASE}(?:kannst|könntest) du ", re.IGNORECASE
)


def read_note_wish(posts: Sequence[Incoming]) -> str:
    """What the author of a question wants remembered, letter for letter; "" where they want an answer.

    It has to be said to us, by a person, and not by a button.
    """
    first = posts[0]
    if first.follow_up or first.by_app or not (first.direct or first.mentioned):
        return ""
    return find_wish("\n".join(leave_out_quotes(post.text) for post in posts))


def wants_what_stands_there(posts: Sequence[Incoming]) -> bool:
    """Whether somebody says "remember this" and no more: which words are meant is not for us to guess."""
    first = posts[0]
    addressed = (first.direct or first.mentioned) and not (first.follow_up or first.by_app)
    return addressed and bool(_NOTHING_SAID.fullmatch("\n".join(post.text for post in posts).strip()))


def find_wish(text: str) -> str:
    """What a text that begins with such a wish wants remembered; "" for another text, or a question."""
    plain = text.strip()
    asked = _cut_question(plain)
    if asked != plain:
        if not _POLITE.match(plain):
            return ""
        plain = asked
    found = next(filter(None, (pattern.fullmatch(plain) for pattern in _PATTERNS)), None)
    return found["words"].strip() if found else ""


def _cut_question(text: str) -> str:
    """A text without the mark that makes a question of it, and what stands behind; as it is, where it is
    none. The signs at its end are found from behind: however many there are, each is looked at once."""
    signs = _SIGNS.match(text[::-1])
    mark = _ASKS.search(text, len(text) - signs.end()) if signs else None
    return text[: mark.start()] if mark else text
