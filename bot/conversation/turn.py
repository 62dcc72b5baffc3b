"""One turn: from one incoming message to one finished reply. Read this first.

`run_turn` is the whole story on one screen; each step is one call. A step that declines returns early with
what to say, or raises an error whose `notice` the person reads. What surrounds a turn (once and only once,
stopping, deletion, crashes) is bot/conversation/service.py; how a reply becomes Slack's is
handlers/reply/reply.py.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from bot.channel.service import AnswerSettings
from bot.conversation import addressing
from bot.conversation.asking_apps import TOO_MANY
from bot.conversation.from_documents import (
    NOT_IN_DOCUMENTS,
    ask_beside_files,
    choose_mode,
    read_attached,
    reply_from_documents,
)
from bot.conversation.prompts import answer_scope, make_prompt
from bot.conversation.recollection import Recollection
from bot.conversation.shown_files import CANNOT_SEE, NO_ROOM, ShownFiles, forget_pictures
from bot.conversation.turn_values import LiveReply, Stop, Turn, TurnServices
from bot.core import access
from bot.core.errors import ContextTooLong
from bot.core.stoppable import StoppableWork
from bot.core.values import Completion, Incoming, Reply, Usage
from bot.guard.service import Ruling
from bot.knowledge.document_question import DocumentAnswer
from bot.notes.wishes import WHICH_WORDS, read_note_wish, wants_what_stands_there
from bot.text import marks, tokens
from bot.voice.message_clips import RunningRecognition, SpokenWords, called_into_thread
from storage.place import Channel

T = TypeVar("T")

GREETING = (
    "Hello! Ask me anything in a thread and I will answer there, remembering what was said. "
    "Mention me in a channel or write to me directly; `/parley help` shows what else I do."
)
TURN_LIMIT = "This thread has grown very long, so I stop here. Please start a new one."
SAW_ONLY_PART = "I read only the last {seen} messages of this thread."
UNSUMMARISED = (
    "What was said earlier in this thread is too long for me, and I could not summarise all of it: this "
    "answer knows only the last messages."
)
NOT_READ = "I cannot read {things}."
WHAT_I_READ = (
    "I read what is written, pasted as a table, quoted or forwarded, look at pictures, read documents and "
    "listen to recordings that are posted to me."
)
CAME_TOO_LATE = "{things} came after I had begun to answer, so this answer does not know of it."
NOTHING_SAID = "The model had nothing to say to this, twice. Try putting it differently."
ONLY_THOUGHT = "The model thought until its length limit and wrote no answer. Try asking for less at once."
NO_TOOL = "To answer this, the model wanted to use a tool, and it has none here. Try putting it differently."

# What somebody wants of us in a thread, in so many words (bot/conversation/addressing.py).
WISHES = {
    "quiet": "In this thread I now answer only when somebody mentions me; I still read along. To undo it, "
    "mention me and write “speak again”, or choose “Quiet in this thread” in the ⋮ menu once more.",
    "speak": "This thread is not quiet any more: I answer in it as in the rest of this channel.",
    "stop": "There is nothing that I could stop here.",
}
QUIET = {"quiet": True, "speak": False}
BRIEF_TOKENS = 400  # what an answer beside the subject may take

# How a cut answer is marked. Only "stop" is whole.
CUT = {
    "length": "The answer reached its length limit and is not complete.",
    "cut": "The answer ended at a stop sequence while the model was still writing; it may not be complete.",
    "thinking": "The model was still thinking when the answer ended; it is not complete.",
    "tools": "The model wanted to use a tool here, and it has none; the answer is not complete.",
    "filtered": "The model's service stopped this answer for its content policy.",
    "late": "The model was still writing when the time for one answer was over; it is not complete.",
    "broken": "The connection to the model broke off; the answer is not complete.",
    "stopped": "Stopped.",
}
# Where not one word came.
WORDLESS = {
    "stop": NOTHING_SAID,
    "cut": NOTHING_SAID,
    "thinking": ONLY_THOUGHT,
    "tools": NO_TOOL,
}
ANSWER_LIMIT = 100_000  # characters; a server that heeds no limit of ours is not read any further


async def run_turn(
    posts: Sequence[Incoming], live_reply: LiveReply, stop: Stop, services: TurnServices
) -> Turn:
    """From one question, in one post or several of the same person, to one finished reply."""
    first = posts[0]
    if first.too_many:
        return Turn(Reply(TOO_MANY.format(limit=services.settings.asking_apps_limit)))
    heard, notes, words = list[SpokenWords](), list[str](), list[str]()
    shown = ShownFiles()
    for post in posts:
        access.admit(post, services.settings)
        spoken = await transcribe_files(post, live_reply, stop, services, goes_on=post is not first)
        if spoken is None or stop.ended:
            return Turn(Reply(CUT["stopped"], whole=False))
        if spoken.others:
            how = await read_answer_settings(post, services)
            shown, spoken = await services.files.open_posted(shown, post, spoken, how)
        heard.append(spoken)
        notes += (*name_unread(post), *spoken.notes)
        words += (spoken.with_text(post.text), post.quoted)
    if not marks.has_words("\n".join(words)) and not shown.any_read:
        notes += shown.told()
        return replace(reply_without_words(posts, notes, heard), heard=tuple(heard))
    if not first.direct and (wish := addressing.read_wish(first.text)):
        return Turn(Reply(WISHES[wish]), quiet=QUIET.get(wish))
    if wanted := read_note_wish(posts):
        return Turn(await services.notes.remember(first, wanted))
    if wants_what_stands_there(posts):
        return Turn(Reply(WHICH_WORDS))
    texts = [spoken.in_full(post) for spoken, post in zip(heard, posts, strict=True)]
    whole = replace(first, text="\n\n".join(texts), added=tuple(posts[1:]))
    turn = await answer_in_conversation(whole, texts, live_reply, stop, services, shown=shown)
    told = turn.recollection.told if turn.recollection else shown.told()
    reply = replace(turn.reply, notes=(*notes, *told, *turn.reply.notes))
    unseen = turn.completion is not None and turn.completion.unseen
    return replace(turn, reply=reply, heard=forget_pictures(heard) if unseen else tuple(heard))


async def transcribe_files(
    incoming: Incoming, live_reply: LiveReply, stop: Stop, services: TurnServices, *, goes_on: bool
) -> SpokenWords | None:
    """The recordings in the message; None when somebody stopped it. `goes_on`: see MessageClips."""
    if not (incoming.files or (called_into_thread(incoming) and not goes_on)):
        return SpokenWords()
    recognition = RunningRecognition(
        services.clips.transcribe_files(incoming, progress=live_reply.show_transcribing, goes_on=goes_on)
    )
    return await finish_or_stop(recognition, stop)


async def finish_or_stop(work: StoppableWork[T], stop: Stop) -> T | None:
    """What comes of some work; None when somebody ended it."""
    stop.watch(work)
    try:
        return await work.result()
    finally:
        stop.watch(None)


def name_unread(incoming: Incoming) -> tuple[str, ...]:
    """What stands in the question and has no words, in a sentence."""
    things = ", ".join(incoming.unreadable)
    return (NOT_READ.format(things=things),) if things else ()


def reply_without_words(
    posts: Sequence[Incoming], notes: Sequence[str], heard: Sequence[SpokenWords]
) -> Turn:
    """Nothing was written, and nothing could be read or transcribed: no model is asked about that."""
    if not notes:
        return Turn(Reply(GREETING))
    if any(post.unreadable for post in posts):
        notes = (*notes, WHAT_I_READ)
    failed = any(spoken.failed is not None for spoken in heard)
    return Turn(Reply("\n".join(notes), whole=False, retryable=failed))


async def answer_in_conversation(
    incoming: Incoming,
    texts: Sequence[str],
    live_reply: LiveReply,
    stop: Stop,
    services: TurnServices,
    *,
    shown: ShownFiles,
) -> Turn:
    """From words to an answer, within the conversation and the channel's subject. `texts`: of each post."""
    how = await read_answer_settings(incoming, services)
    recollection = await services.memory.recall(incoming, how)
    recollection = replace(recollection, told=shown.told())
    live_reply.vouch_for([replace(m, text=marks.leave_out_quotes(m.text)) for m in recollection.messages])
    if recollection.turns >= services.settings.thread_turn_limit:
        return Turn(Reply(TURN_LIMIT))
    kept = access.remembers(incoming, services.settings)
    said = replace(incoming, text=marks.words_alone(incoming.text))
    ruling = await services.guard.rule(
        said, recollection.messages, summary=recollection.summary, posts=texts, kept=kept
    )
    recollection = leave_out_refused(recollection, ruling)
    if ruling and ruling.verdict.stops and not ruling.from_passages:
        return refuse(ruling, recollection)
    shown = await services.files.open_earlier(shown, incoming, recollection, how)
    recollection = shown.onto(recollection)
    mode = choose_mode(incoming, ruling, how, shown=shown)
    if mode == "only":
        access.admit_to_documents(incoming, services.settings)
    asking = ask_beside_files(
        incoming,
        recollection,
        ruling,
        how,
        services,
        mode=mode,
        shown=shown,
        progress=live_reply.show_reading,
    )
    asked = await finish_or_stop(StoppableWork(asking), stop)
    if asked is None:
        return stopped_before_words(recollection, ruling)
    found, shown = asked
    recollection = shown.onto(recollection)
    if mode == "only" or (found and not found.refused):
        return reply_from_documents(found, recollection, ruling)
    return await answer_from_model(
        incoming, recollection, ruling, how, live_reply, stop, services, found=found, shown=shown
    )


