"""Judging a message by its form: rules that cannot be wrong, and where words alone mislead.

A rule lets a message pass; none refuses. The second half says when the local discriminator, which knows only
words, has to leave a message to the model.
"""

from __future__ import annotations

import re
import unicodedata

from bot.guard.about_us import asks_about_us
from bot.ml.features import strip_invisible

# All words of a courtesy are among these, and one of them among the first set.
_COURTESIES = """
hi hello hey hiya howdy yo morning evening hallo moin servus tag salut bonjour hola ciao oi ola
thanks thank thx ty cheers danke merci gracias grazie obrigado arigato bedankt ok okay bye goodbye
great nice perfect super cool yes no
"""
_AROUND_THEM = """
guten buenos dias good day afternoon there everyone everybody all team parley you so very much a lot
many got it works that worked well done job appreciated sure see later
"""
# Says nothing by itself; what it means is what was said before.
_GOES_ON = """
and why how then so really more again continue go on next please what else also too in short shorter
longer simpler detail details explain example examples another one it that this mean do you sure can
is the a
"""
ABOUT_US = "question about me"
_CORE, _GO_ON = frozenset(_COURTESIES.split()), frozenset(_GOES_ON.split())
_SMALL = _CORE | frozenset(_AROUND_THEM.split())
_WORD = re.compile(r"\w+")
_CLAUSE = re.compile(
    r"[.!?;:\n]+|\s[-–—]\s|,\s+(?:and|but|also|then)\s|\s(?:also|plus|besides)\s", re.IGNORECASE
)
_CLAUSE_WORDS = 3  # fewer ask for nothing
# Somebody talks to the guard instead of to the team: about its rules, or in its own words.
_INSTRUCTIONS = re.compile(
    r"\b(ignore|disregard|forget|override|bypass)\b.{0,60}\b(instruction|rule|prompt|polic|guideline|restriction"
    r"|filter|what this channel is for|(purpose|topic|subject) of this channel)"
    r"|\b(ignore|disable|override|bypass|pretend|switch off|turn off)\b.{0,40}\bguard\b( is off)?"
    r"|\b(system|developer) (prompt|message)\b|\byou are now\b|\banswer (everything|all topics)\b"
    r"|\b(classify|mark|treat|consider|judge|label|answer|respond|reply|say|output|return)\b.{0,60}"
    r"\b(on[_\s-]?topic|belongs|allowed)\b"
    r"|\b(on_topic|belongs|probability)\b[\"']?\s*[:=]|</?(system|assistant|verdict|instructions?)\b"
    # The same in other languages.
    r"|\b(ignorier\w*|vergiss|vergesst|vergessen sie|missachte\w*|umgeh\w*)\b.{0,60}"
    r"\b(anweisung|regel|vorgabe|richtlinie|prompt|filter)"
    r"|\b(ignore[zrs]?|ignora|ignoren|oublie[zrs]?|contourne[zr]?|olvid[ae]\w*|omit[ae]|dimentica\w*"
    r"|esqueç?[ac]\w*)\b.{0,60}"
    r"\b(consigne|règle|directive|filtre|instruccion|regla|norma|directri|filtro|istruzion|regol|instruç|regra)"
    r"|\b(negeer|vergeet)\b.{0,60}\b(instructie|regel|aanwijzing)"
    r"|\b(du bist (jetzt|nun|ab jetzt|ab sofort)|tu es (maintenant|désormais)|ahora eres|eres ahora|ora sei"
    r"|agora você é|je bent nu)\b"
    r"|\b(antworte|antworten sie|sag|sage|gib|stufe|werte|markiere|réponds|répondez|classe|responde|responda"
    r"|marca|clasifica|rispondi|antwoord)\b.{0,60}\b(belongs|on[_\s-]?topic|gehört dazu|zum thema|erlaubt"
    r"|autorisé|pertinent|permitido|pertinente|consentito|toegestaan)"
    r"|(игнорируй|забудь|проигнорируй)\w*.{0,60}(инструкци|правил)|ты теперь\b"
    r"|\b(glöm|glem|ignorera|ignorér|ignorer|bortse|bortsett)\b.{0,60}\b(instruktion|instruks|regel|regl)"
    r"|\b(zignoruj|ignoruj|zapomnij|pomiń|zapomeň|zabudni)\b.{0,60}\b(polece|instrukcj|zasad|reguł|pokyn|pravid)"
    r"|\b(ignoră|uită)\b.{0,60}\b(instrucțiuni|reguli)|\b(unohda|ohita)\b.{0,60}\b(ohje|sään|käsky)"
    r"|\b(hagyd figyelmen kívül|felejtsd el)\b.{0,60}\b(utasítás|szabály)"
    r"|\b(talimat|kural|yönerge).{0,40}\b(yok say|unut|görmezden|dikkate alma)"
    r"|\b(bỏ qua|quên|phớt lờ)\b.{0,60}\b(hướng dẫn|quy tắc|chỉ dẫn|chỉ thị)"
    r"|\b(abaikan|lupakan)\b.{0,60}\b(instruksi|aturan|perintah)"
    r"|(ігноруй|забудь|проігноруй)\w*.{0,60}(інструкці|правил)|(αγνόησ|αγνοήσ|ξέχν|ξεχάσ)\w*.{0,60}(οδηγί|κανόν|εντολ)"
    r"|(تجاهل|انسى?|تجاوز).{0,60}(تعليمات|قواعد|أوامر|توجيهات)|(התעלמ?י?ם?|שכחי?).{0,60}(הוראות|כללים|הנחיות)"
    r"|(निर्देश|नियम).{0,40}(अनदेखा|अनदेखी|भूल|नजरअंदाज)"
    r"|(指示|命令|ルール|規則|プロンプト).{0,20}(無視|忘れ)|(無視|忘れ)て.{0,20}(指示|命令|ルール|規則|プロンプト)"
    r"|(忽略|无视|無視|忘记|忘記|不要理会).{0,20}(指令|指示|规则|規則|提示|以上内容|要求)"
    r"|(지시|규칙|명령).{0,20}(무시|잊)|あなたは今から|你现在是|你現在是",
    re.IGNORECASE | re.DOTALL,
)
# What might be that, and what a program reads: harmless among developers, and the form of a forged verdict.
_SUSPECT = re.compile(
    r"\b(ignore|disregard|forget|override)\b.{0,40}\b(previous|prior|above|all|your|the)\b"
    r"|\bo(n|ff)[_\s-]?topic\b"
    r"|\b(classif|guard|verdict|polic)\w*\b.{0,40}\b(allow|answer|pass|true|yes)\b"
    r"|[{\[<]\s*[\"/]?\w+[\"']?\s*[:>]",
    re.IGNORECASE | re.DOTALL,
)
MIN_WORDS = 4
STRETCH, _STRIDE = 7, 3  # words
_STRETCHES = 40  # of one message, at most about


