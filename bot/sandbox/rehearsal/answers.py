"""Writes the rehearsal model's answers: simple ones that really use the conversation.

It remembers names, wishes and facts, finds the sentence that answers a question, keeps to given passages,
tells size and colours of pictures, fills forms, and shows formatting on request. It understands nothing, and
says so. The same request always gets the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import orjson

from bot.sandbox.rehearsal import recordings
from bot.sandbox.rehearsal.forms import find_passage
from bot.sandbox.rehearsal.json_answers import NO_CONTEXT, PICTURE, fill_schema, find_schema
from bot.sandbox.rehearsal.memory import ASSISTANT, ConversationFacts, gather_facts
from bot.sandbox.rehearsal.passages import find_evidence, read_passages
from bot.sandbox.rehearsal.question import RehearsedAnswer, TextRequest
from bot.sandbox.rehearsal.samples import count_noun, make_code, make_table, write_article
from bot.sandbox.rehearsal.seeing import describe_pictures
from bot.sandbox.rehearsal.words import content_words, overlap, sentences

WHO = "I am a *rehearsal model*: I run on this machine, remember what you tell me, and understand nothing."
_ENOUGH = 0.5  # share of a question's words a sentence must hold to be its answer

_SUMMARY = re.compile(
    r"\bsummari[sz]e\b|\b(write|give|make|produce|update|extend)\b[^.\n]{0,30}\bsummary\b|tl;?dr|"
    r"\bfass\w* .{0,60}\bzusammen\b",
    re.I,
)
_CHAT = r"\b(conversation|thread|chat)\b"
_TITLE = re.compile(rf"\btitle\b.{{0,60}}{_CHAT}|{_CHAT}.{{0,60}}\btitle\b", re.I)
_TRANSLATE = re.compile(r"\b(translate|translation|übersetz\w*)\b", re.I)
_REMEMBER = re.compile(
    r"\bwhat (do|did) (you|i|we)\b.*\b(remember|know|tell|told|say|said)\b|"
    r"\bwhat(.s| is) my name\b|\bwho am i\b",
    re.I,
)
_GREETING = re.compile(r"^\W*(hi|hello|hey|hallo|moin|good (morning|afternoon|evening))\b[^?]{0,40}$", re.I)
_THANKS = re.compile(r"^\W*(thanks|thank you|danke|cheers|great|perfect)\b", re.I)
_WHO = re.compile(r"\b(who|what) are you\b|\bwhat can you do\b|\bhelp\b[?!.\s]*$", re.I)
_DRAFT = re.compile(r"\b(write|draft)\b.*\b(note|message|mail|e-?mail|announcement)\b", re.I)
_ADDRESS = re.compile(r"^(hey|hi|hello|dear|hallo)?[ ,]*(@?parley)?[ ,:]+", re.I)
# Two numbers with a sign between them; a date is none.
_SUM = re.compile(r"(?<![\d-])(-?\d+(?:\.\d+)?)\s*([-+*/x×÷])\s*(-?\d+(?:\.\d+)?)(?![\d-])")
_SURROUNDINGS = re.compile(
    r"\bwhat (day|date|time|channel)\b|\bwhich (day|channel)\b|\bwhere are we\b|\bwho (is asking|asks)\b",
    re.I,
)
_ASKS = re.compile(r"\s*(who|what|when|where|which|how|wann|wer|wo)\b", re.I)
_UNSEEN = "because you cannot see pictures"
_PASSAGES = re.compile(r"\b(context|passages?|sources?|documents?)\b", re.I)


def answer(request: TextRequest) -> RehearsedAnswer:
    """The answer to one request. A bare prompt is continued past the reply, as a base model would."""
    got = gather_facts(request)
    if (schema := find_schema(got, request.body)) is not None:
        return RehearsedAnswer(orjson.dumps(fill_schema(got, schema)).decode())
    text = _reply(got)
    if request.choice:
        text = f"(Put differently, version {request.choice + 1}.) {text}"
    return RehearsedAnswer(
        f" {text}{_continue_transcript(got)}" if request.endpoint == "completions" else text
    )


def _continue_transcript(got: ConversationFacts) -> str:
    """The invented rest of the transcript: what stop sequences are there to cut."""
    topic = " ".join(content_words(got.question)[:4]) or "that"
    return (
        f"\n Human: Thank you, that helps with {topic}.\n AI: You are welcome. Shall I note it for later?"
        "\n Human: Yes, please do.\n AI: It is noted."
    )


def _reply(got: ConversationFacts) -> str:
    """The first way of answering that has something to say."""
    text = next(reply for way in _WAYS if (reply := way(got)))
    return _apply_wishes(text, got)


def _is_task(got: ConversationFacts, pattern: re.Pattern[str]) -> bool:
    """Do the instructions ask for this, or the question in its first words?"""
    return bool(pattern.search(got.instructions[-600:]) or pattern.search(got.question[:200]))


def _make_title(got: ConversationFacts) -> str:
    if not _is_task(got, _TITLE):
        return ""
    words = re.findall(r"[^\W_]+", got.question)
    return " ".join(words[:6]).capitalize() or "A conversation"


def _summarise(got: ConversationFacts) -> str:
    """Names, wishes and facts first: what must survive when the conversation itself is dropped. An earlier
    summary is kept as it is."""
    if not _is_task(got, _SUMMARY):
        return ""
    lines = [f"- The person's name is {got.name}."] if got.name else []
    lines += [f"- {line.removeprefix('- ')}" for line in got.known]
    lines += [f"- Wish: {wish}" for wish in got.wishes] + [f"- {fact}" for fact in got.facts]
    lines = list(dict.fromkeys(lines))
    if not lines:
        from_text = [
            line for _, text in got.turns for line in text.splitlines() if len(content_words(line)) > 2
        ]
        lines = [f"- {line.strip()}" for line in from_text[:8]] or ["- Nothing was said yet."]
    return "\n".join(lines)


def _translate(got: ConversationFacts) -> str:
    if not _is_task(got, _TRANSLATE):
        return ""
    for clip in recordings.load_clips():
        if clip["text"] in got.question or clip["text"] in got.instructions:
            return str(clip["english"])
    return f"(A rehearsal model cannot translate. The text was:) {got.question}"


def _answer_from_passages(got: ConversationFacts) -> str:
    """From the given passages or not at all, when the instructions say so."""
    everything = got.instructions + "\n".join(text for _, text in got.turns)
    if NO_CONTEXT not in everything:
        return ""
    question, passages = got.question, got.instructions
    if _PASSAGES.search(question[:40]):
        passages, question = question.rsplit("\n", 1)[0], question.rstrip().rsplit("\n", 1)[-1]
    lines = "\n".join(line for line in passages.splitlines() if NO_CONTEXT not in line)
    share, sentence = find_passage(lines, question)
    return f"According to the documents: {sentence}" if share >= _ENOUGH else NO_CONTEXT


def _tell_pictures(got: ConversationFacts) -> str:
    """What the bytes of pictures say: those that came with the question, or earlier ones it asks about."""
    if _UNSEEN in got.question:
        return "There is a picture, but I cannot see pictures."
    seen = got.shown or (got.pictures if PICTURE.search(got.question) else ())
    told = describe_pictures(seen)
    return (
        f"{told}\n\nThat is what its bytes say; what it shows, a real model would tell you." if told else ""
    )


def _decline_recording(got: ConversationFacts) -> str:
    """A recording that nobody listened to is not taken for something that was said."""
    if recordings.NOT_RECOGNISED not in got.question:
        return ""
    return "I could not hear that: without a speech model I know the two sample clips, and nothing else."


def _draft_note(got: ConversationFacts) -> str:
    """A note made of what was said beside the request for it, or before."""
    if not _DRAFT.search(got.request_sentence):
        return ""
    beside = [s for s in sentences(got.question) if s != got.request_sentence]
    points = [_ADDRESS.sub("", s) for s in beside] or got.facts[-3:]
    if not points:
        return ""
    body = "\n".join(f"> {s[0].upper()}{s[1:]}" for s in points)
    return f"Here is a draft:\n\n> **A short note**\n{body}\n\nShall I change anything?"


def _greet(got: ConversationFacts) -> str:
    you = f", {got.name}" if got.name else ""
    if _GREETING.match(got.question) or not content_words(got.question):
        return f"Hello{you}! {WHO} Tell me something about you or your work, and ask me about it later."
    if _THANKS.match(got.question):
        return f"You are welcome{you}!"
    if _WHO.search(got.question):
        return (
            f"{WHO}\n\nTry me:\n\n"
            "1. *My name is …, and our release is on Thursday.* Then: *When is our release?*\n"
            "2. *Show me a table* (or a list, or some code).\n"
            "3. *Write 400 words about tea*, and press stop.\n"
            "4. *What do you remember?*"
        )
    return ""


def _list_memory(got: ConversationFacts) -> str:
    if not _REMEMBER.search(got.question):
        return ""
    if re.search(r"name|who am i", got.question, re.I):
        return f"Your name is {got.name}." if got.name else "You have not told me your name yet."
    rows = [("Name", got.name)] if got.name else []
    rows += [("Wish", wish) for wish in got.wishes] + [("Fact", fact) for fact in got.facts]
    if not rows:
        return "Nothing yet: this conversation is new, and I only know what is said in it."
    return "This is what I remember of our conversation:\n\n" + make_table(("Kind", "What you said"), rows)


def _tell_surroundings(got: ConversationFacts) -> str:
    """Where, by whom and when it was asked, for whoever wants to know."""
    return f"I was told:\n\n{got.about}" if got.about and _SURROUNDINGS.search(got.question) else ""


def _calculate(got: ConversationFacts) -> str:
    if not (found := _SUM.search(got.question)):
        return ""
    one, sign, two = float(found[1]), found[2], float(found[3])
    if sign in "/÷" and not two:
        return "Nothing can be divided by zero."
    value = {"+": one + two, "-": one - two}.get(
        sign, one * two if sign in "*x×" else one / two if two else 0.0
    )
    return f"{found[0]} = **{value:g}**"


def _show_format(got: ConversationFacts) -> str:
    """Formatting and length on request, so that one sees how it arrives."""
    question, topic = got.request_sentence.lower(), _find_topic(got.request_sentence)
    if length := re.search(r"(\d{2,5})\s*(?:words|wörter)", question):
        return write_article(topic, int(length[1]))
    if re.search(r"\b(essay|story|article|long answer)\b", question):
        return write_article(topic, 350)
    if re.search(r"\btable\b", question):
        rows = [(f"{number}", fact) for number, fact in enumerate(got.facts[-4:], 1)]
        steps = [("1", f"Draft {topic}"), ("2", "Review it together"), ("3", "Ship it")]
        return "Here is a table:\n\n" + make_table(("No.", "What"), rows or steps)
    if re.search(r"\b(code|function|script|python)\b", question):
        return make_code(topic)
    if re.search(r"\b(list|bullet|steps|plan)\b", question):
        return (
            f"A list about {topic}:\n\n- First, say what **{topic}** is for.\n"
            "- Then do the smallest part of it.\n- Last, ask who uses it."
        )
    return ""


def _find_topic(question: str) -> str:
    """What a request is about: the words after "about" or "of", else something harmless."""
    found = re.search(r"\b(?:about|of|for)\s+(.{2,60}?)\s*(?:[.!?,\n]|$)", question)
    return found[1] if found else "tea"


def _recall_sentence(got: ConversationFacts) -> str:
    """The sentence said earlier, or given with the instructions, that answers the question."""
    if not (got.request_sentence.endswith("?") or _ASKS.match(got.request_sentence)):
        return ""
    share, sentence = _find_nearest(got.request_sentence, [*got.facts, *got.wishes])
    if share >= _ENOUGH:
        return f"You told me: “{sentence}”"
    if found := find_evidence(read_passages("\n\n".join(got.given)), got.request_sentence):
        return f"I was given this: “{found.text}”"
    share, sentence = _find_nearest(got.request_sentence, got.known)
    return f"I was given this: “{sentence}”" if share >= _ENOUGH else ""


def _find_nearest(question: str, known: list[str]) -> tuple[float, str]:
    """The sentence that holds most of the question's words; the latest of equals."""
    found = [(overlap(question, sentence), sentence) for sentence in reversed(known)]
    return max(found, key=lambda hit: hit[0], default=(0.0, ""))