async def answer_from_model(
    incoming: Incoming,
    recollection: Recollection,
    ruling: Ruling | None,
    how: AnswerSettings,
    live_reply: LiveReply,
    stop: Stop,
    services: TurnServices,
    *,
    found: DocumentAnswer | None,
    shown: ShownFiles,
) -> Turn:
    """From what the model knows and what was attached, where documents were not asked, or said nothing
    (`found`)."""
    attached = await read_attached(incoming, recollection, how, services)
    completion, recollection, shown = await ask_until_it_fits(
        incoming, recollection, ruling, how, live_reply, stop, services, attached=attached, shown=shown
    )
    if completion.unseen:
        recollection = shown.without_pictures(CANNOT_SEE).onto(recollection)
    reply = make_reply(completion, incoming, recollection, ruling)
    if found and completion.text and not (attached or shown.names):
        reply = replace(reply, notes=(NOT_IN_DOCUMENTS, *reply.notes))
    return Turn(
        reply,
        recollection,
        completion,
        ruling.verdict.id if ruling else 0,
        documents=found,
        read_more=bool(attached or shown.names or shown.unkept),
        attached_tokens=await tokens.counted(attached or shown.unkept, how.model),
    )


def stopped_before_words(recollection: Recollection, ruling: Ruling | None) -> Turn:
    """Somebody wants no answer any more; that it was asked is remembered."""
    nothing = Completion("", "stopped", "", Usage(requests=0))
    reply = Reply(CUT["stopped"], whole=False)
    return Turn(reply, recollection, nothing, ruling.verdict.id if ruling else 0)


