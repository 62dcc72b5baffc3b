"""What will happen in a story, drawn from its seed: who says what when, what fails, when processes die."""

from __future__ import annotations

import os
import random
from dataclasses import dataclass

from tests.simulator.slack import Weather

FAULTS_END_S = 150.0
CHANNELS = ("#general", "#support", "@parley")
SEVERAL = float(os.environ.get("PARLEY_SEVERAL", "0.3"))  # of all stories have several processes
HOUR_S, DAY_S = 3_600.0, 86_400.0


@dataclass(frozen=True, slots=True)
class Act:
    """Something a person or an operator does at that second of the story."""

    at_s: float
    kind: str  # say, follow, edit, delete, stop, again, archive, restart, clock
    number: int = 0  # of the question it is about
    channel: str = ""
    jump_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Plan:
    """`kills`: at which gate of its life each process is killed, None for one that is not."""

    acts: tuple[Act, ...]
    kills: tuple[int | None, ...]
    slack: Weather
    model: Weather
    busy: float
    disorder: bool
    streams_per_minute: int
    processes: int


def drawn(seed: int) -> Plan:
    dice = random.Random(seed)
    wild = dice.random()  # how much goes wrong in this story at all
    return Plan(
        acts=tuple(sorted(_acts(dice, wild), key=lambda act: act.at_s)),
        kills=tuple(_gate(dice) for _ in range(dice.choice((0, 1, 1, 2, 2, 3, 5)))),
        slack=Weather(dice.choice((0, 0, 5, 25)) * wild, dice.choice((0, 10)), FAULTS_END_S),
        model=Weather(dice.choice((0, 0, 10, 40)) * wild, 0.0, FAULTS_END_S),
        busy=dice.choice((0, 0, 3, 15)) * wild,
        disorder=dice.random() < 0.5,
        streams_per_minute=dice.choice((0, 20)),
        processes=_processes(random.Random(f"the processes of {seed}")),
    )


def _processes(dice: random.Random) -> int:
    """How many share the database; most stories have one, on a file of its own."""
    return dice.choice((2, 2, 3)) if dice.random() < SEVERAL else 1


def _gate(dice: random.Random) -> int:
    """Early gates are those of the start, where a process has just come back; later ones lie in the work."""
    return dice.randint(1, dice.choice((20, 80, 200)))


def _acts(dice: random.Random, wild: float) -> list[Act]:
    acts, at_s = [], 0.0
    for number in range(1, dice.randint(2, 7)):
        at_s += dice.choice((0.0, 0.05, dice.uniform(0, 5), dice.uniform(0, 40)))
        kind = "follow" if number > 1 and dice.random() < 0.3 else "say"
        acts.append(Act(at_s, kind, number, dice.choice(CHANNELS)))
        acts += _about(dice, at_s, number)
    if dice.random() < 0.15:
        acts.append(Act(dice.uniform(0, at_s + 5), "restart"))
    if dice.random() < 0.1 * wild:
        jump_s = dice.choice((-HOUR_S, -301, 301, HOUR_S / 2))
        acts.append(Act(dice.uniform(0, at_s + 5), "clock", jump_s=jump_s))
    if dice.random() < 0.05:
        acts.append(Act(dice.uniform(0, at_s + 5), "archive", channel="#support"))
    return acts


def _about(dice: random.Random, at_s: float, number: int) -> list[Act]:
    """What a person does with a question once it is asked."""
    later_s = at_s + dice.choice((0.0, 0.3, dice.uniform(0, 4), dice.uniform(0, 60)))
    what = dice.choices(("", "edit", "delete", "stop", "again"), (72, 8, 8, 6, 6))[0]
    return [Act(later_s, what, number)] if what else []
