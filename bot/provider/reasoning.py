"""Takes reasoning and template tokens out of an answer while it streams.

Reasoning is what stands between a pair of tags, in a gpt-oss channel other than the final one, or before a
closing tag that nothing opened: some templates write the opening tag into the prompt. Such a closing tag
comes after what it closes was shown, so what was shown is taken back; of a model that is known to do that
(`hidden_start`), nothing is shown until the tag has come or the answer has ended.

In code everything stays as it is, and in a sentence that talks about tags too, as far as that can be told.
The text is the same however the answer is chunked.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable

from bot.provider.markers import MARK, MARK_BEGINS, ONLY_FIRST, START, Mark, is_talked_about, read_mark
from bot.text.markdown_code import CodeTracker

_ROLE = re.compile(r"\s*([A-Za-z]*)")
_ROLE_LIMIT = 40
_ASSISTANTS = frozenset(["assistant", "model", "chatbot"])
_OTHERS = frozenset(["user", "human", "system", "developer", "tool", "function", "ipython"])

# <|start|>role to=recipient<|channel|>name to=recipient <|constrain|>format<|message|>
# Source: OpenAI, "The harmony response format".
_HEAD = re.compile(
    r"(?:<\|start\|>(?P<role>[^<]*))?(?:<\|channel\|>(?P<channel>[^<]*))?(?:<\|constrain\|>[^<]*)?<\|message\|>",
    re.IGNORECASE,
)
_HEAD_LIMIT = 300
_BROKEN_HEAD = re.compile(r"<\|(?:start|channel)\|>\s*(\w*)", re.IGNORECASE)
_CHANNEL_ENDS = re.compile(r"<\|(?:end|return|call|start|channel)\|>", re.IGNORECASE)

# What is left of gpt-oss channels where a server dropped the tokens: "analysisWe need …assistantfinalYes."
_BARE_CHANNEL = "analysis"
_BARE_ENDS = re.compile("assistantfinal")

_ANY_CLOSER = re.compile(
    "|".join(
        [
            r"</(?:[a-z]{1,10}[:_])?think(?:ing)?>|</thoughts?>|</reason(?:ing)?>",
            r"\[/think\]|◁/think▷|<\|end_thinking\|>|<\|end_of_thought\|>",
        ]
    ),
    re.IGNORECASE,
)
_WINDOW = 48  # longer than any closing mark
_WAIT_LIMIT = 200  # characters of blanks behind a mark

Step = Callable[[str, bool], tuple[str, str]]  # (text, is it the last) → (shown, still to be read)


class ReasoningFilter:
    """Filters one answer."""

    def __init__(self, *, hidden_start: bool = False) -> None:
        self.ended = ""  # "stop" or "tools", once a mark has ended the answer
        self.unclosed = False  # it ended within its reasoning
        self.hidden_start = False  # its reasoning was closed and never opened
        self.taken_back = False  # what was shown before the latest call was reasoning
        self._code = CodeTracker()
        self._last = ""  # what was shown last
        self._begun = False  # something but blanks was shown
        self._separate = False  # some reasoning was found
        self._words = Counter[str]()  # what closes opening tags that were only talked about
        self._called = False  # a message to a tool was found
        self._held = ""
        self._kept: list[str] | None = None  # what may be reasoning; else it is shown at the end
        self._bare = True  # it may begin with the bare name of a channel
        self._until = _ANY_CLOSER
        self._step: Step = self._read_text
        if hidden_start:
            self._hide(_ANY_CLOSER, keep=True)
        self._plain = False  # in the middle of text, with nothing held

    def feed(self, part: str) -> str:
        """What can be shown now."""
        if self._plain and "<" not in part and "[" not in part and "◁" not in part:
            self.taken_back = False
            self._code.add(part)
            self._last = part or self._last
            return part
        shown = self._read(self._held + part, last=False)
        self._plain = self._begun and not self._held and self._step == self._read_text
        return shown

    def finish(self, *, cut: bool = False) -> str:
        """What was held back, now that nothing follows; `cut` when the model had not come to its end."""
        shown = self._read(self._held, last=True)
        if self._kept is not None and not cut:  # it was no reasoning
            kept, self._kept, self._bare, self._step = "".join(self._kept), None, False, self._read_text
            shown += self._read(kept, last=True)
        self.unclosed = self.unclosed or self._step == self._skip_reasoning
        if self._called and not self._begun:
            self.ended = "tools"
        return shown

    def _read(self, text: str, *, last: bool) -> str:
        self._held, self.taken_back = "", False
        shown: list[str] = []
        while text and not self.ended:
            known = self.taken_back
            piece, text = self._step(text, last)
            if self.taken_back and not known:
                shown.clear()
            else:
                shown.append(piece)
        return "".join(shown)

    # Each step returns what it shows and what is still to be read; what needs more text to be read is held.

    def _read_text(self, text: str, last: bool) -> tuple[str, str]:
        if not self._begun and (hidden := self._read_bare_channel(text, last)):
            return hidden
        opens_at = len(text) - len(text.lstrip()) if not self._begun else -1
        seen = 0  # by the tracker of code
        begins = None if last else MARK_BEGINS.search(text)
        # Not read yet is what may be part of a mark that has only begun, though it looks like one itself.
        for found in MARK.finditer(text, 0, begins.start() if begins else len(text)):
            mark = read_mark(found[0])
            if mark is None:
                continue
            start, after = found.start(), text[found.end() : found.end() + _WAIT_LIMIT]
            self._code.add(text[seen:start])
            seen = start
            if not last and _needs_more(mark, after):
                self._held = text[start:]
                return self._show(text[:start]), ""
            before = text[start - 1] if start else self._last[-1:]
            if self._is_word(found[0].lower(), mark, before, after, opening=start <= opens_at):
                continue
            shown = self._show(text[:start])
            rest = self._obey(mark, text[start:], found[0])
            return shown, rest
        self._held = begins[0] if begins else ""
        shown = text[: len(text) - len(self._held)]
        self._code.add(shown[seen:])
        return self._show(shown), ""

    def _read_bare_channel(self, text: str, last: bool) -> tuple[str, str] | None:
        """The start of an answer that may be the bare name of a channel; None when it is not."""
        begins = text.lstrip()
        if self._separate or not self._bare or (last and not begins):
            return None
        if not last and _BARE_CHANNEL.startswith(begins):
            self._held = text
            return "", ""
        if begins.startswith(_BARE_CHANNEL) and begins[len(_BARE_CHANNEL) :][:1].isupper():
            self._hide(_BARE_ENDS, keep=True)
            return "", text
        return None

    def _skip_reasoning(self, text: str, last: bool) -> tuple[str, str]:
        seen = 0
        for found in self._until.finditer(text):
            start, end = found.span()
            quoted = text[start - 1 : start] == "`"
            if quoted and end == len(text) and not last:
                self._keep(text, start - 1)
                return "", ""
            if quoted and text[end : end + 1] == "`":
                seen = end + 1
                continue
            return "", self._leave_reasoning(found[0].lower(), text[start:])
        self._keep(text, len(text) if last else max(seen, len(text) - _WINDOW))
        return "", ""

    def _read_role(self, text: str, last: bool) -> tuple[str, str]:
        """Whose turn it is that a token announced."""
        found = _ROLE.match(text)
        assert found is not None
        if found.end() == len(text) < _ROLE_LIMIT and not last:
            self._held = text
            return "", ""
        self._step = self._read_text
        role = found[1].lower()
        if role in _OTHERS:
            self.ended = "stop"
        return "", text[found.end() :] if role in _ASSISTANTS else text

    def _read_head(self, text: str, last: bool) -> tuple[str, str]:
        """The head of a gpt-oss message: who speaks, to whom, in which channel."""
        found = _HEAD.match(text)
        if found is None and len(text) < _HEAD_LIMIT and not last:
            self._held = text
            return "", ""
        self._step = self._read_text
        if found is None:
            return self._read_broken_head(text)
        role, channel = found["role"] or "", found["channel"] or ""
        to_tool = "to=" in found[0] and "to=assistant" not in found[0]
        self._called = self._called or to_tool
        if role.split()[:1] and role.split()[0].lower() in _OTHERS:
            self.ended = "stop"
        elif to_tool or channel.split()[:1] not in ([], ["final"]):
            self._hide(_CHANNEL_ENDS)
        self._separate = True
        return "", text[found.end() :]

    def _read_broken_head(self, text: str) -> tuple[str, str]:
        found = _BROKEN_HEAD.match(text)
        assert found is not None
        if found[1] in ("analysis", "commentary"):
            self._hide(_CHANNEL_ENDS)
        return "", text[found.end() :]

    # What marks do

    def _is_word(self, name: str, mark: Mark, before: str, after: str, *, opening: bool) -> bool:
        """Whether a mark is part of the answer."""
        if mark.kind == "wrapper" and not self._separate:
            return True
        if opening and mark.kind not in ("end", "part", "tool"):
            return False
        if self._words[name]:
            self._words[name] -= 1
            return True
        if name == "<s>":  # within a text it is a line through words
            self._words["</s>"] += 1
            return True
        if not (mark.closer in ONLY_FIRST or self._code.is_inside() or is_talked_about(mark, before, after)):
            return False
        if mark.closer:
            self._words[mark.closer] += 1
        return True

    def _obey(self, mark: Mark, text: str, name: str) -> str:
        """Does what the mark says with which a text begins; what is to be read next."""
        kind, opening, after = mark.kind, not self._begun, text[len(name) :]
        if kind == "open":
            self._hide(re.compile(re.escape(mark.closer), re.IGNORECASE))
        elif kind == "channel":
            self._step = self._read_head
            return text
        elif kind == "close" or (kind == "part" and _goes_on(after)):
            self._close_unopened()
        elif kind == "turn" and opening:
            self._step = self._read_role
        elif kind == "tool":
            self.ended = "tools"
        elif kind in ("end", "part", "turn") and not opening:
            self.ended = "stop"
        return after

    def _close_unopened(self) -> None:
        """Reasoning ended that nothing had opened: all that was shown was reasoning."""
        if self._begun and not self._separate:
            self.taken_back = self.hidden_start = True
            self._begun, self._last, self._code = False, "", CodeTracker()
        self._separate = True

    def _hide(self, until: re.Pattern[str], *, keep: bool = False) -> None:
        """What follows is reasoning, up to one of these; `keep`: unless none of them comes."""
        self._until = until
        self._kept = [] if keep else None
        self._step = self._skip_reasoning

    def _leave_reasoning(self, name: str, rest: str) -> str:
        """The end of reasoning; what is to be read next."""
        self.hidden_start = self.hidden_start or (self._kept is not None and self._until is _ANY_CLOSER)
        self._kept, self._separate, self._step = None, True, self._read_text
        if name in (START, "<|channel|>"):
            return rest
        if name == "<|call|>":
            self.ended = "tools"
        return rest[len(name) :]

    def _keep(self, text: str, hold_from: int) -> None:
        """Holds the end of hidden text; the rest is dropped unless it may turn out to be the answer."""
        self._held = text[hold_from:]
        if self._kept is not None:
            self._kept.append(text[:hold_from])

    def _show(self, text: str) -> str:
        self._begun = self._begun or bool(text.strip())
        self._last = text or self._last
        return text


def _goes_on(after: str) -> bool:
    """Whether another gpt-oss message follows."""
    return after.lstrip()[: len(START)].lower() == START


def _needs_more(mark: Mark, after: str) -> bool:
    """Whether what a mark means depends on text that is still to come."""
    follows = after.lstrip().lower()
    if mark.kind == "part" and START.startswith(follows[: len(START)]) and len(follows) < len(START):
        return True
    return not follows and len(after) < _WAIT_LIMIT