def leave_out_refused(recollection: Recollection, ruling: Ruling | None) -> Recollection:
    """What the model may read of the conversation: no request that the channel's guard refused."""
    if ruling is None:
        return recollection
    messages, summary = ruling.choose(recollection.messages), ruling.choose_summary(recollection.summary)
    hidden = len(recollection.messages) - len(messages)
    return replace(recollection, messages=messages, summary=summary, hidden=hidden)


async def read_answer_settings(incoming: Incoming, services: TurnServices) -> AnswerSettings:
    """Persona, model, style and length of this channel, and what the guard has the model told of it."""
    at = Channel(incoming.conversation.team, incoming.conversation.channel)
    return await services.preferences.resolve(at, await services.guard.read_instruction(at))


def refuse(ruling: Ruling, recollection: Recollection) -> Turn:
    """One sentence that says what the channel is for; it is remembered, so that a follow-up has its
    context."""
    verdict = ruling.verdict
    completion = Completion(verdict.says, "stop", "", Usage(requests=0))
    return Turn(Reply(verdict.says, verdict=verdict.id), recollection, completion, verdict.id)


async def ask_until_it_fits(
    incoming: Incoming,
    recollection: Recollection,
    ruling: Ruling | None,
    how: AnswerSettings,
    live_reply: LiveReply,
    stop: Stop,
    services: TurnServices,
    *,
    attached: str,
    shown: ShownFiles,
) -> tuple[Completion, Recollection, ShownFiles]:
    """The model's answer, and what it has read for it: first pictures, then what was said long ago are left
    out where it has no room for all."""
    while True:
        try:
            completion = await ask_model(
                incoming, recollection, ruling, how, live_reply, stop, services, attached=attached
            )
            return completion, recollection, shown
        except ContextTooLong:
            if shown.names:
                shown = shown.without_pictures(NO_ROOM)
            else:
                recollection = await services.memory.shorten(incoming, recollection, how)
            recollection = shown.onto(leave_out_refused(recollection, ruling))