def split_words(text: str) -> list[str]:
    return _WORD.findall(strip_invisible(text).casefold())


def find_rule(text: str, *, after_on_topic: bool) -> str:
    """Why the message surely belongs: "command", "greeting", "follow-up" or ABOUT_US; "" when no rule
    knows."""
    if asks_about_us(text):
        return ABOUT_US
    found = split_words(text)
    if re.fullmatch(r"/parley(\s\w+)?", text.strip()):
        return "command"
    if not found:
        return "greeting" if len(text) < 40 else ""
    if len(found) <= 6 and set(found) <= _SMALL and set(found) & _CORE:
        return "greeting"
    if after_on_topic and len(found) <= 6 and set(found) <= _GO_ON:
        return "follow-up"
    return ""


def find_misleading(text: str) -> str:
    """Why words alone cannot be trusted here: "instructions", "suspect", "script" or "short"; "" when they
    can."""
    plain = strip_invisible(text)
    if _INSTRUCTIONS.search(plain):
        return "instructions"
    if _SUSPECT.search(plain):
        return "suspect"
    if _mostly_other_script(text):
        return "script"
    return "short" if len(split_words(text)) < MIN_WORDS else ""


def remove_orders(text: str, mark: str) -> str:
    """The text with a mark in the place of each order to whoever judges it; no other word is cut."""
    plain, kept, at = strip_invisible(text), list[str](), 0
    for found in _INSTRUCTIONS.finditer(plain):
        begin, end = _widen(plain, *found.span())
        if begin >= at:
            kept += [plain[at:begin], mark]
        at = max(at, end)
    return "".join([*kept, plain[at:]])


def _widen(text: str, begin: int, end: int) -> tuple[int, int]:
    """A stretch of text that ends in the middle of no word."""
    while begin and text[begin].isalnum() and text[begin - 1].isalnum():
        begin -= 1
    while end < len(text) and text[end - 1].isalnum() and text[end].isalnum():
        end += 1
    return begin, end


def _mostly_other_script(text: str) -> bool:
    letters = [c for c in text if c.isalpha()]
    other = sum(not unicodedata.name(c, "").startswith("LATIN") for c in letters)
    return other * 2 > len(letters)


def split_clauses(text: str) -> list[str]:
    """The parts of a message that could each ask for something: "for the roadmap: a lasagne recipe"."""
    parts = [p.strip() for p in _CLAUSE.split(strip_invisible(text))]
    return [p for p in parts if len(_WORD.findall(p)) >= _CLAUSE_WORDS]


def split_stretches(text: str) -> list[str]:
    """Runs of words of a longer message, as many as show each request in it: "before we cook, who won"."""
    found = split_words(text)
    if len(found) < STRETCH + 4:
        return []
    last = len(found) - STRETCH
    step = max(_STRIDE, -(-last // _STRETCHES))
    return [" ".join(found[at : at + STRETCH]) for at in sorted({*range(0, last, step), last})]
