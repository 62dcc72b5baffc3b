"""Which marks in a model's text are no words of its answer: tags around reasoning and tokens of templates.

Servers should take them out and often do not. What each mark does to the text is bot/provider/reasoning.py's;
here is what they are called, and when such a name is only being talked about.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

# open      reasoning begins; `closer` ends it
# close     reasoning ends
# end       the answer ends
# turn      the name of whose turn it is follows
# channel   the head of a gpt-oss message follows
# part      the end of such a message, where another may follow
# tool      a tool is called
# wrapper   stands around an answer that follows reasoning
# noise     says nothing
Kind = Literal["open", "close", "end", "turn", "channel", "part", "tool", "wrapper", "noise"]

START = "<|start|>"

# Whatever may be a mark, and the beginning of one at a text's end.
MARK = re.compile(r"<[^\s<>]{1,40}>|\[/?[A-Z_]{3,12}\]|◁/?think▷")
MARK_BEGINS = re.compile(r"(?:<[^\s<>]{0,40}|\[/?[A-Z_]{0,12}|◁/?[a-z]{0,5})\Z")


@dataclass(frozen=True, slots=True)
class Mark:
    """What a mark does. `closer` ends what it opens, in lower case."""

    kind: Kind
    closer: str = ""


def _marks(kind: Kind, names: str) -> dict[str, Mark]:
    return dict.fromkeys(names.split(), Mark(kind))


# Sources: the chat templates and reasoning parsers of vLLM, SGLang and llama.cpp. Tags are of DeepSeek, Qwen,
# GLM, MiniMax and Seed; the pairs of Mistral, Kimi, Command A, OpenThinker, Apertus, Gemma and MedGemma.
_TAG = re.compile(r"<(/?)((?:[a-z]{1,10}[:_])?think(?:ing)?|thoughts?|reason(?:ing)?)>")
# Words of any XML: within an answer they open nothing.
ONLY_FIRST = frozenset(["</reason>", "</reasoning>", "</thought>", "</thoughts>"])
_PAIRS = {
    "[think]": "[/think]",
    "◁think▷": "◁/think▷",
    "<|start_thinking|>": "<|end_thinking|>",
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<|inner_prefix|>": "<|inner_suffix|>",
    "<|channel>": "<channel|>",
    "<unused94>": "<unused95>",
}
_NAMED = {
    **{name: Mark("open", closer) for name, closer in _PAIRS.items()},
    **dict.fromkeys(_PAIRS.values(), Mark("close")),
    **_marks("end", "</s> <eos> <|eos|> <|im_end|> <|eot_id|> <|eom_id|> <|eot|> <|eom|> <|return|>"),
    **_marks("end", "<|end_of_text|> <|endoftext|> <｜end▁of▁sentence｜> <|end_of_turn|> <end_of_turn>"),
    **_marks("end", "<turn|> <|end_of_turn_token|> <|endofturn|> <|endofassistant|> [inst] [/inst]"),
    **_marks("end", "<|user|> <|system|> <|human|> <|observation|> <｜user｜>"),
    **_marks("turn", "<|im_start|> <|start_header_id|> <|header_start|> <start_of_turn> <|turn>"),
    **_marks("turn", "<|start_of_role|> <|start_of_turn_token|>"),
    **_marks("turn", "<|chatbot_token|> <|assistant|> <｜assistant｜>"),
    **_marks("wrapper", "<answer> </answer> <|begin_of_solution|> <|end_of_solution|>"),
    **_marks("wrapper", "<|start_response|> <|end_response|>"),
    **_marks("channel", f"{START} <|channel|>"),
    **_marks("part", "<|end|>"),
    **_marks("tool", "<|call|> <tool_call> <tool_calls> <|tool_call> [tool_calls]"),
    **_marks("noise", "<s> <bos> <pad>"),
}
_TOOL = re.compile(r"<[|｜].*(?:tool[_▁]calls?|python_tag).*[|｜]>")
_SPECIAL = re.compile(r"<\|[a-z][a-z0-9_]*\|>|<｜[^｜]+｜>")  # of templates we do not know

# Beside what a name stands that is talked about: "between <think> and </think>", "the token </s>, which".
_BEFORE_WORD = frozenset(" \t\n\"'“”‘’„«»([{*_~|/\\-–—:;,=#…")
_AFTER_WORD = frozenset(".,;:!?)]}")  # no answer begins so
_AROUND_WORD = frozenset("\"'“”‘’„«»*_~|/\\-–—…")
_NEXT_WORD = frozenset("(|/&+=-–—→")  # with a blank before it
_WIDE = "\u2e80"  # from here on are the scripts that write without blanks


@lru_cache(maxsize=512)
def read_mark(text: str) -> Mark | None:
    """What a text that `MARK` matches does; None for one that is just text."""
    name = text.lower()
    if mark := _NAMED.get(name):
        return mark
    if tag := _TAG.fullmatch(name):
        return Mark("close") if tag[1] else Mark("open", f"</{tag[2]}>")
    if _TOOL.fullmatch(name):
        return Mark("tool")
    return Mark("noise") if _SPECIAL.fullmatch(name) else None


def is_talked_about(mark: Mark, before: str, after: str) -> bool:
    """Whether a mark reads as a word of a sentence: `before` is the character before it, if there is one.

    Models that explain such names nearly always write them as code; this is for the others.
    """
    if before == "\\":
        return True
    if mark.kind == "open" and before >= _WIDE and before.isalpha():
        return after[:1] >= _WIDE and after[:1].isalpha()
    if before and before not in _BEFORE_WORD:
        return False
    word = after.lstrip(" \t")[:1]
    # Before an answer, which may begin with any markup; after reasoning in small letters, too.
    opens_line, closes = before in ("", "\n"), mark.kind == "close"
    if word == after[:1]:
        return word in _AFTER_WORD or (
            word in _AROUND_WORD and (before in _AROUND_WORD or not (opens_line or closes))
        )
    if opens_line and closes:
        return False
    return (word.isalnum() or word in _NEXT_WORD) and not word.isupper()
