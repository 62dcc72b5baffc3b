"""What Parley remembers of a thread, what that costs, and what happens when it is too much to read."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from bot.conversation import summaries as made
from bot.conversation.turn import UNSUMMARISED
from bot.core.errors import QuestionTooLong
from bot.core.values import Conversation
from bot.provider.own_marks import ABOUT, LEFT_OUT
from bot.sandbox.model.server import FakeModel
from bot.sandbox.slack.server import FakeSlack
from bot.text import tokens
from storage.conversation import messages, summaries
from storage.database import open_engine
from storage.engine import Tx
from tests.support.engines import database_url
from tests.support.rows import rows
from tests.support.spending import run_command
from tests.support.workspace import MANIFEST, Workspace, started, text_of, workspace

STYLES = pytest.mark.parametrize(
    ("style", "model"),
    [("chat", "gpt-4.1-mini"), ("responses", "gpt-4.1-mini"), ("transcript", "rehearsal")],
    ids=["chat", "responses", "transcript"],
)
# One sentence too long for the rehearsal model to note: its summaries leave it out.
LONG = "the report goes on about the garden behind the house and its trees and who waters them and " * 5


async def talk(team: Workspace, *texts: str, thread: str = "", so_far: int = 0) -> str:
    """Says one thing after the other in a thread, each after the answer to the one before."""
    for number, text in enumerate(texts, so_far + 1):
        thread = await team.ask(text if thread else f"@parley {text}", thread=thread)
        await team.answer("#general", thread, count=number)
    await team.quiet()
    return thread


def answers(team: Workspace) -> list[Any]:
    """The requests that people's questions made, oldest first; summaries are left out."""
    return [r for r in team.model.requests if r not in summary_requests(team)]


def summary_requests(team: Workspace) -> list[Any]:
    asked = ((r, r.prompt.rstrip().removesuffix("AI:").rstrip()) for r in team.model.requests)
    return [r for r, prompt in asked if prompt.endswith(made.SUMMARISE)]


# A prefix that stays


@STYLES
async def test_each_prompt_begins_with_all_of_the_one_before(tmp_path: Path, style: str, model: str) -> None:
    async with workspace(tmp_path, PARLEY_STYLE=style, PARLEY_MODEL=model) as team:
        await talk(team, *(f"fact {n}: {LONG}" for n in range(5)))
        prompts = [r.prompt.partition(ABOUT)[0] for r in team.model.requests]
        assert len(prompts) == 5
        assert all(late.startswith(early.rstrip()) for early, late in pairwise(prompts))


@STYLES
async def test_past_the_first_thousand_tokens_the_prompt_is_read_from_the_cache(
    tmp_path: Path, style: str, model: str
) -> None:
    async with workspace(tmp_path, PARLEY_STYLE=style, PARLEY_MODEL=model) as team:
        await talk(team, *(f"fact {n}: {LONG * 6}" for n in range(5)))
        used = await team.bot.services.costs.this_month(
            team.slack.team, channel=team.slack.channel("#general")
        )
        assert used.cached_tokens == team.model.counters["cached_tokens"]
        assert used.cached_tokens > used.input_tokens / 2


@pytest.mark.parametrize("style", ["chat", "responses"])
async def test_a_threads_requests_carry_one_cache_key_which_names_nobody(tmp_path: Path, style: str) -> None:
    async with workspace(tmp_path, PARLEY_STYLE=style) as team:
        thread = await talk(team, "one", "two")
        await talk(team, "three")
        first, second, other = (r.body["prompt_cache_key"] for r in team.model.requests)
        assert first == second != other
        assert thread not in first
        assert team.slack.channel("#general") not in first


@STYLES
async def test_nothing_that_changes_stands_before_the_history(tmp_path: Path, style: str, model: str) -> None:
    async with workspace(tmp_path, PARLEY_STYLE=style, PARLEY_MODEL=model) as team:
        await talk(team, "one", "two")
        await talk(team, "elsewhere")
        heads = {
            r.prompt[: r.prompt.index(asked)]
            for r, asked in zip(team.model.requests, ("one", "one", "elsewhere"), strict=True)
        }
        assert len(heads) == 1, "the persona alone: no time, no name, no number of the turn"


# One jump to a summary


WISH = "Please always call me Captain Nemo."


