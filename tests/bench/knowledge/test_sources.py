"""The questions of the bench are what they say: answered where they say, or in no word of it."""

from __future__ import annotations

import re
import sqlite3
from pathlib import Path

import pytest

from bot.ml.stemming import COMMON, NEGATIONS
from bot.sandbox.documents.text_pages import read_pages
from tests.bench.knowledge.sources import (
    COMPANY,
    DOCUMENTS,
    LANGUAGE_FOLDER,
    LANGUAGES,
    SECOND,
    PageQuestion,
    find_evidence,
    pages_of_document,
    read_near_misses,
    read_questions,
    text_of_document,
    write_documents,
)

EMPTY = COMMON | NEGATIONS | {"m", "much", "many", "somebody", "nobody", "too", "one"}


def section_of(question: PageQuestion, folder: Path) -> str:
    """What stands under the same headings on the question's page."""
    page = pages_of_document(question.document, folder)[question.page - 1]
    top = page.partition("\n## ")[0] if "\n## " in page else ""
    parts = [f"## {part}" for part in page.split("\n## ")[1:]] or [page]
    parts = [part for part in [top, *parts] if find_evidence(part, question.evidence)]
    title = page.strip().splitlines()[0]
    return f"{title}\n{parts[0]}"


def shared_stems(question: str, passage: str) -> set[str]:
    """Words of a question that the index's own stemmer takes for a word of the passage."""
    database = sqlite3.connect(":memory:")
    database.execute("create virtual table passages using fts5(text, tokenize='porter unicode61')")
    database.execute("insert into passages values (?)", (passage,))
    words = {word for word in re.findall(r"\w+", question.lower()) if word not in EMPTY}
    return {w for w in words if database.execute("select 1 from passages(?)", (f'"{w}"',)).fetchall()}


def test_there_are_sixty_pages_in_six_formats() -> None:
    assert sum(len(read_pages(text_of_document(name))) for name in DOCUMENTS) >= 60
    assert len({name.rpartition(".")[2] for name in DOCUMENTS}) >= 6


def test_half_of_the_questions_are_asked_in_other_words() -> None:
    questions = read_questions()
    other = [question for question in questions if question.in_other_words]
    assert len(questions) >= 60
    assert 2 * len(other) >= len(questions) - 2
    assert len(read_near_misses()) >= 60


def stands_on_its_page(question: PageQuestion, folder: Path) -> bool:
    page = pages_of_document(question.document, folder)[question.page - 1]
    rows = " ".join(page.replace("|", " ").replace(",", " , ").split())
    return bool(find_evidence(rows, [" ".join(p.replace(",", " , ").split()) for p in question.evidence]))


def test_the_answers_stand_on_the_pages_that_the_questions_name() -> None:
    assert [q for q in read_questions() if not stands_on_its_page(q, COMPANY)] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_in_each_language_fifty_questions_are_answered_where_they_say(language: str) -> None:
    folder = LANGUAGE_FOLDER / language
    questions = read_questions(folder)
    assert len(questions) == 50
    assert {question.document for question in questions} == set(LANGUAGES[language])
    assert [question for question in questions if not stands_on_its_page(question, folder)] == []


@pytest.mark.parametrize("folder", [COMPANY, SECOND], ids=["company", "second"])
def test_questions_in_other_words_have_none_of_the_passage(folder: Path) -> None:
    for question in read_questions(folder):
        shared = shared_stems(question.text, section_of(question, folder))
        assert bool(shared) != question.in_other_words, f"{question.text} {shared}"


def test_the_second_company_is_asked_forty_questions_in_other_words() -> None:
    questions = read_questions(SECOND)
    assert sum(question.in_other_words for question in questions) == 40
    assert [question for question in questions if not stands_on_its_page(question, SECOND)] == []


def test_the_files_are_of_the_type_that_their_name_says(tmp_path: Path) -> None:
    for language, names in LANGUAGES.items():
        write_documents(tmp_path, names, LANGUAGE_FOLDER / language)
    starts = {"pdf": b"%PDF-", "docx": b"PK", "pptx": b"PK", "xlsx": b"PK", "html": b"<!doctype", "md": b"# "}
    for path in write_documents(tmp_path):
        assert path.read_bytes().startswith(starts.get(path.suffix[1:], b"supplier,")), path.name
