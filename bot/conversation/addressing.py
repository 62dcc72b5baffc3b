"""Whether a post in a thread of ours is said to us: pure rules over its words, in several languages.

Nobody wants an assistant that answers what people say to each other. A post that mentions us is for us; one
that mentions somebody else, that answers somebody who was asked by name, or that says no more than thanks is
remembered and not answered.
"""

from __future__ import annotations

import re
import unicodedata

# What says no more than that something was heard, in the languages most teams write.
_COURTESIES = """
thanks|thank you|thank you so much|thanks a lot|many thanks|thx|ty|tysm|cheers|ta
much appreciated|appreciated|nice|great|perfect|awesome|cool|lovely|excellent|wonderful
brilliant|good|very good|all good|good to know|got it|gotcha|noted|understood|makes sense|i see
ok|okay|okey|k|kk|okidoki|sure|sure thing|yes|yep|yup|yeah|no|nope|right|exactly|agreed|fine
done|will do|on it|no problem|np|you're welcome|welcome|sounds good|looks good|lgtm|same
same here|true|me too|no worries|bye|see you|see you there|see you later|see you then|wow
ha|haha|hahaha|hahahaha|hehe|hehehe|hihi|lol|lmao|rofl|jaja|jajaja|mdr
danke|danke schön|danke dir|vielen dank|dankeschön|besten dank|super|prima|klasse
toll|alles klar|passt|gut|sehr gut|genau|stimmt|ja|nein|gerne|verstanden|mach ich|merci
merci beaucoup|parfait|d'accord|ça marche|oui|non|bien|très bien|gracias|muchas gracias|vale
perfecto|de acuerdo|sí|si|bueno|genial|grazie|grazie mille|perfetto|va bene|bene|certo|obrigado
obrigada|beleza|bedankt|dank je|dank je wel|goed|tack|tak|takk|kiitos|dzięki|dziękuję|děkuji
спасибо|хорошо|ок|да|нет|дякую|ありがとう|ありがとうございます|了解|了解です|はい|谢谢|好的|好
收到|감사합니다|네|شكرا|תודה
"""
_WORDS = frozenset(word for line in _COURTESIES.split("\n") for word in line.split("|") if word)
_LONGEST = max(len(words.split()) for words in _WORDS)
_FILLERS = frozenset(
    ["so", "very", "much", "all", "everyone", "everybody", "guys", "team", "folks", "then", "lot"]
)
_THANKS = frozenset(
    {"thanks", "thank", "thx", "ty", "tysm", "cheers", "danke", "dank", "vielen", "dankeschön", "merci"}
    | {"gracias", "grazie", "obrigado", "obrigada", "bedankt", "tack", "tak", "takk", "kiitos", "dzięki"}
    | {"dziękuję", "děkuji", "спасибо", "дякую"}
)
_MOST_WORDS = 8
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")
_EMOJI_NAME = re.compile(r":[a-z0-9_+'-]+(?::skin-tone-\d)?:", re.IGNORECASE)
_MENTION = re.compile(r"<@[UW][A-Z0-9]+>")

_HERE = r"(?: now)?(?: in this thread| here| in diesem thread| hier)?(?: please| bitte)?"
LAST_WORDS = 200  # characters in which a question at the end stands
_QUESTION = re.compile(r"[?？][^\w?]*(?:\s[^.!?\n]{0,25}[.!]?[^\w?]*)?\Z")
_NAMED = re.compile(r"<@[UW]|(?<!\S)@\w")
_QUIET = re.compile(
    r"(?:please |bitte )?(?:be |stay |keep |sei |bleib )?"
    rf"(?:quiet|silent|still|ruhig|silence|silencio|hush|shush)(?: please| bitte)?{_HERE}"
    rf"|(?:please )?(?:stop|quit) (?:answering|replying|responding|talking){_HERE}"
    r"|(?:please )?(?:do not|don't|don’t) (?:answer|reply|respond) (?:here|in this thread)(?: please)?"
)
_SPEAK = re.compile(
    r"(?:please )?(?:you (?:may|can) )?(?:speak|talk|answer|reply)(?: here| in this thread)? again"
    r"(?: please)?|du darfst wieder (?:reden|antworten)"
)
_STOP = re.compile(r"(?:please )?(?:stop|halt|stopp|cancel|abort)(?: it| that| now)?(?: please)?")


def is_courtesy(text: str) -> bool:
    """Whether a text says no more than thanks, ok, or an emoji: nothing that wants an answer."""
    return _says_no_more(text) or _thanks_somebody(text)


def _thanks_somebody(text: str) -> bool:
    """Thanks, and behind it by one or two names whom they are for."""
    bare = _EMOJI_NAME.sub(" ", text).split()
    words = [word for word in bare if any(map(str.isalnum, word))]
    if len(words) > _MOST_WORDS:
        return False
    for names in (1, 2):
        said, whom = " ".join(words[:-names]), [word.rstrip("!.") for word in words[-names:]]
        named = all(name[0].isupper() and name.replace("-", "").isalpha() for name in whom)
        thanked = said[-1:] not in (*".!", "") and not _THANKS.isdisjoint(_list_words(said))
        if named and thanked and _says_no_more(said):
            return True
    return False


def _says_no_more(text: str) -> bool:
    words = _list_words(text)
    if not words:
        return bool(text.strip()) and _has_no_words(text)
    if "?" in text or len(words) > _MOST_WORDS:
        return False
    at = 0
    while at < len(words):
        size = next((n for n in range(_LONGEST, 0, -1) if " ".join(words[at : at + n]) in _WORDS), 0)
        if not size and words[at] not in _FILLERS:
            return False
        at += size or 1
    return any(" ".join(words[at : at + n]) in _WORDS for at in range(len(words)) for n in (1, 2, 3))


def ends_in_question(text: str) -> bool:
    """Whether the last sentence of an answer asks something, or the last but a short one."""
    return _QUESTION.search(text[-LAST_WORDS:]) is not None


def speaks_to_somebody(text: str) -> bool:
    """Whether a post that was not for us mentions a person or a group."""
    return _NAMED.search(text) is not None


def read_wish(text: str) -> str:
    """What a text that says nothing else wants of us in its thread: quiet, speak, stop; "" for none."""
    plain = _strip(text)
    wishes = {"quiet": _QUIET, "speak": _SPEAK, "stop": _STOP}
    return next((wish for wish, pattern in wishes.items() if pattern.fullmatch(plain)), "")


def _strip(text: str) -> str:
    """Small letters, one blank between words, no punctuation at the ends."""
    return " ".join(text.casefold().split()).strip(" .,!?…")


def _list_words(text: str) -> list[str]:
    bare = _MENTION.sub(" ", _EMOJI_NAME.sub(" ", text))
    return [word.replace("’", "'") for word in _WORD.findall(bare.casefold())]


def _has_no_words(text: str) -> bool:
    """Emoji and punctuation alone; figures and signs like "=" may be a question."""
    bare = _MENTION.sub(" ", _EMOJI_NAME.sub("", text))
    kinds = {unicodedata.category(letter)[0] for letter in bare if not letter.isspace()}
    return kinds <= {"S", "C", "M", "P"} and "?" not in bare and not any(c in bare for c in "=+<>^~|$€£%")
