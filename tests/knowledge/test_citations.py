"""Which statement stands where, and where documents contradict each other."""

from __future__ import annotations

import pytest

from bot.knowledge.citations import cite
from bot.knowledge.disagreements import find_disagreement
from bot.knowledge.gate import Candidate, judge
from bot.knowledge.index import Passage
from bot.knowledge.quotes import Quote
from bot.knowledge.vector_forms import FORMS
from bot.provider.embeddings import LOCAL

HOTELS, RECEIPTS = "Hotels cost up to 120 euros a night.", "Receipts go to Carol within a month."


def passage(text: str, document: str = "travel", *, place: str = "page 3", added_at: float = 0.0) -> Passage:
    link = f"https://docs.example/{document}"
    return Passage(document, document.title(), link, "pdf", added_at, 1, "", 3, place, text, "channel")


PASSAGES = [passage(f"{HOTELS} Take the train."), passage(RECEIPTS, "desk", place="slide 1")]
QUOTES = [Quote(0, HOTELS), Quote(1, RECEIPTS)]


@pytest.mark.parametrize(
    ("answer", "marked"),
    [
        (
            "Up to 120 euros a night. Give receipts to Carol.",
            "Up to 120 euros a night. [1] Give receipts to Carol. [2]",
        ),
        ("Give receipts to Carol. Pay 120 euros.", "Give receipts to Carol. [1] Pay 120 euros. [2]"),
        (
            "It is:\n- 120 euros [1]\n- receipts to Carol [2]\n",
            "It is:\n- 120 euros [1]\n- receipts to Carol [2]\n",
        ),
        ("Receipts go to Carol within a month:\n", "Receipts go to Carol within a month: [1]\n"),
        ("120 euros a night [7].", "120 euros a night. [1]"),
        ("一泊120ユーロまでです。", "一泊120ユーロまでです。[1]"),
    ],
)
def test_each_statement_has_the_source_that_says_it(answer: str, marked: str) -> None:
    text, sources = cite(answer, QUOTES, PASSAGES)
    assert text == marked
    assert [source.number for source in sources] == list(range(1, len(sources) + 1))


def test_a_source_names_document_place_link_and_quote() -> None:
    _, (source,) = cite("Carol.", QUOTES[1:], PASSAGES)
    assert (source.title, source.place, source.link, source.quote) == (
        "Desk",
        "slide 1",
        "https://docs.example/desk",
        RECEIPTS,
    )


def test_what_is_said_of_ourselves_has_no_source() -> None:
    assert cite("I am a bot [1].", [Quote(2, "I am a bot, a computer program")], PASSAGES) == (
        "I am a bot.",
        (),
    )


def test_another_document_that_says_the_same_of_another_number_is_named_newest_first() -> None:
    older = passage("Hotels cost up to 90 euros a night.", "rules", added_at=86_400.0)
    newer = passage("Hotels cost up to 150 euros a night.", "news", added_at=864_000.0)
    notes = find_disagreement(QUOTES[:1], [PASSAGES[0], older, newer, PASSAGES[1]])
    assert [note.partition(" (")[0] for note in notes] == ["News, page 3", "Rules, page 3"]
    assert "150 euros" in notes[0]
    assert not find_disagreement(QUOTES[:1], [PASSAGES[0], passage(HOTELS, "copy"), PASSAGES[1]])


def test_nothing_is_sure_to_be_unanswered_but_what_has_no_words_and_no_meaning_in_common() -> None:
    def sure(question: str, nearness: float | None) -> bool:
        return judge([question], [Candidate(HOTELS, nearness)]).nothing

    assert sure("Who won the cricket match?", 0.1)
    assert not sure("Who won the cricket match?", 0.5)
    assert not sure("Who won the cricket match?", None)
    assert not sure("What do hotels cost a night?", 0.1)
    assert not judge(["Who won the cricket match?"], []).nothing


@pytest.mark.parametrize("name", LOCAL.values())
def test_an_answer_in_other_words_is_likelier_the_nearer_it_is_by_the_vectors_of_a_local_model(
    name: str,
) -> None:
    question, kept_under = "How much may a room for the night be?", name + FORMS[name].mark

    def likelihood(nearness: float | None, embedder: str = kept_under, nearer: float = 0.0) -> float:
        beside = Candidate(RECEIPTS, nearer, embedder)
        return judge([question], [Candidate(HOTELS, nearness, embedder), beside]).probabilities[0]

    by_words = likelihood(None, "")
    assert likelihood(0.8) > likelihood(0.1)
    assert likelihood(0.5, nearer=0.4) > likelihood(0.5, nearer=0.9), "another one is nearer"
    assert (
        likelihood(0.8, "an embedder of tomorrow") == likelihood(0.1, "an embedder of tomorrow") == by_words
    )
