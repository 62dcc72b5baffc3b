"""The slash command /parley: a word, then what it needs. Answers are for the asker's eyes only."""

from __future__ import annotations

import re
from typing import Any

from bot.app import Services
from bot.core.errors import NotUnderstood
from bot.core.settings import Settings
from bot.core.values import Conversation
from bot.text.typed import find_nearest, read_keyword, split_first, tidy
from handlers.adapter import SlackChat
from handlers.channel.listeners import ChannelSettings
from handlers.costs import blocks as usage_blocks
from handlers.costs.commands import CostCommands
from handlers.fields.commands import FieldCommands
from handlers.knowledge.commands import KnowledgeCommands
from handlers.notes.listeners import NoteActions
from handlers.slack import blocks
from handlers.slack.mrkdwn import read_typed
from handlers.slack.payloads import team_of
from handlers.slack.places import find_place
from handlers.slack.uploads import Upload, share_files
from handlers.unanswered.window import UnansweredWindow

HELP = {
    "help": "what Parley does",
    "usage": "what this channel has used this month, and what it cost",
    "usage month by person csv": "a report with its picture: today, week, last month or 2026-10; by channel, "
    "person, model, kind or day; csv for a file",
    "budget": "the budgets and what is left of them; `budget channel 20 per month` sets one",
    "estimate 2 hours": "what so much speech, or the text you write there, would cost on each model",
    "digest on": "every Monday what last week cost; `digest off` ends it",
    "owner @name": "who owns this channel; named by admins",
    "settings": "how this channel is answered (persona, model, length), what it is for, what its guard did, "
    "and how voice clips are heard; for its owners",
    "knowledge add": "answer from the file dropped here last, or from what a link points to: `knowledge add "
    "LINK`; for the whole workspace, by admins: `knowledge add workspace`",
    "knowledge list": "the documents that I answer from here; `knowledge remove NAME` takes one out",
    "knowledge page": "documents, questions answered and refused, and tables of this channel, as a web page",
    "knowledge unanswered": "what my documents could not answer here, how often it was asked, and what can "
    "be done about it; for its owners",
    "fields": "tables out of the documents here: which fields are read from which kind, their rows, and what "
    "is to be looked at; `fields invoice: number, date, supplier, total with currency` describes some",
    "fields NAME csv": "all rows as a file, in your direct messages; `jsonl` with page and quote of each "
    "value; `fields NAME` shows the table",
    "notes": "what I was asked to remember here; say “remember that …” to me to add to it",
    "keep 7": "after how many days what is said in this channel is erased; `keep off`: as everywhere",
    "forget thread": "forget your latest thread with Parley here (or: `forget thread LINK`)",
    "forget all": "forget everything of yours, in every thread; asks first and says what goes",
    "export": "everything I keep of yours, as a file in your direct messages",
}
# What people write before a command, though Slack knows whom it is for.
OURSELVES = ("parley",)
ASK_ELSEWHERE = "To ask me something, mention me or write to me directly. The commands I know are:"
EVERYTHING = frozenset({"all", "everything", "all of it", "everything of mine", "me", "all my messages"})
UNANSWERED = frozenset({"unanswered", "unanswered questions", "open questions"})
LATEST_THREAD = frozenset({"thread", "this thread", "the thread", "my thread", "latest thread"})
THREAD_LINK = re.compile(r"(?:(?:this |the )?thread:? )?(?P<link>https?://\S+)", re.IGNORECASE)
FORGET_HINT = "I can forget a thread, or everything of yours."
EXPORTED = "Everything I keep of yours. `/parley forget all` erases your words, and says first what stays."
EXPORT_SENT = "It is in your direct messages with me."
# A permalink's channel, message and thread. Source: chat.getPermalink's example responses.
PERMALINK = re.compile(r"/archives/(?P<channel>\w+)/p(?P<message>\d{7,})(?:\?thread_ts=(?P<thread>[\d.]+))?")


