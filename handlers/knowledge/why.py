"""“Why this answer?”, as far as documents had a part in it: what was searched, found, quoted and decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from bot.conversation.account import AnswerRecord, RequestAccount, price
from bot.costs.amounts import dollars
from bot.knowledge.document_question import LookedAt
from handlers.slack.blocks import count
from handlers.slack.mrkdwn import escape
from storage.knowledge.looked_at import ShownChunk

LONGEST = 160  # characters of a question or a quote
MOST = 12  # passages shown
VERDICTS = {
    "": "Every quote stands where the answer says, and bears on it.",
    "form": "Refused: the model's answer was not of the form with quotes.",
    "nothing found": "Refused: the model found no answer in them.",
    "not quoted": "Refused: a quote of the model does not stand where it said.",
    "not supported": "Refused: the quotes do not say what the answer says.",
    "not asked": "Refused without asking a model: nothing comes near to the question.",
    "not yet": "Nothing was read yet: it takes much, so I asked first.",
}
ASKING = "Asking about them"
REWRITING = "Making a question of its own of the follow-up"
GONE = "a passage that is there no more"


def explain_documents(record: AnswerRecord) -> list[str]:
    """Texts for sections, in Slack's own markup; none where documents were not asked."""
    account = record.account.documents if record.account else None
    if account is None:
        return []
    search = account.search
    shown = "All of them were read." if search.whole else "Those that came nearest were read."
    lines = [f"*Documents.* {shown} {VERDICTS[search.refused]}"]
    lines += [f"Searched for: “{escape(_shorten(question))}”" for question in record.searched[:1]]
    lines += _describe_request(account.rewriting, REWRITING)
    lines += _describe_request(account.asked, ASKING)
    passages = [_describe(one, record) for one in search.passages[:MOST]]
    return ["\n".join(lines), *(["\n".join(passages)] if passages else [])]


def _describe_request(asked: RequestAccount | None, what: str) -> Iterator[str]:
    if asked is not None:
        cost = price(asked.cost_usd)
        spent = "at an unknown price" if cost is None else f"for {dollars(cost)}"
        yield (
            f"{what} took {asked.input_tokens:,} tokens read and {asked.output_tokens:,} written "
            f"by {escape(asked.model)}, {spent}, beside the answer."
        )


def _describe(one: LookedAt, record: AnswerRecord) -> str:
    """A passage: where it stands, how it was found, what of it is quoted."""
    chunk = (record.chunks or {}).get((one.document, one.chunk))
    facts = [f"number {one.word_rank} by words" if one.word_rank else ""]
    facts += [f"number {one.vector_rank} by meaning" if one.vector_rank else ""]
    facts += [f"{one.probability:.0%} likely to answer" if one.probability is not None else ""]
    found = ", ".join(filter(None, facts))
    return f"• {escape(_name(one, chunk))}{f': {found}' if found else ''}{_quote(one, chunk)}"


def _name(one: LookedAt, chunk: ShownChunk | None) -> str:
    if not one.document:
        return f"the channel's settings, passage {one.chunk + 1}"
    return ", ".join(filter(None, (chunk.title, chunk.place or chunk.heading))) if chunk else GONE


def _quote(one: LookedAt, chunk: ShownChunk | None) -> str:
    if not one.quoted:
        return ""
    if chunk is None:
        return f" ({count(len(one.quoted), 'quote')})"
    others = [(begin, end) for begin, end in one.quoted if not _is_within((begin, end), one.quoted)]
    return "".join(f" “{escape(_shorten(chunk.text[begin:end]))}”" for begin, end in others)


def _is_within(span: tuple[int, int], others: Iterable[tuple[int, int]]) -> bool:
    """Whether a longer quote holds this one, as a row of a table is quoted with its header."""
    return any(one != span and one[0] <= span[0] and span[1] <= one[1] for one in others)


def _shorten(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= LONGEST else f"{line[: LONGEST - 2]} …"