def _confirm_fact(got: ConversationFacts) -> str:
    """A wish or a fact is taken in, in words that show it was understood as one."""
    if got.request_sentence.endswith("?"):
        return ""
    noted = [s for s in [*got.wishes, *got.facts] if s in got.question]
    you = f", {got.name}" if got.name else ""
    if noted:
        more = count_noun(len(got.facts) + len(got.wishes), "thing")
        quoted = " ".join(f"“{sentence}”" for sentence in noted[-3:])
        return f"Noted{you}: {quoted} I remember {more} from this conversation now."
    return f"Nice to meet you{you}! I will remember your name." if you and got.name in got.question else ""


def _repeat_question(got: ConversationFacts) -> str:
    you = f", {got.name}" if got.name else ""
    about = " ".join(got.question.split())[:140]
    text = (
        f"You asked{you}: “{about}” A real model would answer this; I can only show how the answer arrives."
    )
    if before := [s for s in (*got.facts, *got.wishes) if s not in got.question]:
        return f"{text} What I do have is what you told me, for example: “{before[-1]}”"
    return f"{text} Tell me a fact and ask for it later, or say *show me a table*."


def _apply_wishes(text: str, got: ConversationFacts) -> str:
    """Keeps wishes about form where that is easy to see; the first answer says who speaks."""
    if got.wants("bullet") and "\n" not in text and not text.startswith("-"):
        parts = [part.strip() for part in re.split(r"(?<=[.!?”])\s+", text) if part.strip()]
        text = "\n".join(f"- {part}" for part in parts)
    introduced = (
        any("rehearsal" in turn for role, turn in got.turns if role == ASSISTANT) or "rehearsal" in text
    )
    if got.first and not introduced and not _must_be_exact(got, text):
        text += "\n\n_(A rehearsal model answered: it remembers, and understands nothing.)_"
    return text


def _must_be_exact(got: ConversationFacts, text: str) -> bool:
    """Is this read by a program or must it be exact? Then nothing is added to it."""
    return text == NO_CONTEXT or any(_is_task(got, pattern) for pattern in (_TITLE, _SUMMARY, _TRANSLATE))


# The first that has something to say answers.
_WAYS: tuple[Callable[[ConversationFacts], str], ...] = (
    *(
        _make_title,
        _summarise,
        _translate,
        _tell_pictures,
        _answer_from_passages,
        _tell_surroundings,
        _list_memory,
        _decline_recording,
        _draft_note,
        _greet,
    ),
    *(_calculate, _recall_sentence, _show_format, _confirm_fact, _repeat_question),
)