class Commands:
    """Listener for /parley."""

    def __init__(
        self,
        services: Services,
        chat: SlackChat,
        settings: ChannelSettings,
        knowledge: KnowledgeCommands,
        unanswered: UnansweredWindow,
        notes: NoteActions,
        *,
        fields: FieldCommands,
    ) -> None:
        self._services = services
        self._notes = notes
        self._knowledge = knowledge
        self._unanswered = unanswered
        self._fields = fields
        self._settings = settings
        self._chat = chat
        self._costs = CostCommands(services, chat)

    async def parley(self, ack: Any, body: dict[str, Any], respond: Any) -> None:
        """Answers within the acknowledgement where a read or one small write is enough, else after it."""
        word, rest = split_command(body.get("text") or "", self._chat.slack.bot_user)
        match word:
            case "help":
                await ack(**help_with(rest))
            case "usage" if not rest:
                await ack(**await self._usage(body))
            case "usage" | "budget" | "owner" | "estimate" | "digest":
                await ack()
                await self._costs.answer(body, word, rest, respond)
            case "settings":
                refuse_more(word, rest)
                await ack()
                await self._settings.open_here(body)
            case "knowledge" if read_keyword(rest) in UNANSWERED:
                await ack()
                await self._unanswered.open_here(body)
            case "knowledge":
                await ack()
                await self._knowledge.answer(body, rest, respond)
            case "fields":
                await ack()
                await self._fields.answer(body, rest, respond)
            case "notes":
                refuse_more(word, rest)
                await ack()
                await self._notes.open_list(body)
            case "keep":
                await ack()
                await self._settings.set_retention(body, rest, respond)
            case "export":
                refuse_more(word, rest)
                await ack()
                await self._export(body, respond)
            case "forget":
                await ack(**await self._forget(body, rest))
            case _:
                await ack(**unknown_command(word))

    async def _usage(self, body: dict[str, Any]) -> dict[str, Any]:
        team, channel = team_of(body), body["channel_id"]
        used = await self._services.costs.this_month(team, channel=channel)
        self._services.access_log.note(team, body["user_id"], "usage", f"this month's total of {channel}")
        month = self._services.costs.parse("").span.label
        title = "This month in this channel"
        return blocks.ephemeral(title, usage_blocks.month_usage(title, month, used))

    async def _export(self, body: dict[str, Any], respond: Any) -> None:
        """What is kept of the asker goes where only they read it."""
        content = await self._services.forgetting.export_person(team_of(body), body["user_id"])
        direct = await self._chat.directory.open_direct(body["user_id"])
        file = Upload("parley-export.json", content, "What Parley keeps of you")
        await share_files(self._chat.slack, self._services.settings, [file], channel=direct, comment=EXPORTED)
        await respond(**blocks.ephemeral(EXPORT_SENT, [blocks.section(EXPORT_SENT)]))

    async def _forget(self, body: dict[str, Any], what: str) -> dict[str, Any]:
        team, user, forgetting = team_of(body), body["user_id"], self._services.forgetting
        words = read_keyword(what)
        if words in EVERYTHING:
            kept = await forgetting.count_kept(team, user)
            return blocks.ephemeral("Forget everything of yours?", blocks.forget_all_question(kept))
        if (named := THREAD_LINK.fullmatch(tidy(what))) and (link := PERMALINK.search(named["link"])):
            place = read_permalink(self._services.settings, team, link)
            sentence = blocks.forgotten(await forgetting.forget_thread(place, user))
        elif words in LATEST_THREAD:
            sentence = blocks.forgotten(await forgetting.forget_latest_thread(team, body["channel_id"], user))
        else:
            question = blocks.forget_question(await forgetting.count_kept(team, user))
            if words:
                return blocks.notice(NotUnderstood(what, FORGET_HINT), *question)
            return blocks.ephemeral("What shall I forget?", question)
        return blocks.ephemeral(sentence, [blocks.section(sentence)])


def split_command(text: str, bot: str) -> tuple[str, str]:
    """The word of a command, `help` without one, and what comes after it, as it was typed. What people copy
    along with it, like `/parley` once more, is left out; `bot` is our own user."""
    rest = read_typed(text, without=bot)
    word = ""
    while rest and word in ("", *OURSELVES):
        first, rest = split_first(rest)
        word = read_keyword(first).strip("/@")
    return "help" if word in ("", *OURSELVES) else word, rest


def help_with(words: str) -> dict[str, Any]:
    """Every command with what it does, or those of one word. NotUnderstood words are said above them."""
    asked = read_keyword(words)
    found = {name: what for name, what in HELP.items() if asked in ("", name.partition(" ")[0])}
    if found:
        return blocks.ephemeral("What I do", blocks.help(found))
    return blocks.notice(_not_known(words, asked), *blocks.help(HELP))


def unknown_command(word: str) -> dict[str, Any]:
    """That there is no such command, with the nearest one, above all there are."""
    return blocks.notice(_not_known(word, word), *blocks.help(HELP))


def _not_known(words: str, word: str) -> NotUnderstood:
    nearest = find_nearest(word, dict.fromkeys(name.partition(" ")[0] for name in HELP))
    meant = [f"Did you mean `/parley {near}`?" for near in nearest] or [ASK_ELSEWHERE]
    return NotUnderstood(words, " ".join(meant))


def refuse_more(word: str, rest: str) -> None:
    """NotUnderstood for words behind a command that takes none."""
    if rest:
        raise NotUnderstood(rest, f"`{word}` takes no more words.")


def read_permalink(settings: Settings, team: str, link: re.Match[str]) -> Conversation:
    """The conversation a permalink points into."""
    message = f"{link['message'][:-6]}.{link['message'][-6:]}"
    return find_place(settings, team, link["channel"], link["thread"] or message)