@STYLES
async def test_past_its_budget_a_thread_is_summarised_once_and_early_wishes_survive(
    tmp_path: Path, style: str, model: str
) -> None:
    small: dict[str, Any] = {"PARLEY_MEMORY_TOKENS": "1000", "PARLEY_MEMORY_TAIL_TOKENS": "300"}
    async with workspace(tmp_path, PARLEY_STYLE=style, PARLEY_MODEL=model, **small) as team:
        thread = await talk(team, WISH, *(f"fact {n}: {LONG}" for n in range(7)))
        assert len(summary_requests(team)) >= 1
        assert len(summary_requests(team)) < 4, "one jump, not one for each turn"
        before, after = longest_fall(answers(team))
        assert len(after.prompt) < len(before.prompt) / 1.5
        assert "Captain Nemo" in after.prompt
        assert "fact 6" in answers(team)[-1].prompt, "the last turns stay word for word"
        await talk(team, "What shall you call me?", thread=thread, so_far=8)
        assert "Captain Nemo" in text_of(team.replies("#general", thread)[-1])
    kinds = [kind for (kind,) in rows(tmp_path, "select kind from ledger order by id")]
    assert kinds.count("summary") == len(summary_requests(team))
    assert kinds.count("answer") == 9


def longest_fall(requests: Sequence[Any]) -> tuple[Any, Any]:
    """The two neighbours between which the prompt shrank most."""
    return max(pairwise(requests), key=lambda pair: len(pair[0].prompt) - len(pair[1].prompt))


async def test_a_thread_that_slept_longer_than_the_cache_lives_is_summarised(tmp_path: Path) -> None:
    small: dict[str, Any] = {"PARLEY_CACHE_LIFE_S": "0.3", "PARLEY_MEMORY_TAIL_TOKENS": "200"}
    async with workspace(tmp_path, **small) as team:
        thread = await talk(team, WISH, f"fact: {LONG * 8}")
        assert not summary_requests(team)
        await asyncio.sleep(0.4)
        await talk(team, "What shall you call me?", thread=thread, so_far=2)
        assert len(summary_requests(team)) == 1
        asked = answers(team)[-1].prompt
        assert "Captain Nemo" in asked
        assert LONG * 2 not in asked


async def test_a_short_thread_that_slept_is_read_again_as_it_is(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_CACHE_LIFE_S="0.1") as team:
        thread = await talk(team, WISH)
        await asyncio.sleep(0.2)
        await talk(team, "hello", thread=thread, so_far=1)
        assert not summary_requests(team)


@STYLES
async def test_a_summary_is_asked_of_the_model_that_answers_and_begins_as_the_answers_do(
    tmp_path: Path, style: str, model: str
) -> None:
    small: dict[str, Any] = {"PARLEY_MEMORY_TOKENS": "600", "PARLEY_MEMORY_TAIL_TOKENS": "200"}
    policies = tmp_path / "policies.toml"
    policies.write_text(
        '[C0GENERAL1]\npurpose = "the garden"\nbelongs = ["trees"]\nshadow = false\nlength = "short"\n',
        "utf-8",
    )
    async with workspace(
        tmp_path,
        PARLEY_STYLE=style,
        PARLEY_MODEL=model,
        PARLEY_SMALL_MODEL=f"{model}-small",
        PARLEY_POLICIES=str(policies),
        **small,
    ) as team:
        team.model.script('{"belongs": true, "probability": 0.9}', match=is_verdict, times=0)
        await talk(team, *(f"fact {n}: {LONG}" for n in range(4)))
        first, *_ = (r for r in answers(team) if r.status == 200 and not is_verdict(r))
        assert summary_requests(team)
        assert {r.model for r in (first, *summary_requests(team))} == {model}
        assert all(
            r.prompt.startswith(first.prompt.partition(ABOUT)[0].rstrip()) for r in summary_requests(team)[:1]
        )
        assert {r.model for r in team.model.requests if is_verdict(r)} == {f"{model}-small"}


def is_verdict(asked: Any) -> bool:
    return "You decide whether the last message" in asked.prompt


