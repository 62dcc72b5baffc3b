"""Gathers facts from a conversation: who said what, wishes, facts, names.

Sentences are kept as they were said; nothing is inferred. The same facts serve answers, summaries and the
list of what the model remembers.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field

from bot.sandbox.rehearsal.question import TextRequest
from bot.sandbox.rehearsal.seeing import ReceivedPicture
from bot.sandbox.rehearsal.words import content_words, sentences

HUMAN, ASSISTANT = "human", "assistant"
# What is told about a question stands behind it, under this heading.
_ABOUT = re.compile(r"\n\n\[About this message\]\n(?P<lines>.*?)(?=\nAI:\s*\Z|\Z)", re.DOTALL)
_PICTURE_NAME = re.compile(r"^\[picture: [^\]\n]+(?<!cannot see pictures)\]$\n?", re.M)
# A turn of a written-out conversation: at the start of a line, or with the space that base models write.
_TURN = re.compile(r"(?:^|\n|\s)(Human|User|AI|Assistant|Parley)(?: \(([^)\n]{1,60})\))?:[ \t]*")
_NAME = re.compile(r"\b(?:my name is|call me|ich heiße|mein name ist)\s+([^\W\d_][\w'-]{1,30})", re.I)
_I_AM = re.compile(r"\bI(?:'|’| a)m ([A-Z][\w'-]{1,30})\b(?! (?:and|the|a)\b)")
_WISH = re.compile(
    r"\b(please always|always|never|prefer|wish|would like|i like|i want|we want|keep (?:it|your|answers)|"
    r"answer (?:me )?in|from now on|remember|don'?t forget|bitte immer|merk)\b",
    re.I,
)
_REQUEST = re.compile(
    r"^\W*(can|could|would|will|please|show|write|tell|give|make|list|draw|draft|explain|translate|summari[sz]e|help|"
    r"find|create|count|say|repeat|what|who|when|where|why|how|hi|hello|hey|thanks|thank|yes|no|ok)\b",
    re.I,
)
# What is not an instruction: the text under a heading like "Summary of the conversation so far:".
_GIVEN = re.compile(
    r"^[^\n]*\b(summary|context|passages?|documents?)\b[^\n]*(?::|\])$\n(.+)", re.I | re.M | re.S
)
_UNDER = re.compile(r"^\[(summary|context)\b[^\]\n]*\]\n(.+)", re.I | re.S)
_FENCED = re.compile(r"^\s*(?:>|```|\[\w+\]|\[[^\]\n]+\]\s*$|<)")


@dataclass(slots=True)
class ConversationFacts:
    """A conversation as sentences. `known` holds what came with the instructions: summary and passages."""

    turns: list[tuple[str, str]] = field(default_factory=list)
    name: str = ""
    wishes: list[str] = field(default_factory=list)
    facts: list[str] = field(default_factory=list)
    known: list[str] = field(default_factory=list)
    instructions: str = ""
    given: list[str] = field(default_factory=list)  # texts that came as messages, under a heading in brackets
    about: str = ""  # where, by whom and when the question was asked
    pictures: tuple[ReceivedPicture, ...] = ()  # all of them, in order
    shown: tuple[ReceivedPicture, ...] = ()  # those that came with the question

    @property
    def question(self) -> str:
        """What the person said last."""
        return next((text for role, text in reversed(self.turns) if role == HUMAN), "")

    @property
    def request_sentence(self) -> str:
        """The sentence of it that asks for something: the last question, else the last request, else all."""
        every = sentences(self.question)
        asking = [s for s in every if s.endswith("?")] or [s for s in every if _REQUEST.match(s)]
        return asking[-1] if asking else self.question

    @property
    def first(self) -> bool:
        """Has the assistant said nothing yet?"""
        return all(role == HUMAN for role, _ in self.turns)

    def wants(self, *words: str) -> bool:
        """Did a wish, or the question itself, ask for one of these?"""
        text = " ".join([*self.wishes, self.question]).lower()
        return any(word in text for word in words)


def gather_facts(request: TextRequest) -> ConversationFacts:
    """Everything the model can know from one request."""
    last = len(request.body.get("messages") or request.body.get("input") or ()) - 1
    shown = tuple(picture for picture in request.pictures if picture.turn == last)
    got = ConversationFacts(pictures=request.pictures, shown=shown)
    instructions: list[str] = []
    for role, whole in request.turns:
        found = _ABOUT.search(whole)
        got.about = found["lines"].strip() if found else ""
        text = _PICTURE_NAME.sub("", _ABOUT.sub("", whole))
        if role == "prompt":
            head, turns = split_transcript(text)
            instructions.append(head)
            got.turns += turns
        elif role in ("system", "developer"):
            instructions.append(text)
        elif under := _UNDER.match(text):
            got.given.append(under[2])
        else:
            got.turns.append((ASSISTANT if role == "assistant" else HUMAN, text))
    got.instructions = "\n".join(instructions)
    given = [*got.given, *(heading[2] for heading in _GIVEN.finditer(got.instructions))]
    got.known = [line for text in given for line in sentences(text) if content_words(line)]
    earlier = [text for role, text in got.turns if role == HUMAN]
    _sort(got, [*got.known, *earlier[:-1]])
    _sort(got, earlier[-1:])
    return got


def split_transcript(prompt: str) -> tuple[str, list[tuple[str, str]]]:
    """What stands before the first line of a transcript, and its turns; an open "AI:" is dropped."""
    marks = list(_TURN.finditer(prompt))
    if not marks:
        return "", [(HUMAN, prompt)]
    turns = []
    for mark, after in zip(marks, [*marks[1:], None], strict=True):
        text = prompt[mark.end() : after.start() if after else len(prompt)].strip()
        role = HUMAN if mark[1] in ("Human", "User") else ASSISTANT
        if text or role == HUMAN:
            turns.append((role, text))
    return prompt[: marks[0].start()].strip(), turns


def _sort(got: ConversationFacts, texts: Iterable[str]) -> None:
    """Put each sentence where it belongs; the latest name wins, and nothing is kept twice."""
    for sentence in (s for text in texts for s in sentences(text)):
        named = _NAME.search(sentence) or _I_AM.search(sentence)
        if named:
            got.name = named[1]
        if sentence.endswith("?") or _FENCED.match(sentence) or sentence in got.known:
            continue
        if _WISH.search(sentence):
            _add(got.wishes, sentence)
        # "My name is Ada" is a name and nothing else; a longer sentence may tell more.
        elif not _REQUEST.match(sentence) and len(content_words(sentence)) > (3 if named else 1):
            _add(got.facts, sentence)


def _add(kept: list[str], sentence: str) -> None:
    if sentence not in kept and len(sentence) < 400:
        kept.append(sentence)
