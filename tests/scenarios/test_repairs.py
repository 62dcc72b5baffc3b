"""Refusals that repair: what the asker sees beside one, and how they hear the answer when there is one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from bot.core.errors import Missing
from bot.core.values import Reply
from bot.knowledge.adding import NewDocument
from bot.knowledge.quotes import REFUSAL
from bot.notes.new_note import NewNote
from handlers.unanswered.refusal import KNOWN, NOTED, WANTED
from storage.knowledge import answer_examples
from storage.place import Channel
from storage.unanswered import questions
from storage.unanswered.questions import OpenQuestion
from tests.support.documents import RULES, take_in
from tests.support.guarded_channel import said, why
from tests.support.spending import run_command
from tests.support.workspace import Workspace, workspace

ROOT = Path(__file__).parents[2]
PENSIONS = "# Pensions\n\nThe pension fund is Larkspur Mutual."
QUESTION = "Which pension fund do we have?"


def at(team: Workspace) -> Channel:
    return Channel(team.slack.team, team.slack.channel("#general"))


async def refused(
    team: Workspace, question: str = QUESTION, *, user: str = "bob"
) -> tuple[OpenQuestion, str]:
    """A question that got no answer, and its thread."""
    text, thread = await said(team, question, user=user)
    assert text == REFUSAL
    found = await team.bot.services.engine.read(questions.list_open, at(team))
    return found[0], thread


async def ask_again(team: Workspace, question: OpenQuestion) -> None:
    await team.bot.services.engine.write(questions.set_topic, at(team), [question.id], question.id)
    await team.bot.services.repairs.ask_again(at(team), question.id, by=team.slack.user("alice"))
    await team.quiet()


def read_company() -> list[tuple[str, str, str]]:
    """Questions that nothing in the company answers, what repairs each, what is said then."""
    told = (ROOT / "tests/unanswered/repaired_questions.txt").read_text("utf-8").splitlines()[1:]
    return [(asked, repair, says) for asked, repair, says in (line.split("||") for line in told)]


def seen_alone(team: Workspace, user: str) -> list[dict[str, Any]]:
    return team.slack.ephemerals(user)


async def test_whoever_is_refused_sees_alone_what_comes_nearest_and_says_that_it_should_be_answerable(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path, PARLEY_DOCUMENTS="only") as team:
        await take_in(team, "rules.md", RULES)
        team.model.script(json.dumps({"answer": REFUSAL, "quotes": []}), match="numbered passages")
        question, thread = await refused(team, "Where are cars parked?")
        assert "greenhouse" not in str(team.replies("#general", thread))
        (shown,) = seen_alone(team, "bob")
        assert "Bicycles are parked behind the greenhouse" in str(shown)
        assert WANTED not in str(seen_alone(team, "alice"))
        for told in (NOTED, KNOWN):
            await team.slack.press("bob", "#general", shown["ts"], WANTED)
            await team.slack.until(lambda told=told: told in str(seen_alone(team, "bob")))
        found = await team.bot.services.repairs.find(team.slack.team, question.id)
        assert found.wanted
        window = str(await why(team, "bob", thread, team.replies("#general", thread)[-1]["ts"]))
        assert "Bicycles are parked behind the greenhouse" in window


async def test_what_is_said_in_why_this_answer_too_to_be_answerable_is_answered_by_somebody_once(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path, PARLEY_DOCUMENTS="only") as team:
        question, thread = await refused(team)
        view = await why(team, "bob", thread, team.replies("#general", thread)[-1]["ts"])
        await team.slack.press("bob", "", "", WANTED, value=str(question.id), view_id=view["id"])
        await team.slack.until(lambda: NOTED in str(team.slack.modals("bob")))
        wanted = await team.bot.services.repairs.find(team.slack.team, question.id)
        assert wanted.wanted
        repairs, alice = team.bot.services.repairs, team.slack.user("alice")
        await repairs.tell(at(team), question.id, Reply("Ask Larkspur Mutual."), by=alice)
        await team.quiet()
        told = team.said("#general", thread)[1:]
        assert len(told) == 1
        assert told[0].startswith(f"<@{team.slack.user('bob')}>")
        assert told[0].endswith("Ask Larkspur Mutual.")
        with pytest.raises(Missing):
            await repairs.tell(at(team), question.id, Reply("Ask again."), by=alice)


async def test_a_question_that_is_asked_again_is_answered_once_in_its_thread_or_nobody_hears_of_it(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path, PARLEY_DOCUMENTS="only") as team:
        await take_in(team, "rules.md", RULES)
        question, thread = await refused(team)
        await ask_again(team, question)
        assert len(team.said("#general", thread)) == 1
        await take_in(team, "pensions.md", PENSIONS)
        await ask_again(team, question)
        answer = team.replies("#general", thread)[-1]
        assert f"<@{team.slack.user('bob')}>" in answer["text"]
        assert QUESTION in answer["text"]
        assert "Larkspur Mutual" in answer["text"]
        await ask_again(team, question)
        assert len(team.said("#general", thread)) == 2
        assert "Pensions" in str(await why(team, "bob", thread, answer["ts"]))
        learned = await team.bot.services.engine.read(answer_examples.count_by_source, at(team))
        assert learned == {"answered": 1}
        text, _ = await said(team, "say that again, please", thread=thread)
        assert text


async def test_what_people_ask_now_does_not_wait_for_what_is_asked_again(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_DOCUMENTS="only", PARLEY_PARALLEL_TURNS="1") as team:
        question, thread = await refused(team)
        await take_in(team, "rules.md", f"{RULES}\n\n{PENSIONS}")
        before = len(team.model.requests)
        team.model.faults.add("slow", delay_s=5.0)
        topic = [question.id]
        await team.bot.services.engine.write(questions.set_topic, at(team), topic, question.id)
        await team.bot.services.repairs.ask_again(at(team), question.id, by=team.slack.user("alice"))
        await team.slack.until(lambda: len(team.model.requests) > before)
        now = await team.ask("@parley Where are bicycles parked?", user="carol")
        assert "greenhouse" in await team.answer("#general", now)
        assert len(team.said("#general", thread)) == 1
        await team.quiet()
        assert "Larkspur Mutual" in team.said("#general", thread)[1]


async def test_of_twenty_questions_repaired_by_documents_and_notes_nineteen_are_answered_right_and_each_once(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path, PARLEY_DOCUMENTS="only") as team:
        known = ROOT / "tests/bench/knowledge/company/first_week.md"
        await take_in(team, "first_week.md", known.read_text("utf-8"))
        users = ("alice", "bob", "carol")
        company = read_company()
        threads = [
            await team.ask(f"@parley {asked}", user=users[at % 3]) for at, (asked, _, _) in enumerate(company)
        ]
        answers = [await team.answer("#general", thread) for thread in threads]
        assert set(answers) == {REFUSAL}
        topics = await team.bot.services.unanswered.list_topics(at(team))
        by_question = {one.question: topic.id for topic in topics for one in topic.questions}
        for number, (asked, repair, _) in enumerate(company):
            await repair_by(team, repair, by_question[asked], note=number % 2 == 1)
        await team.quiet()
        right = 0
        for number, (thread, (_, _, says)) in enumerate(zip(threads, company, strict=True)):
            told = team.said("#general", thread)[1:]
            assert len(told) <= 1
            asker = f"<@{team.slack.user(users[number % 3])}>"
            right += bool(told and says in told[0] and told[0].startswith(asker))
        assert right >= 19
        still = await team.bot.services.unanswered.count(at(team))
        assert still == 20 - sum(len(team.said("#general", thread)) == 2 for thread in threads)


async def test_an_answer_of_one_word_is_told_and_what_quotes_only_what_was_there_before_is_not(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path, PARLEY_DOCUMENTS="only") as team:
        await take_in(team, "pension.md", "Pensions are reviewed in May.")
        team.model.script(json.dumps({"answer": REFUSAL, "quotes": []}), match="numbered passages")
        question, thread = await refused(team)
        await team.bot.services.engine.write(questions.set_topic, at(team), [question.id], question.id)
        wrong = {"passage": 1, "quote": "Pensions are reviewed in May."}
        team.model.script(
            json.dumps({"answer": wrong["quote"], "quotes": [wrong]}), match="numbered passages"
        )
        await repair_by(team, "See the intranet.", question.id, note=False)
        await team.quiet()
        assert team.said("#general", thread) == [REFUSAL]
        await repair_by(team, "Larkspur", question.id, note=False, title=QUESTION)
        await team.quiet()
        assert "Larkspur" in team.said("#general", thread)[1]


async def repair_by(team: Workspace, text: str, topic: int, *, note: bool, title: str = "") -> None:
    place, alice = at(team), team.slack.user("alice")
    if note:
        new = NewNote(place.team, "channel", place.channel, alice, text, repairs=topic)
        await team.bot.services.notes.add(new)
        return
    document = NewDocument(
        place.team,
        "channel",
        place.channel,
        alice,
        title or text,
        "text",
        title=title,
        text=text,
        repairs=topic,
    )
    await team.bot.services.documents.add(document)


async def test_whoever_left_or_had_the_thread_forgotten_hears_nothing_and_nobody_else_is_told_instead(
    tmp_path: Path,
) -> None:
    async with workspace(tmp_path, PARLEY_DOCUMENTS="only") as team:
        asked = {user: await refused(team, user=user) for user in ("alice", "bob", "carol")}
        topic = asked["alice"][0].id
        ids = [question.id for question, _ in asked.values()]
        await team.bot.services.engine.write(questions.set_topic, at(team), ids, topic)
        await team.slack.join("bob", "#general", leave=True)
        await run_command(team, "carol", "forget thread", "#general")
        await team.quiet()
        await repair_by(team, PENSIONS, topic, note=False)
        await team.quiet()
        heard = [
            user for user, (_, thread) in asked.items() if "Larkspur" in str(team.replies("#general", thread))
        ]
        assert heard == ["alice"]
        left = await team.bot.services.engine.read(questions.find, team.slack.team, asked["bob"][0].id)
        assert left is not None
        assert left.outcome == "no more"