async def test_a_summary_that_failed_is_told_and_not_tried_again_for_a_while(tmp_path: Path) -> None:
    small: dict[str, Any] = {"PARLEY_MEMORY_TOKENS": "600", "PARLEY_MEMORY_TAIL_TOKENS": "200"}
    async with workspace(tmp_path, **small) as team:
        broken = [True]
        team.model.script("", match=lambda asked: any(broken) and asked.last == made.SUMMARISE, times=0)
        thread = await talk(team, WISH, *(f"fact {n}: {LONG}" for n in range(4)))
        tried = len(summary_requests(team))
        assert tried > 0
        await talk(team, f"fact 4: {LONG}", f"fact 5: {LONG}", thread=thread, so_far=5)
        assert len(summary_requests(team)) == tried
        asked = answers(team)[-1].prompt
        assert "fact 5" in asked
        assert f"<user>{WISH}" not in asked
        assert LEFT_OUT in asked
        assert UNSUMMARISED in str(team.replies("#general", thread)[-1]["blocks"])
        broken.clear()
        await team.bot.services.engine.write(let_time_pass)
        await talk(team, "What shall you call me?", thread=thread, so_far=7)
        shown = team.replies("#general", thread)[-1]
        assert "Captain Nemo" in text_of(shown)
        assert UNSUMMARISED not in str(shown["blocks"])
        assert LEFT_OUT not in answers(team)[-1].prompt


def let_time_pass(tx: Tx) -> None:
    """As if the pause after a summary in vain were over."""
    tx.run("update conversations set summarise_after = 0")


async def test_each_summary_in_vain_makes_the_pause_longer(tmp_path: Path) -> None:
    small: dict[str, Any] = {"PARLEY_MEMORY_TOKENS": "600", "PARLEY_MEMORY_TAIL_TOKENS": "200"}
    async with workspace(tmp_path, **small) as team:
        team.model.script("", match=lambda asked: asked.last == made.SUMMARISE, times=0)
        thread = await talk(team, WISH, *(f"fact {n}: {LONG}" for n in range(4)))
        (first,) = rows(tmp_path, "select failed_summaries, summarise_after from conversations")
        await team.bot.services.engine.write(let_time_pass)
        await talk(team, "And now?", thread=thread, so_far=5)
        (second,) = rows(tmp_path, "select failed_summaries, summarise_after from conversations")
    assert (first[0], second[0]) == (1, 2)
    assert second[1] - first[1] >= made.SUMMARY_PAUSE_S


# What others write, and who pays for it


async def overhear(team: Workspace, thread: str, *texts: str, user: str = "bob") -> None:
    """Somebody says to somebody else, in a thread of ours."""
    for text in texts:
        await team.ask(f"<@{team.slack.user('carol')}> {text}", user=user, thread=thread)
    await team.quiet()