async def ask_model(
    incoming: Incoming,
    recollection: Recollection,
    ruling: Ruling | None,
    how: AnswerSettings,
    live_reply: LiveReply,
    stop: Stop,
    services: TurnServices,
    *,
    attached: str = "",
) -> Completion:
    """Asks the model, handing its words on as they come. `attached`: what files of the conversation say."""
    guarded = ruling is not None and not ruling.rules.shadow
    prompt = await make_prompt(incoming, recollection, how, services, guarded=guarded)
    if attached:
        prompt = replace(prompt, context=attached)
    brief = ruling is not None and ruling.verdict.notes
    stream = services.provider.stream(
        prompt,
        answer_scope(incoming),
        model=how.model,
        style=how.style,
        max_output_tokens=min(BRIEF_TOKENS, how.max_tokens) if brief else how.max_tokens,
    )
    stop.watch(stream)
    written = 0
    try:
        async for text in stream:
            live_reply.append(text)
            written += len(text)
            if written > ANSWER_LIMIT:
                break
    finally:
        stop.watch(None)
        await stream.aclose()
        if stream.taken_back:
            live_reply.take_back()
    completion = stream.completion
    return replace(completion, finish="length") if written > ANSWER_LIMIT else completion


def make_reply(
    completion: Completion, incoming: Incoming, recollection: Recollection, ruling: Ruling | None
) -> Reply:
    """The model's text with everything said that a person must know about it."""
    if not completion.text and (sentence := WORDLESS.get(completion.finish)):
        return Reply(sentence, whole=False, retryable=True)
    notes = [CUT[completion.finish]] if completion.finish in CUT else []
    if recollection.seen is not None:
        notes.append(SAW_ONLY_PART.format(seen=recollection.seen))
    elif recollection.unsummarised:
        notes.append(UNSUMMARISED)
    off = ruling.verdict if ruling and ruling.verdict.notes else None
    if off:
        notes.append(off.says)
    return Reply(
        completion.text or notes.pop(0),
        whole=completion.finish == "stop",
        notes=tuple(notes),
        retryable=completion.finish in ("late", "broken"),
        verdict=off.id if off else 0,
        follow_ups=offer_follow_ups(completion),
    )


def offer_follow_ups(completion: Completion) -> tuple[str, ...]:
    """The buttons under an answer. One that broke off has its own way to be tried again."""
    if not completion.text or completion.finish in ("late", "broken", "filtered"):
        return ()
    return ("again", "shorter", "longer") if completion.finish == "stop" else ("continue", "again", "shorter")
