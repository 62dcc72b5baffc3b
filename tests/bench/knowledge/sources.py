"""The documents of the bench, made from the texts beside it, and the questions with where each is answered.

Texts are kept, files are made when they are measured: the repository holds what one can read. `<!-- page -->`
begins the next page, slide or sheet.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import openpyxl

from bot.sandbox.documents.office_files import write_docx, write_pptx
from bot.sandbox.documents.pdf_file import write_pdf
from bot.sandbox.documents.text_pages import PAGE_BREAK, TextBlock, read_pages

HERE = Path(__file__).parent
COMPANY, SECOND, LANGUAGE_FOLDER = HERE / "company", HERE / "second", HERE / "languages"
DOCUMENTS = (
    "staff_guide.pdf",
    "rain_gauge_manual.pdf",
    "service_contracts.docx",
    "security_policy.docx",
    "plan_2026.pptx",
    "skua_launch.pptx",
    "price_list.xlsx",
    "renting_faq.html",
    "returns_page.html",
    "first_week.md",
    "portal_runbook.md",
    "suppliers.csv",
)
SECOND_DOCUMENTS = (
    "crew_handbook.pdf",
    "passenger_terms.docx",
    "galley_rules.md",
    "terminal_briefing.pptx",
    "office_answers.html",
)
LANGUAGES = {
    "de": ("hausordnung.pdf", "mieterhandbuch.docx"),
    "zh": ("yuangong_shouce.docx", "chanpin_fuwu.pptx"),
    "ja": ("riyou_annai.docx", "shain_techou.md"),
}
GAP = "…"  # between what stands in its order in one passage


@dataclass(frozen=True, slots=True)
class PageQuestion:
    """A question and where its answer stands: all parts of `evidence` in their order on one page."""

    kind: str
    document: str
    page: int
    evidence: tuple[str, ...]
    text: str
    answer: str

    @property
    def in_other_words(self) -> bool:
        return self.kind == "other words"


@dataclass(frozen=True, slots=True)
class NearMiss:
    """A question that `document` comes near to and does not answer."""

    document: str
    text: str


@dataclass(frozen=True, slots=True)
class FollowUp:
    """A message that goes on from an answer, and the question that it is. `answered_by` says where."""

    before: str
    said: str
    text: str
    whole: str
    answered_by: PageQuestion


def read_follow_ups() -> list[FollowUp]:
    """Those about the first company."""
    return [
        FollowUp(
            before, said, text, whole, PageQuestion("", document, int(page), _parts(evidence), whole, "")
        )
        for before, said, text, whole, document, page, evidence in _rows(HERE / "follow_ups.txt")
    ]


def read_questions(folder: Path = COMPANY) -> list[PageQuestion]:
    return [
        PageQuestion(kind, document, int(page), _parts(evidence), text, answer)
        for kind, document, page, evidence, text, answer in _rows(folder / "questions.txt")
    ]


def read_near_misses(folder: Path = COMPANY) -> list[NearMiss]:
    return [NearMiss(document, text) for document, text in _rows(folder / "unanswerable.txt")]


def _rows(path: Path) -> Iterator[list[str]]:
    for line in path.read_text("utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            yield [part.strip() for part in line.split("||")]


def _parts(evidence: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in evidence.split(GAP))


def text_of_document(name: str, folder: Path = COMPANY) -> str:
    """The text a document is made from: a table as it is, else Markdown."""
    path = folder / name
    return (path if path.suffix == ".csv" else path.with_suffix(".md")).read_text("utf-8")


def pages_of_document(name: str, folder: Path = COMPANY) -> list[str]:
    return text_of_document(name, folder).split(PAGE_BREAK)


def title_of(text: str) -> str:
    return next(line.lstrip("# ") for line in text.splitlines() if line.startswith("# "))


def write_documents(into: Path, names: Sequence[str] = DOCUMENTS, folder: Path = COMPANY) -> list[Path]:
    """The files as people would share them."""
    paths = []
    for name in names:
        path = into / name
        path.write_bytes(make_document(name, text_of_document(name, folder)))
        paths.append(path)
    return paths


def make_document(name: str, text: str) -> bytes:
    pages = read_pages(text)
    match name.rpartition(".")[2]:
        case "pdf":
            return write_pdf(pages, title=title_of(text))
        case "docx":
            return write_docx(pages, title=title_of(text))
        case "pptx":
            return write_pptx(pages, title=title_of(text))
        case "xlsx":
            return _workbook(pages)
        case "html":
            return _web_page(pages[0], title_of(text)).encode()
        case _:
            return text.replace(f"{PAGE_BREAK}\n", "").encode()


def _workbook(sheets: Sequence[Sequence[TextBlock]]) -> bytes:
    book = openpyxl.Workbook()
    book.remove(book.worksheets[0])
    for blocks in sheets:
        sheet = book.create_sheet(next(block.text for block in blocks if block.kind == "h1"))
        for row in next(block.rows for block in blocks if block.kind == "table"):
            sheet.append([_cell(text) for text in row])
    packed = io.BytesIO()
    book.save(packed)
    return packed.getvalue()


def _cell(text: str) -> str | int | float:
    if re.fullmatch(r"\d+", text):
        return int(text)
    return float(text) if re.fullmatch(r"\d+\.\d+", text) else text


def _web_page(blocks: Sequence[TextBlock], title: str) -> str:
    """With what stands around the text of a page: a menu, a script, a foot."""
    tags = {"h1": "h1", "h2": "h2", "text": "p", "point": "li"}
    body = "\n".join(f"<{tags[b.kind]}>{html.escape(b.text)}</{tags[b.kind]}>" for b in blocks)
    return (
        f"<!doctype html><html lang=en><head><meta charset=utf-8><title>{html.escape(title)}</title>"
        "<style>body { color: #222 }</style><script>track('visit')</script></head><body>"
        "<nav><a href=/>Home</a> <a href=/shop>Shop</a> <a href=/about>About us</a></nav>"
        f"<main>{body}</main><footer>Imprint · Privacy</footer></body></html>"
    )


def find_evidence(text: str, evidence: Sequence[str], *, within: int = 400) -> str:
    """The shortest stretch of a text in which all parts stand in their order; "" without one."""
    plain = " ".join(text.split())
    between = f".{{0,{within}}}?"
    pattern = re.compile(rf"(?=({between.join(re.escape(part) for part in evidence)}))", re.IGNORECASE)
    return min((found[1] for found in pattern.finditer(plain)), key=len, default="")
