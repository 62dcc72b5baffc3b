"""How it is told what each document says: one line each with its place, who says nothing, who could not be
read."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from decimal import Decimal

from bot.core.errors import BotError
from bot.core.values import Completion, Source, Usage
from bot.costs.amounts import dollars
from bot.knowledge import answering
from bot.knowledge.across_values import ChosenDocuments, DocumentLine, title_of
from bot.knowledge.document_question import DocumentAnswer, LookedAt, Search
from bot.knowledge.passages import Passage
from bot.knowledge.quotes import REFUSAL, Refused, find_span
from storage.knowledge.documents import Document

MOST_NAMED = 20  # documents named in one line
MOST_QUOTED = 25  # sources told with their quotes, which take much room
CALLED_SO = " that are called so by their titles"
OFFER = "That goes through {documents}{narrowed}, in {requests} to the model{cost}. Shall I?"
LEADS = "I went through {documents}{narrowed}. {says}:"
SILENT = "Nothing about this in {documents}: {names}."
UNCLEAR = "Not told, for no quote proved what the model said of {documents}: {names}."
UNREAD = "Could not be read, or not yet: {names}."
PARTS = "Parts could not be read of: {names}."
ENDED = "I did not come to {documents}: {names}. {notice}"
_MARKUP = re.compile(r"[*_~`\[\]<>|\\#]")


def offer(chosen: ChosenDocuments, requests: int, usd: Decimal | None, *, button: str) -> DocumentAnswer:
    """What going through all of them would take, with a button that says so."""
    text = OFFER.format(
        documents=_count(len(chosen.documents), "document"),
        narrowed=CALLED_SO if chosen.narrowed else "",
        requests=_count(requests, "request"),
        cost=f", for about {dollars(usd)}" if usd else "",
    )
    nothing = Completion(text, "stop", "", Usage(requests=0))
    return DocumentAnswer(nothing, follow_ups=(button,), search=Search(refused="not yet"))


def write(
    chosen: ChosenDocuments,
    lines: Sequence[DocumentLine],
    spent: Sequence[Completion],
    ended: BotError | None,
) -> DocumentAnswer:
    """The answer; the refusal where no document says anything."""
    said = [line for line in lines if line.outcome == "says"]
    if not said:
        return _refuse(lines, spent)
    told, sources = list[str](), list[Source]()
    for line in said:
        own = list(_list_sources(line, first=len(sources) + 1))
        told.append(_write_line(line, own))
        sources += own
    text = "\n\n".join([_lead(chosen, said), "\n".join(told), *_write_rest(chosen, lines, ended)])
    if len(sources) > MOST_QUOTED:
        sources = [replace(source, quote="") for source in sources]
    looked_at = tuple(one for line in said for one in _list_looked_at(line))
    search = Search(passages=looked_at)
    return DocumentAnswer(_sum_up(text, spent), tuple(sources), search=search)


def _refuse(lines: Sequence[DocumentLine], spent: Sequence[Completion]) -> DocumentAnswer:
    hits = [line.asked.hits[0] for line in lines]
    nearest = max(hits, key=lambda hit: hit.coverage)
    unclear = any(line.outcome == "unclear" for line in lines)
    asked: Refused = "not supported" if unclear else "nothing found"
    search = Search(
        passages=(LookedAt(nearest.passage.document, nearest.passage.chunk, nearest.word_rank),),
        refused=asked if spent else "not asked",
    )
    return DocumentAnswer(
        _sum_up(REFUSAL, spent),
        nearest=answering.write_origin(nearest.passage),
        nearest_document=nearest.passage.document,
        refused=True,
        search=search,
    )


def _lead(chosen: ChosenDocuments, said: Sequence[DocumentLine]) -> str:
    return LEADS.format(
        documents=_count(len(chosen.documents), "document"),
        narrowed=CALLED_SO if chosen.narrowed else "",
        says="One says something about this" if len(said) == 1 else f"{len(said)} say something about this",
    )


def _write_line(line: DocumentLine, sources: Sequence[Source]) -> str:
    places = ", ".join(dict.fromkeys(filter(None, (source.place for source in sources))))
    marks = "".join(f"[{source.number}]" for source in sources)
    where = ", ".join(filter(None, (_name(line.asked.document), places)))
    return f"- {where}: {line.text} {marks}"


def _write_rest(
    chosen: ChosenDocuments, lines: Sequence[DocumentLine], ended: BotError | None
) -> Iterator[str]:
    """What is to be known of the others, a paragraph each."""
    silent, unclear, left = (
        [line.asked.document for line in lines if line.outcome == outcome]
        for outcome in ("silent", "unclear", "open")
    )
    if silent:
        yield SILENT.format(documents=_count(len(silent), "document"), names=_list(silent))
    if unclear:
        yield UNCLEAR.format(documents=_count(len(unclear), "document"), names=_list(unclear))
    if chosen.unread:
        yield UNREAD.format(names=_list(chosen.unread))
    if partly := [one for one in chosen.documents if one.skipped_pages]:
        yield PARTS.format(names=_list(partly))
    if ended is not None:
        notice = ended.notice
        yield ENDED.format(documents=_count(len(left), "document"), names=_list(left), notice=notice)


def _list_sources(line: DocumentLine, *, first: int) -> Iterator[Source]:
    """One source for each place that is quoted."""
    passages = line.asked.passages
    places = dict.fromkeys(_place(passages[quote.passage]) for quote in line.quotes)
    for number, place in enumerate(places, first):
        quotes = [quote for quote in line.quotes if _place(passages[quote.passage]) == place]
        passage = passages[quotes[0].passage]
        words = " … ".join(dict.fromkeys(quote.text for quote in quotes))
        yield Source(number, passage.title, place, passage.link, words)


def _place(passage: Passage) -> str:
    return passage.place or passage.heading


def _list_looked_at(line: DocumentLine) -> Iterator[LookedAt]:
    for at, hit in enumerate(line.asked.hits):
        quotes = [quote.text for quote in line.quotes if quote.passage == at]
        spans = tuple(find_span(quote, hit.passage.text) for quote in quotes)
        if spans:
            passage = hit.passage
            yield LookedAt(passage.document, passage.chunk, hit.word_rank, hit.vector_rank, quoted=spans)


def _list(documents: Sequence[Document]) -> str:
    names = [_name(one) for one in documents[:MOST_NAMED]]
    more = len(documents) - len(names)
    return "; ".join(names) + (f" and {more} more" if more else "")


def _name(document: Document) -> str:
    """A title, as it is written: nothing in it is read as markup."""
    title = title_of(document)
    if not _MARKUP.search(title):
        return f"**{title}**"
    code = title.replace("`", "'")
    return f"`{code}`"


def _count(number: int, what: str) -> str:
    return f"one {what}" if number == 1 else f"{number:,} {what}s"


def _sum_up(text: str, spent: Sequence[Completion]) -> Completion:
    """All requests as one, with what they took together."""
    costs = [one.cost_usd for one in spent]
    known = [cost for cost in costs if cost is not None]
    usage = Usage(
        input_tokens=sum(one.usage.input_tokens for one in spent),
        cached_tokens=sum(one.usage.cached_tokens for one in spent),
        output_tokens=sum(one.usage.output_tokens for one in spent),
        requests=sum(one.usage.requests for one in spent),
        estimated=any(one.usage.estimated for one in spent),
    )
    model = spent[-1].model if spent else ""
    cost = sum(known, Decimal(0)) if len(known) == len(costs) else None
    return Completion(text, "stop", model, usage, cost)
