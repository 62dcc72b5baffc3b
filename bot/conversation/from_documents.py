"""What of a turn is about documents: whether they are asked, what they say, and what is made of it.

Where they are asked is turn.py; how they answer, bot/knowledge/service.py.
"""

from __future__ import annotations

from collections.abc import Callable

from bot.channel.service import AnswerSettings
from bot.conversation.prompts import answer_scope, make_prompt
from bot.conversation.recollection import Recollection
from bot.conversation.shown_files import CANNOT_SEE, NO_ROOM, ShownFiles
from bot.conversation.turn_values import Turn, TurnServices
from bot.core import access
from bot.core.errors import ContextTooLong
from bot.core.values import Completion, Incoming, Message, Prompt, Reply, Usage
from bot.guard import about_us
from bot.guard.rules import find_rule
from bot.guard.service import Ruling
from bot.knowledge.document_question import DocumentAnswer, DocumentQuestion
from bot.knowledge.quotes import REFUSAL

NOT_IN_DOCUMENTS = "My documents do not say this: it is what the model knows in general."


def choose_mode(incoming: Incoming, ruling: Ruling | None, how: AnswerSettings, *, shown: ShownFiles) -> str:
    """What a question is answered from: greetings and questions about the assistant never from documents; one
    with files from those first, which the model reads anyway."""
    if ruling and ruling.from_passages:
        return "only"
    if how.documents == "first" and shown.any_read:
        return "off"
    if not ruling:
        return "off" if find_rule(incoming.text, after_on_topic=False) else how.documents
    return "off" if ruling.is_courtesy or ruling.verdict.notes else how.documents


async def ask_beside_files(
    incoming: Incoming,
    recollection: Recollection,
    ruling: Ruling | None,
    how: AnswerSettings,
    services: TurnServices,
    *,
    mode: str,
    shown: ShownFiles,
    progress: Callable[[int, int], None],
) -> tuple[DocumentAnswer | None, ShownFiles]:
    """What documents say, and the files as the model saw them: pictures that it has no room or no eyes for
    are left out."""
    try:
        found = await ask_documents(
            incoming, recollection, ruling, how, services, mode=mode, progress=progress
        )
    except ContextTooLong:
        if not shown.names:
            raise
        shown = shown.without_pictures(NO_ROOM)
        without = shown.onto(recollection)
        found = await ask_documents(incoming, without, ruling, how, services, mode=mode, progress=progress)
    if found and found.completion.unseen and shown.names:
        shown = shown.without_pictures(CANNOT_SEE)
    return found, shown


async def ask_documents(
    incoming: Incoming,
    recollection: Recollection,
    ruling: Ruling | None,
    how: AnswerSettings,
    services: TurnServices,
    *,
    mode: str,
    progress: Callable[[int, int], None] | None = None,
) -> DocumentAnswer | None:
    """What documents say, and what the channel's owner typed; None where there is nothing to ask."""
    if mode == "off" or not access.remembers(incoming, services.settings):
        return None
    spare_tokens = services.memory.room.passage_tokens(how)
    recollection = await services.memory.fit(recollection, incoming.text, how, spare_tokens=spare_tokens)
    guarded = ruling is not None and not ruling.rules.shadow
    prompt = await make_prompt(incoming, recollection, how, services, guarded=guarded)
    asked = DocumentQuestion(
        incoming,
        prompt,
        answer_scope(incoming),
        spare_tokens,
        typed=ruling.rules.passages if ruling and guarded else (),
        model=how.model,
        style=how.style,
        about_us=about_us.may_ask_about_us(incoming.text),
        progress=progress,
    )
    try:
        return await services.documents.answer(asked)
    except ContextTooLong:
        if mode == "only":
            raise
        return None  # the ordinary way makes a conversation shorter


def reply_from_documents(
    found: DocumentAnswer | None, recollection: Recollection, ruling: Ruling | None
) -> Turn:
    """What documents say, with where it stands; or that they say nothing. What comes nearest its asker is
    shown alone (bot/unanswered/refusals.py)."""
    verdict = ruling.verdict.id if ruling else 0
    if found is None:
        nothing = Completion(REFUSAL, "stop", "", Usage(requests=0))
        return Turn(Reply(REFUSAL), recollection, nothing, verdict, unanswered="")
    reply = Reply(
        found.completion.text, notes=found.notes, sources=found.sources, follow_ups=found.follow_ups
    )
    missing = found.nearest if found.refused else None
    return Turn(reply, recollection, found.completion, verdict, missing, documents=found, read_more=True)


async def read_attached(
    incoming: Incoming, recollection: Recollection, how: AnswerSettings, services: TurnServices
) -> str:
    """What was attached in this conversation, as the model is to read it; "" for nothing."""
    asked = Prompt("", (*recollection.messages, Message("human", incoming.text)))
    room = services.memory.room.passage_tokens(how)
    question = DocumentQuestion(incoming, asked, answer_scope(incoming), room, model=how.model)
    return await services.documents.read_attached(question)
