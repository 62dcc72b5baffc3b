"""Whether a document is of the kind that a form is about: its name, or that of it in another language."""

from __future__ import annotations

import re

from bot.fields.pieces import DocumentPiece
from bot.fields.values import FieldForm

FIRST_CHARACTERS = 3_000  # a document says what it is where it begins
_SAME = (
    {"invoice", "invoices", "bill", "rechnung", "rechnungen", "facture", "factura", "fattura", "factuur"},
    {"contract", "contracts", "agreement", "vertrag", "verträge", "vereinbarung", "contrat", "contrato"},
    {"order", "orders", "purchase order", "bestellung", "auftrag", "commande", "pedido", "ordine"},
    {"offer", "offers", "quote", "quotation", "angebot", "kostenvoranschlag", "devis", "offerta"},
    {"receipt", "receipts", "quittung", "beleg", "kassenbon", "reçu", "recibo", "ricevuta"},
    {"delivery note", "lieferschein", "bon de livraison", "albarán"},
    {"cv", "résumé", "resume", "curriculum vitae", "lebenslauf", "application", "bewerbung"},
)


def is_of_kind(form: FieldForm, title: str, piece: DocumentPiece) -> bool:
    """By the words with which a document begins: the kind's name, alone or as the beginning of a label."""
    name = form.name.casefold().strip()
    names = next((group for group in _SAME if name in group), {name, name.rstrip("s")})
    text = f"{title}\n{piece.text[:FIRST_CHARACTERS]}".casefold()
    return any(re.search(rf"(?<!\w){re.escape(one)}", text) for one in names)
