"""What a model is given in a turn, and for whom it is asked."""

from __future__ import annotations

from bot.channel.service import AnswerSettings
from bot.conversation.recollection import Recollection
from bot.conversation.shown_files import describe_told
from bot.conversation.surroundings import find_about, find_names, name_people
from bot.conversation.turn_values import TurnServices
from bot.core.values import Incoming, Message, Prompt, Scope
from bot.provider.own_marks import LEFT_OUT


async def make_prompt(
    incoming: Incoming,
    recollection: Recollection,
    how: AnswerSettings,
    services: TurnServices,
    *,
    guarded: bool,
) -> Prompt:
    """What the model reads; all up to the last message's own words stays the same from turn to turn."""
    settings, people = services.settings, services.thread_reader
    asked = Message("human", incoming.text, speaker=incoming.user, pictures=recollection.pictures)
    messages = (*recollection.messages, asked)
    names = await find_names(people, settings, messages)
    about = await find_about(people, settings, incoming, names, guarded=guarded)
    return Prompt(
        system=how.system,
        summary="\n".join(filter(None, (recollection.summary, LEFT_OUT * recollection.left_out))),
        messages=name_people(messages, names, asker=incoming.user),
        context=recollection.attached,
        about="\n".join(filter(None, (about, describe_told(recollection.told)))),
        cache_key=incoming.conversation.key,
    )


def answer_scope(incoming: Incoming) -> Scope:
    where = incoming.conversation
    return Scope(where.team, where.channel, incoming.user, where.key, "answer")
