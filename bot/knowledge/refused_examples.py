"""What a refusal teaches that somebody calls right: nothing that is found for its question answers it."""

from __future__ import annotations

from storage.knowledge.answer_examples import AnswerExample, ExampleSource
from storage.place import Channel
from storage.unanswered.questions import OpenQuestion


def make_refused_example(
    at: Channel, one: OpenQuestion, source: ExampleSource, *, now: float
) -> AnswerExample:
    """Of one question, as whoever asked it meant it."""
    return AnswerExample(
        at.team,
        at.channel,
        one.meant,
        0,
        source,
        now,
        person=one.person,
        conversation=one.conversation,
        message=one.message,
        reply=one.reply,
    )
