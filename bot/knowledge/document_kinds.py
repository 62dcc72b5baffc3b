"""Kinds of documents as people name them in a question, "our contracts", and which documents are of a kind.

What a title says decides; of files named by their format ("all PDFs") the format, of notes and threads where
they come from. Words are compared without the marks over their letters.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass, field
from functools import cache

_LEAST_STEM = 5  # letters that are looked for within a word, as in "Mietvertrag"; a shorter one is the word
_WORD = re.compile(r"[^\W\d_]+")


@dataclass(frozen=True, slots=True)
class DocumentKind:
    """A kind of documents. `stems`: what words for it begin or, in compounds, end with, in six languages;
    `any`: the word means every document."""

    stems: tuple[str, ...]
    formats: Collection[str] = field(default=())
    sources: Collection[str] = field(default=())
    any: bool = False


KINDS = (
    DocumentKind(
        ("document", "dokument", "documento", "file", "datei", "unterlage", "fichier", "archivo", "bestand"),
        any=True,
    ),
    DocumentKind(
        ("contract", "agreement", "vertrag", "vertrage", "contrat", "contrato", "contratt", "overeenkomst")
    ),
    DocumentKind(("invoice", "rechnung", "factur", "factura", "fattur")),
    DocumentKind(("policy", "policies", "richtlinie", "politique", "politica", "beleid", "guideline")),
    DocumentKind(("report", "bericht", "rapport", "informe", "relazion", "verslag")),
    DocumentKind(("protokoll", "minutes", "acta", "verbali", "notulen")),
    DocumentKind(("manual", "handbook", "handbuch", "anleitung", "manuel", "handleiding")),
    DocumentKind(("offer", "quotation", "proposal", "angebot", "offre", "devis", "oferta", "offert")),
    DocumentKind(("lease", "mietvertrag", "bail", "baux")),
    DocumentKind(("specification", "spezifikation", "lastenheft", "pflichtenheft", "especificacion")),
    DocumentKind(("certificate", "zertifikat", "certificat", "certificad")),
    DocumentKind(("presentation", "prasentation", "slide", "folie", "presentacion"), formats=("pptx",)),
    DocumentKind(("spreadsheet", "tabelle", "tableur", "hoja"), formats=("xlsx", "csv", "ods", "xls")),
    DocumentKind(("pdf", "pdfs"), formats=("pdf",)),
    DocumentKind(("nda", "ndas")),
    DocumentKind(("note", "notes", "notiz", "nota", "notas"), sources=("note",)),
    DocumentKind(("thread",), sources=("thread",)),
)


def fold(text: str) -> str:
    """Small letters, without marks over them."""
    parts = unicodedata.normalize("NFKD", text.casefold())
    return "".join(letter for letter in parts if not unicodedata.combining(letter))


def find_kind(word: str) -> DocumentKind | None:
    """The kind that a word of a question names; None where it names none that is known."""
    return next((kind for kind in KINDS if any(_is_named(stem, fold(word)) for stem in kind.stems)), None)


def is_of_kind(word: str, *, title: str, kind: str, source: str) -> bool:
    """Whether a document is of the kind that a word names. `kind`: its format."""
    known = find_kind(word)
    if known and (known.any or kind in known.formats or source in known.sources):
        return True
    stems = known.stems if known else (stem_of(word),)
    return any(_is_named(stem, one) for stem in stems for one in _WORD.findall(fold(title)))


@cache
def stem_of(word: str) -> str:
    """What is left of a word that is not known, without the ending of more than one."""
    plain = fold(word)
    return re.sub(r"(?<=\w{4})(?:ies|es|s|en|e|n)$", "", plain)


def _is_named(stem: str, word: str) -> bool:
    if len(stem) < _LEAST_STEM:
        return word in (stem, f"{stem}s", f"{stem}n", f"{stem}en", f"{stem}e")
    at = word.find(stem)
    return at >= 0 and len(word) - at - len(stem) <= 3  # "contracts", "Mietverträgen"
