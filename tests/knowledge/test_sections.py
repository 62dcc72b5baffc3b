"""By meaning, a chunk whose section is near to the question goes before one that is near alone."""

from __future__ import annotations

from dataclasses import replace

from bot.knowledge.sections import order_by_sections
from storage.knowledge.search import FoundChunk


def chunk(id: int, heading: str, document: str = "guide") -> FoundChunk:
    return FoundChunk(id, document, "The guide", "", "", "", 0.0, id, heading, 0, "", "", "")


def order(nearness: dict[int, float], chunks: list[FoundChunk]) -> list[int]:
    by_id = {one.id: one for one in chunks}
    headings = {(one.document, one.number): one.heading for one in chunks}
    return order_by_sections(nearness, by_id, headings=headings)


LEAVE = [chunk(n, f"Leave › {n}") for n in range(3)]
SICK = [chunk(n, f"Sick pay › {n}") for n in range(10, 13)]


def test_a_section_that_is_near_as_a_whole_goes_before_one_that_is_near_in_one_chunk() -> None:
    nearness = {10: 0.42, 0: 0.40, 1: 0.38, 2: 0.36, 11: 0.1, 12: 0.1}
    assert order(nearness, [*LEAVE, *SICK])[:4] == [0, 1, 2, 10]


def test_a_chunk_that_is_much_nearer_stays_first() -> None:
    nearness = {10: 0.9, 0: 0.40, 1: 0.38, 2: 0.36, 11: 0.1, 12: 0.1}
    assert order(nearness, [*LEAVE, *SICK])[0] == 10


def test_chunks_of_a_section_that_were_not_near_enough_to_be_looked_at_speak_against_it() -> None:
    nearness = {10: 0.42, 0: 0.40, 1: 0.38, 2: 0.36, 30: 0.1}
    assert order(nearness, [*LEAVE, *SICK, chunk(30, "Exit talk")])[0] == 0


def test_a_section_of_a_single_chunk_is_not_worse_for_that() -> None:
    assert order({20: 0.45, 0: 0.40, 1: 0.40, 2: 0.40}, [*LEAVE, chunk(20, "Exit talk")])[0] == 20


def test_the_same_heading_in_another_document_is_another_section() -> None:
    other = chunk(30, "Leave › 0", "flyer")
    assert order({30: 0.41, 0: 0.40, 1: 0.40, 2: 0.1}, [*LEAVE, other])[0] == 30


def test_a_title_above_everything_makes_no_section_of_a_whole_document() -> None:
    titled = [replace(one, heading=f"The guide › {one.heading}") for one in [*LEAVE, *SICK]]
    nearness = {10: 0.42, 0: 0.40, 1: 0.38, 2: 0.36, 11: 0.1, 12: 0.1}
    assert order(nearness, titled)[:4] == [0, 1, 2, 10]
