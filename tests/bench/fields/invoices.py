"""Invoices made by code: three layouts, two languages, PDF and DOCX; one in four has a trap.

What each says is known, and what cannot be told from it: of two totals which one holds, a day that is not
there, a sum that its items do not make.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Literal

from bot.documents.chunks import cut_into_chunks
from bot.documents.values import DocumentText
from bot.fields.forms import parse
from bot.fields.pieces import DocumentPiece, divide, gather_pages
from storage.knowledge.chunks import ChunkRow
from tests.support.office_files import docx, paragraph, pdf, put, read_here

Layout = Literal["letter", "columns", "tables"]
Trap = Literal["", "two totals", "no date", "wrong sum"]
LAYOUTS: Sequence[Layout] = ("letter", "columns", "tables")
TRAPS: Sequence[Trap] = ("two totals", "no date", "wrong sum")
FORM = parse("invoice: number, date, supplier, total with currency")
SUPPLIERS = ("Skua Cables Ltd", "Rheinbau GmbH", "Fenwick & Daughters Ltd", "Hafenlicht AG", "Tern Paper LLC")
CUSTOMERS = ("Moorland Weather Ltd", "Brockenblick GmbH")
GOODS = {
    "en": ("Rain gauge", "Mast, 3 m", "Cable 10 m", "Calibration", "Solar panel"),
    "de": ("Regenmesser", "Mast, 3 m", "Kabel 10 m", "Kalibrierung", "Solarmodul"),
}
WORDS = {
    "en": {
        "kind": "Invoice",
        "number": "Invoice number",
        "date": "Invoice date",
        "due": "Due date",
        "to": "Bill to",
        "head": "Item|Quantity|Unit price|Amount",
        "net": "Net amount",
        "tax": "VAT 20%",
        "total": "Total",
        "again": "Amount due",
    },
    "de": {
        "kind": "Rechnung",
        "number": "Rechnungsnummer",
        "date": "Rechnungsdatum",
        "due": "Fällig am",
        "to": "Rechnung an",
        "head": "Artikel|Menge|Einzelpreis|Betrag",
        "net": "Nettobetrag",
        "tax": "MwSt 19%",
        "total": "Gesamtbetrag",
        "again": "Zu zahlen",
    },
}
MONTHS = ("Januar", "Februar", "März", "April", "Mai", "Juni", "Juli", "August", "September", "Oktober")


@dataclass(frozen=True)
class MadeInvoice:
    """`truth`: what each field means, "" where the document does not tell; `written`: as it stands there,
    beside which label."""

    language: str
    layout: Layout
    trap: Trap
    truth: Mapping[str, str]
    written: Mapping[str, str]
    labels: Mapping[str, str]
    lines: tuple[tuple[str, ...], ...] = field(repr=False, default=())
    items: tuple[tuple[str, ...], ...] = field(repr=False, default=())
    totals: tuple[tuple[str, str], ...] = field(repr=False, default=())

    @property
    def marked(self) -> str:
        """The field that has to be marked; "" in an honest one."""
        return {"": "", "two totals": "total", "no date": "date", "wrong sum": "total"}[self.trap]

    def read(self) -> DocumentText:
        """As the reader of documents finds it."""
        if self.layout == "tables":
            return read_here(docx(_write_word(self)), "invoice.docx")
        return read_here(pdf([_draw(self)]), "invoice.pdf")

    def piece(self) -> DocumentPiece:
        (piece,) = divide(gather_pages(rows_of(self.read())))
        return piece


def rows_of(text: DocumentText) -> list[ChunkRow]:
    """A document as it is kept."""
    return [
        ChunkRow(one.number, one.heading, one.page, one.place, one.start, one.end, one.text, "")
        for one in cut_into_chunks(text)
    ]


def make_invoices(number: int, seed: int = 17) -> Iterator[MadeInvoice]:
    """So many invoices; every fourth has a trap, which each layout and language has in turn."""
    chance = random.Random(seed)
    for at in range(number):
        trap: Trap = TRAPS[at // 4 % 3] if at % 4 == 3 else ""
        yield make_invoice(at, ("en", "de")[at // 3 % 2], LAYOUTS[at % 3], trap, chance=chance)


def make_invoice(at: int, language: str, layout: Layout, trap: Trap, *, chance: random.Random) -> MadeInvoice:
    """One invoice."""
    words, supplier = WORDS[language], SUPPLIERS[at % len(SUPPLIERS)]
    issued = date(2026, 1, 1) + timedelta(days=chance.randrange(280))
    currency = "EUR" if language == "de" else ("GBP", "EUR", "USD")[at % 3]
    bought = [
        (goods, chance.randrange(1, 12), Decimal(chance.randrange(500, 90_000)) / 100)
        for goods in chance.sample(GOODS[language], 3)
    ]
    net = sum((count * price for _, count, price in bought), Decimal(0))
    said_net = net + (Decimal("90.00") if trap == "wrong sum" else 0)
    tax = (said_net * Decimal("0.2" if language == "en" else "0.19")).quantize(Decimal("0.01"))
    total = said_net + tax
    money = [_write_money(amount, currency, language) for amount in (said_net, tax, total)]
    number = f"{'INV' if language == 'en' else 'RE'}-2026-{1000 + at * 7}"
    written = {
        "number": number,
        "date": _write_day(issued, language, at),
        "supplier": supplier,
        "total": money[2],
        "net": money[0],
        "due": _write_day(issued + timedelta(days=30), language, at),
        "customer": CUSTOMERS[at % 2],
    }
    totals = [(words["net"], money[0]), (words["tax"], money[1]), (words["total"], money[2])]
    if trap == "two totals":
        totals.append((words["again"], _write_money(total + Decimal("12.00"), currency, language)))
    named = [("number", number), ("date", written["date"]), ("due", written["due"])]
    return MadeInvoice(
        language,
        layout,
        trap,
        {"number": number, "date": issued.isoformat(), "supplier": supplier, "total": f"{currency} {total}"},
        written,
        words,
        tuple((words[name], text) for name, text in named if not (trap == "no date" and name == "date")),
        tuple(
            (goods, str(count), _write_number(price, language), _write_number(count * price, language))
            for goods, count, price in bought
        ),
        tuple(totals),
    )


def _write_number(amount: Decimal, language: str) -> str:
    text = f"{amount:,.2f}"
    return text.translate(str.maketrans(",.", ".,")) if language == "de" else text


def _write_money(amount: Decimal, currency: str, language: str) -> str:
    number = _write_number(amount, language)
    sign = {"EUR": "€", "GBP": "£", "USD": "USD"}[currency]
    if language == "de":
        return f"{number} €"
    return f"{sign} {number}" if currency == "USD" else f"{sign}{number}"


def _write_day(day: date, language: str, at: int) -> str:
    if language == "de":
        return f"{day:%d.%m.%Y}" if at % 2 else f"{day.day}. {MONTHS[day.month - 1]} {day.year}"
    return f"{day:%Y-%m-%d}" if at % 2 else f"{day.day} {day:%B %Y}"


def _write_word(made: MadeInvoice) -> str:
    def table(rows: Sequence[Sequence[str]]) -> str:
        cells = ("".join(f"<w:tc>{paragraph(cell)}</w:tc>" for cell in row) for row in rows)
        return "<w:tbl>" + "".join(f"<w:tr>{row}</w:tr>" for row in cells) + "</w:tbl>"

    plain = (made.written["supplier"].replace("&", "&amp;"), "Harbour Road 7", made.labels["kind"])
    address = (f"{made.labels['to']}:", made.written["customer"])
    items = [made.labels["head"].split("|"), *made.items]
    return (
        "".join(map(paragraph, (*plain, *address)))
        + table(made.lines)
        + paragraph(made.labels["kind"])
        + table(items)
        + table(made.totals)
    )


def _draw(made: MadeInvoice) -> bytes:
    drawn = [put(made.written["supplier"], 50, 700), put("Harbour Road 7", 50, 685)]
    drawn += [put(made.labels["kind"], 50, 650, 16)]
    drawn += [put(f"{made.labels['to']}:", 350, 640), put(made.written["customer"], 350, 625)]
    if made.layout == "letter":
        for at, (label, text) in enumerate(made.lines):
            drawn.append(put(f"{label}: {text}", 50, 590 - 16 * at))
    else:
        for at, (label, text) in enumerate(made.lines):
            drawn += [put(label, 50 + 170 * at, 590), put(text, 50 + 170 * at, 572)]
    for at, row in enumerate([made.labels["head"].split("|"), *made.items]):
        drawn += [put(cell, x, 480 - 18 * at) for x, cell in zip((50, 250, 350, 460), row, strict=True)]
    for at, (label, text) in enumerate(made.totals):
        drawn += [put(label, 320, 360 - 18 * at), put(text, 460, 360 - 18 * at)]
    return b"\n".join(drawn)