async def test_of_what_is_overheard_so_much_is_kept_of_each_message(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        thread = await team.slack.say("bob", "#general", "look at this: " + "long " * 7_000)
        await talk(team, f"@parley hello {'word ' * 4_000}", thread=thread)
        ts = await team.slack.say(
            "bob", "#general", f"<@{team.slack.user('carol')}> {'other ' * 6_000}", thread_ts=thread
        )
        await team.quiet()
        assert max(rows(tmp_path, "select length(text) from messages where text like '<@%'")) < (12_200,)
        await team.slack.edit("bob", "#general", ts, f"<@{team.slack.user('carol')}> {'edited ' * 5_000}")
        await team.quiet()
        before, asked, beside = rows(
            tmp_path, "select length(text), text from messages where role = 'human' order by seq"
        )
        assert asked[0] > 20_000, "whoever asks, pays"
        for length, text in (before, beside):
            assert 12_000 <= length < 12_200
            assert "the rest of a long message was not kept: 23,013 characters" in text
        assert "edited" in beside[1]


async def test_a_summary_of_what_others_wrote_is_theirs_to_pay(tmp_path: Path) -> None:
    small: dict[str, Any] = {"PARLEY_MEMORY_TOKENS": "600", "PARLEY_MEMORY_TAIL_TOKENS": "200"}
    async with workspace(tmp_path, **small) as team:
        thread = await talk(team, "hello")
        await overhear(team, thread, *(f"note {n}: {LONG}" for n in range(6)))
        await talk(team, "@parley What did they say?", thread=thread, so_far=1)
        paid = set(rows(tmp_path, "select kind, person from ledger"))
        assert paid == {("summary", team.slack.user("bob")), ("answer", team.slack.user("alice"))}


async def test_a_summary_of_what_apps_wrote_is_nobodys_to_pay(tmp_path: Path) -> None:
    small: dict[str, Any] = {"PARLEY_MEMORY_TOKENS": "600", "PARLEY_MEMORY_TAIL_TOKENS": "200"}
    async with workspace(tmp_path, **small) as team:
        thread = await talk(team, "hello")
        for n in range(6):
            await team.slack.say("zapbot", "#general", f"build {n}: {LONG}", thread_ts=thread)
        await team.quiet()
        await talk(team, "@parley What did they say?", thread=thread, so_far=1)
        assert set(rows(tmp_path, "select kind, person from ledger")) == {
            ("summary", ""),
            ("answer", team.slack.user("alice")),
        }


async def test_who_wrote_too_much_and_has_no_budget_left_costs_nobody_else(tmp_path: Path) -> None:
    small: dict[str, Any] = {"PARLEY_MEMORY_TOKENS": "600", "PARLEY_MEMORY_TAIL_TOKENS": "200"}
    async with workspace(tmp_path, **small) as team:
        await run_command(team, "alice", "budget person @bob 0.000001 per month")
        thread = await talk(team, "hello")
        await overhear(team, thread, *(f"note {n}: {LONG}" for n in range(6)))
        for count in (1, 2):
            await talk(team, "@parley What did they say?", thread=thread, so_far=count)
            assert UNSUMMARISED in str(team.replies("#general", thread)[-1]["blocks"])
        assert not summary_requests(team)
        assert {person for (person,) in rows(tmp_path, "select person from ledger")} == {
            team.slack.user("alice")
        }


async def test_what_outgrew_a_prompt_is_summarised_in_pieces_and_only_some_before_one_answer(
    tmp_path: Path,
) -> None:
    small: dict[str, Any] = {"PARLEY_MEMORY_TOKENS": "600", "PARLEY_MEMORY_TAIL_TOKENS": "200"}
    async with workspace(tmp_path, **small) as team:
        thread = await talk(team, WISH)
        await overhear(team, thread, *(f"note {n}: {LONG * 2}" for n in range(20)))
        await talk(team, "@parley What did they say?", thread=thread, so_far=1)
        assert len(summary_requests(team)) == made.MOST_PIECES
        assert all(tokens.count(asked.prompt, "gpt-4.1-mini") < 600 + 500 for asked in summary_requests(team))
        assert "Captain Nemo" in answers(team)[-1].prompt, "what was summarised is known"
        assert UNSUMMARISED in str(team.replies("#general", thread)[-1]["blocks"])
        await talk(team, "@parley And now?", "@parley And then?", thread=thread, so_far=2)
        assert len(summary_requests(team)) > made.MOST_PIECES
        assert UNSUMMARISED not in str(team.replies("#general", thread)[-1]["blocks"])
        written = [message for asked in summary_requests(team) for message in asked.prompt.split("note ")[1:]]
        assert len({message.split(":")[0] for message in written}) >= 18, "each is read once"


async def test_many_short_messages_are_summarised_before_one_of_them_falls_out_of_sight(
    tmp_path: Path,
) -> None:
    async with FakeSlack(manifest=MANIFEST, rate_limits=False) as slack, FakeModel() as model:
        thread = await slack.say("alice", "#general", "the beginning")
        said = [WISH, *(f"Short line {n}." for n in range(made.MOST_MESSAGES))]
        await seed(tmp_path, slack, thread, said)
        async with started(slack, model, tmp_path) as team:
            await team.ask("What shall you call me?", thread=thread)
            assert "Captain Nemo" in await team.answer("#general", thread)
            assert len(summary_requests(team)) == 1


# What the model cannot read


async def test_a_prompt_too_long_for_the_model_is_sent_once_more_and_strictly_shorter(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_MAX_TOKENS="100", PARLEY_MEMORY_TAIL_TOKENS="300") as team:
        thread = await talk(team, WISH, *(f"fact {n}: {LONG}" for n in range(6)))
        team.model.context_tokens = 900
        await talk(team, "hello again", thread=thread, so_far=7)
        refused, answered = [r for r in answers(team) if "hello again" in r.prompt]
        assert (refused.status, answered.status) == (400, 200)
        assert len(answered.prompt) < len(refused.prompt)


async def test_a_thread_that_is_all_last_turns_is_shortened_to_fit(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_MAX_TOKENS="100") as team:
        thread = await talk(team, *(f"fact {n}: {LONG}" for n in range(4)))
        team.model.context_tokens = 600
        await talk(team, "hello again", thread=thread, so_far=4)
        refused, answered = [r for r in answers(team) if "hello again" in r.prompt]
        assert len(answered.prompt) < len(refused.prompt)


async def test_a_question_that_alone_is_too_long_costs_one_request_and_a_sentence(tmp_path: Path) -> None:
    async with workspace(tmp_path, model={"context_tokens": 500}, PARLEY_MAX_TOKENS="100") as team:
        thread = await team.ask(f"@parley {LONG * 8}")
        assert await team.answer("#general", thread) == QuestionTooLong().notice
        assert len(team.model.requests) == 1


async def test_a_model_that_can_read_nothing_is_asked_twice_and_no_more(tmp_path: Path) -> None:
    async with workspace(tmp_path, PARLEY_MAX_TOKENS="100") as team:
        thread = await talk(team, "hello", f"fact: {LONG}")
        team.model.context_tokens = 10
        await team.ask("hello again", thread=thread)
        assert await team.answer("#general", thread, count=3) == QuestionTooLong().notice
        assert len([r for r in answers(team) if "hello again" in r.prompt]) == 2


# Tokens of a model that nobody has a vocabulary of


SHORT_WORDS = "so we go up to it as if on my own " * 60


async def test_estimates_follow_what_an_unknown_model_reports_also_after_a_restart(tmp_path: Path) -> None:
    model_name = "rehearsal-of-unknown-length"
    async with FakeSlack(manifest=MANIFEST, rate_limits=False) as slack, FakeModel() as model:
        async with started(slack, model, tmp_path, PARLEY_MODEL=model_name) as team:
            first = tokens.count(SHORT_WORDS, model_name)
            await talk(team, *(f"fact {n}: {SHORT_WORDS}" for n in range(6)))
        learned = tokens.count(SHORT_WORDS, model_name)
        real = len(SHORT_WORDS) / 4  # how the fake model counts
        assert abs(learned - real) < abs(first - real)
        assert abs(learned - real) < real / 4
        tokens.remember({model_name: tokens.SAFETY})
        assert tokens.count(SHORT_WORDS, model_name) == first
        async with started(slack, model, tmp_path, PARLEY_MODEL=model_name):
            assert tokens.count(SHORT_WORDS, model_name) == learned


async def test_a_model_with_a_known_vocabulary_teaches_nothing(tmp_path: Path) -> None:
    async with workspace(tmp_path) as team:
        await talk(team, *(f"fact {n}: {LONG * 3}" for n in range(2)))
    assert rows(tmp_path, "select * from learned_ratios") == []


# The price of age


async def seed(tmp_path: Path, slack: FakeSlack, thread: str, said: Sequence[str], *, keep: int = 0) -> None:
    """A thread as it would be after these messages; with `keep`, all but so many are summarised."""
    place = Conversation(slack.team, slack.channel("#general"), thread)

    def remember(tx: Tx) -> None:
        for number, text in enumerate(said):
            role = "assistant" if number % 2 else "human"
            user = slack.user("alice")
            messages.append(
                tx, place, role=role, message=f"m{thread}-{number}", person=user, text=text, now=time.time()
            )
        if keep:
            upto = messages.recall(tx, place.key).messages[-keep - 1].seq
            summaries.summarise(
                tx, place.key, "So far so good.", upto=upto, tokens=4, erasures=0, now=time.time()
            )

    async with open_engine(database_url(tmp_path / "parley.db")) as engine:
        await engine.write(remember)


async def test_a_turn_in_an_old_thread_reads_and_asks_no_more_than_in_a_young_one(tmp_path: Path) -> None:
    # Slack does not send again what was said before the bot was there.
    fake_slack = FakeSlack(manifest=MANIFEST, rate_limits=False, retry_delays_s=())
    async with fake_slack as slack, FakeModel() as model:
        threads = {}
        for age in (10, 10_000):
            threads[age] = await slack.say("alice", "#general", "the beginning")
            lines = [f"Line {n % 7}, and so on." for n in range(age)]
            await seed(tmp_path, slack, threads[age], lines, keep=6)
        async with started(slack, model, tmp_path, PARLEY_THREAD_TURN_LIMIT="100000") as team:
            asked = {}
            for age, thread in threads.items():
                await team.ask("And now?", thread=thread)
                await team.answer("#general", thread)
                asked[age] = team.model.requests[-1].body["messages"]
            assert len(asked[10]) == len(asked[10_000]) == 9, "persona, summary, six messages, the question"
            assert len(str(asked[10])) == pytest.approx(len(str(asked[10_000])), abs=50)
