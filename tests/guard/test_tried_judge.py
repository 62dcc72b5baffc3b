"""A judge whose verdicts contradict themselves: an odd one refuses, several running are no judge."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from bot.core.errors import Unavailable
from bot.core.values import Scope
from bot.guard.model_judge import ContradictoryVerdict, Opinion, UnreadableVerdict, parse_verdict
from bot.guard.policy import Policy
from bot.guard.tried_judge import NOT_ASKED_S, RUNNING, TRIAL_MESSAGE, JudgeUnable, TriedJudge
from tests.support.model_api import SCOPE

RULES = Policy(purpose="cooking")
ODD, PROSE = ContradictoryVerdict("odd"), UnreadableVerdict("prose")
GOOD = Opinion(0.9)


class ScriptedJudge:
    """Says what it is told, one thing after the other, and `trial` to our own question."""

    def __init__(self, *says: Opinion | Exception, trial: Opinion | Exception) -> None:
        self.says, self.trial, self.asked = list(says), trial, list[str]()

    async def opinion(self, policy: Policy, text: str, said: Sequence[object], scope: Scope) -> Opinion:
        self.asked.append(text)
        answer = self.trial if text == TRIAL_MESSAGE else self.says.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer


async def ask(judge: TriedJudge, times: int) -> list[str]:
    found = []
    for _ in range(times):
        try:
            await judge.opinion(RULES, "hello", (), SCOPE)
            found.append("good")
        except JudgeUnable:
            found.append("unable")
        except UnreadableVerdict as error:
            found.append("odd" if isinstance(error, ContradictoryVerdict) else "prose")
    return found


async def test_one_odd_verdict_is_what_it_was() -> None:
    judge = TriedJudge(ScriptedJudge(ODD, GOOD, ODD, ODD, GOOD, ODD, trial=ODD))
    assert await ask(judge, 6) == ["odd", "good", "odd", "odd", "good", "odd"]
    assert not judge.unable


@pytest.mark.parametrize("odd", [ODD, PROSE])
async def test_several_running_and_a_failed_trial_make_it_unable_for_a_while(odd: UnreadableVerdict) -> None:
    now = [100.0]
    scripted = ScriptedJudge(*[odd] * RUNNING, GOOD, trial=odd)
    judge = TriedJudge(scripted, clock=lambda: now[0])
    said = "odd" if odd is ODD else "prose"
    assert await ask(judge, RUNNING + 2) == [*[said] * (RUNNING - 1), *["unable"] * 3]
    assert judge.unable
    assert len(scripted.asked) == RUNNING + 1, "nobody is asked while it is unable"
    now[0] += NOT_ASKED_S
    assert await ask(judge, 1) == ["good"]


@pytest.mark.parametrize("trial", [GOOD, Unavailable("away")])
async def test_whoever_talks_a_good_judge_into_odd_verdicts_is_refused_every_time(
    trial: Opinion | Exception,
) -> None:
    judge = TriedJudge(ScriptedJudge(*[ODD, PROSE] * 4, trial=trial))
    assert await ask(judge, 8) == ["odd", "prose"] * 4
    assert not judge.unable


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('{"belongs": true, "probability": 0.1}', ContradictoryVerdict),
        ('{"belongs": false, "probability": 0.5}', ContradictoryVerdict),
        ('{"belongs": true, "probability": 7}', UnreadableVerdict),
        ('{"belongs": "true", "probability": 0.1}', UnreadableVerdict),
        ("It belongs.", UnreadableVerdict),
    ],
)
def test_only_a_verdict_of_the_form_can_contradict_itself(text: str, error: type[Exception]) -> None:
    with pytest.raises(UnreadableVerdict) as raised:
        parse_verdict(text)
    assert type(raised.value) is error
