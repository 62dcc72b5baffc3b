"""What a label says of what stands beside it: "Gesamtbetrag" and "amount due" both name a total.

A small list of words in several languages. A label that is in none of them has no role, and then only the
words of a field itself tell what it is about.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from bot.fields.values import FieldType

# Role → what tells it, first match wins: "total excl. VAT" is a net amount, "VAT ID" is no amount.
_ROLES = r"""
account: vat id|vat no|vat reg|tax id|ust-?id|steuer-?n|tva intra|iban|bic|swift|account|konto(?:n|$)
account: org\.? ?n|(?:company|registered|registration|reg\.?) (?:no|num)
account: \bhrb\b|siret|siren|partita iva|\babn\b
other number: refers? to|in respect of|bezug auf|zu rechnung|original invoice
bill number: ^(?:tax )?invoice$|^rechnung$
bill number: invoice (?:no|num|id|#)|rechnungs-?n|rechnung n|beleg-?n|facture n|fattura n|factura n
other number: (?:order|customer|client|delivery note|item|part|project|contract|phone|tel)\.? (?:no|num|id|#)
other number: (?:kunden|bestell|auftrags|lieferschein|artikel|projekt|vertrags|telefon|fax)-?n
due: \bdue date|date due|pay(?:able)? (?:by|until|before)|\bdue (?:on|by)\b|^due$|payment due
due: zahlbar bis|fällig|échéance|scadenza|vencimiento|zahlungsziel
delivery: deliver|supplied on|service (?:date|period)|leistung|liefer|livraison|consegna|entrega
start: \bstart|begin|effective|from date|commencement|laufzeit ab|gültig ab|début|inizio|inicio
end: \bends?\b|end date|\bexpir|terminat|until|ablauf|laufzeit bis|gültig bis|\bende|\bfin\b|scad
carried: carried|brought forward|übertrag|carry|à reporter|riporto
ordered: order(?:ed)? (?:date|on)|bestelldatum|bestellt am|auftragsdatum
printed: print(?:ed)?\b|druckdatum|gedruckt|erstellt am
net: sub-?total|\bnet\b|netto|zwischensumme|excl|exkl|ohne (?:mwst|ust)|before tax|hors taxe|\bht\b
net: imponibile|sum of items|warenwert
total: gross|brutto|incl|inkl|amount due|total due|balance due|to pay|zahlbetrag|zu zahlen|rechnungsbetrag
total: endbetrag|gesamt|endsumme|\btotal|\bttc\b|totaal|importe total
tax: \bvat\b|\btax|mwst|ust\b|umsatzsteuer|mehrwertsteuer|\btva\b|\biva\b|\bbtw\b
discount: discount|rabatt|skonto|remise|sconto|descuento
shipping: shipping|freight|versand|fracht|porto
unit price: unit price|price per|einzelpreis|stückpreis|e-preis|\beach\b
customer: bill(?:ed)? to|deliver(?:ed)? to|sold to|ship to|customer|client\b|buyer|recipient
customer: kunde|empfänger|käufer
customer: auftraggeber|rechnung an|^an$
supplier: supplier|vendor|seller|issued by|^from$|lieferant|verkäufer|aussteller|rechnungssteller
supplier: absender|^von$|fournisseur|fornitore|proveedor
issued: invoice date|date of (?:issue|invoice)|issued?(?: on| date)?\b|rechnungsdatum|ausstellungsdatum
issued: belegdatum|\bdate\b|\bdatum\b|\bfecha\b|\bdata\b|\bdated\b
issued: ^vom$|, den$|(?:rechnung|gutschrift|beleg|vertrag|angebot)\b.*\bvom$
total: \bsum\b|\bsumme\b|\bbetrag\b|\bamount\b
bill number: \bnumber\b|\bno\b|\bnummer\b|\bnr\b|\bnum\b|\bid\b|reference|referenz|№|#
bill number: \bn[°º]|\bn[uú]m[eé]ro\b
"""
_FOUND = tuple(
    (role, re.compile(words)) for role, words in (line.split(": ", 1) for line in _ROLES.strip().splitlines())
)
# Roles whose values can be mistaken for each other: of one type.
FAMILIES: dict[FieldType, frozenset[str]] = {
    "money": frozenset({"net", "total", "tax", "discount", "shipping", "unit price", "carried"}),
    "date": frozenset({"issued", "due", "delivery", "start", "end", "ordered", "printed"}),
    "text": frozenset({"bill number", "other number", "account", "customer", "supplier"}),
    "number": frozenset(),
    "choice": frozenset(),
}
_NUMBERS = r"quantity|count|menge|anzahl|percent|prozent|\bhours|stunden|number of|quantité|cantidad"
_TYPES: Sequence[tuple[FieldType, str]] = (
    ("money", r"total|amount|price|sum\b|betrag|summe|preis|cost|kosten|\bfee|gebühr|montant|importe"),
    ("money", r"\bnet\b|netto|gross|brutto|\bvat\b|\btax\b|mwst|ust\b|steuer\b|currency|währung"),
    (
        "date",
        r"date|datum|\bday\b|\btag\b|deadline|fecha|\bdata\b|scadenza|vencimiento|échéance|due\b|fällig|expir|valid|start|\bend\b|beginn|ende\b",
    ),
    ("number", _NUMBERS),
)


def find_role(label: str, type: FieldType | None = None) -> str:
    """The role that a label names, "" where it names none; of a type, only what values of it can be."""
    plain = simplify(label)
    for role, words in _FOUND:
        if (type is None or role in FAMILIES[type]) and words.search(plain):
            return role
    return ""


def guess_type(name: str) -> FieldType:
    """What kind of value a field of that name has: text, unless its name says otherwise."""
    plain = simplify(name)
    if find_role(plain, "text"):
        return "number" if re.search(_NUMBERS, plain) else "text"
    return next((type for type, words in _TYPES if re.search(words, plain)), "text")


def simplify(label: str) -> str:
    """A label without what changes from document to document: "Total  due (EUR):" is "total due"."""
    plain = re.sub(r"\([^()a-z]*\)|\((?:[a-z]{3}|€|\$|£)\)|[\d%]+", " ", label.casefold())
    return " ".join(re.sub(r"[:|*_.…;=]+(?=\s|$)|[|*_…=]", " ", plain).split())
