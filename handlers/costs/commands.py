"""What /parley answers about money: usage, budget, owner, estimate, digest.

Each is acknowledged at once and answered by the response URL, because who may see what is asked of Slack
first and pictures take a second to draw. The plain `/parley usage` needs neither (handlers/commands.py).
Files go where only the asker reads them: into their direct messages with the app.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from bot.app import Services
from bot.core.errors import Incomplete, NotUnderstood
from bot.costs import budget_syntax
from bot.costs.budget_syntax import Show
from bot.costs.estimate import describe_wait, list_speech_models, read_hours
from bot.costs.viewer import Viewer
from bot.reports import digest
from bot.reports.chart_images import Picture
from bot.reports.formats import as_csv
from bot.reports.usage import UsageQuery, UsageRow
from bot.text.typed import read_keyword, tidy
from handlers.adapter import SlackChat
from handlers.costs import blocks as usage_blocks
from handlers.slack import blocks
from handlers.slack.payloads import team_of
from handlers.slack.uploads import Upload, share_files
from storage.place import Channel

ESTIMATE_HINT = "Try: `estimate 1.5 hours` of speech, or `estimate` and a text that is to be read."
OWNER_HINT = "Try: `owner`, `owner @name` or `owner remove @name`, in the channel it is about."
DIGEST_HINT = "Try: `digest on` or `digest off`."
OWNER = re.compile(r"(?:(?P<remove>remove|delete|dismiss)|add|name|is)? ?(?P<person>\S+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class CostAnswer:
    """What the asker is shown, and the files that are made for them after it."""

    text: str
    blocks: list[blocks.Block]
    files: Callable[[], Awaitable[list[Upload]]] | None = None


class CostCommands:
    """The sub-commands of /parley that are about money."""

    def __init__(self, services: Services, chat: SlackChat) -> None:
        self._services = services
        self._chat = chat

    async def answer(self, body: dict[str, Any], word: str, rest: str, respond: Any) -> None:
        """Carries out one sub-command after its acknowledgement; whatever goes wrong is said."""
        work = {
            "usage": self.usage,
            "budget": self.budget,
            "owner": self.owner,
            "estimate": self.estimate,
            "digest": self.digest,
        }[word]
        answer = await work(body, rest)
        await respond(**blocks.ephemeral(answer.text, answer.blocks))
        if answer.files:
            await self._send(body["user_id"], answer.text, await answer.files())

    async def _send(self, user: str, comment: str, files: list[Upload]) -> None:
        if files:
            direct = await self._chat.directory.open_direct(user)
            await share_files(
                self._chat.slack, self._services.settings, files, channel=direct, comment=comment
            )

    # usage

    async def usage(self, body: dict[str, Any], words: str) -> CostAnswer:
        """A report over all the asker may see; its picture and its CSV go into their direct messages."""
        costs, team = self._services.costs, team_of(body)
        question = costs.parse(words)
        viewer = await self._find_viewer(team, body["user_id"], here=body["channel_id"])
        rows = await costs.rows(team, question.span, viewer, *question.by)
        self._log_access(team, viewer, "usage", question.scope)
        files = partial(self._files, team, question, viewer) if rows else None
        found = usage_blocks.report(question, rows, await self._find_names(rows), _describe_sight(viewer))
        link = usage_blocks.open_page(costs.link(team, viewer.user))
        shown = [*found, *usage_blocks.gap(viewer.gap), *link]
        return CostAnswer(f"Usage, {question.span.label}", shown, files)

    async def _files(self, team: str, question: UsageQuery, viewer: Viewer) -> list[Upload]:
        costs, files = self._services.costs, []
        rows = await costs.details(team, question.span, viewer)
        names = await self._find_names(rows)
        picture = await costs.picture(team, question, viewer, names)
        if picture:
            files.append(_png("usage", question.span.label, picture))
        if question.csv:
            text = as_csv(rows, names=names)
            files.append(Upload(f"usage-{question.span.first}.csv", text.encode(), question.span.label))
        return files

    # budget

    async def budget(self, body: dict[str, Any], words: str) -> CostAnswer:
        """The budgets the asker may see, or an order about them."""
        costs, team = self._services.costs, team_of(body)
        viewer = await self._find_viewer(team, body["user_id"], here=body["channel_id"])
        asked = read_keyword(words)
        if asked == "log":
            changes = await costs.changes(team, viewer)
            self._log_access(team, viewer, "budgets", "the list of changes")
            names = await self._chat.directory.find_names(
                change.target
                for change in changes
                if change.scope != "channel" or viewer.knows(change.target)
            )
            zone = costs.calendar.zone
            return CostAnswer("Changes of budgets", usage_blocks.changes(changes, names, zone))
        if asked in ("", "list"):
            return await self._budgets(team, viewer)
        order = budget_syntax.parse(words, team=team, here=body["channel_id"], asker=viewer.user)
        if isinstance(order, Show):
            return await self._burn_down(team, order.id, viewer)
        done = await costs.order(team, order, viewer)
        listed = await self._budgets(team, viewer)
        return CostAnswer(done, [blocks.section(done), *listed.blocks])

    async def _budgets(self, team: str, viewer: Viewer) -> CostAnswer:
        found = await self._services.costs.standings(team, viewer)
        self._log_access(team, viewer, "budgets", "every budget")
        names = await self._chat.directory.find_names(one.budget.target for one in found)
        how = budget_syntax.HINT if viewer.admin or viewer.owns else "Budgets are the admins' to set."
        return CostAnswer("Budgets", usage_blocks.standings(found, names, how) + usage_blocks.gap(viewer.gap))

    async def _burn_down(self, team: str, id: int, viewer: Viewer) -> CostAnswer:
        costs = self._services.costs
        standing = await costs.standing(team, id, viewer)
        self._log_access(team, viewer, "budgets", f"budget {id}")
        names = await self._chat.directory.find_names([standing.budget.target])
        title = f"Budget of {usage_blocks.title_of(standing.budget, names)}"

        async def files() -> list[Upload]:
            picture = await costs.burn_down(standing, names)
            return [_png("budget", title, picture)] if picture else []

        return CostAnswer(title, usage_blocks.standings([standing], names, usage_blocks.FOLLOWS), files)

    # owner

    async def owner(self, body: dict[str, Any], words: str) -> CostAnswer:
        """Who owns this channel beside its creator; an admin names and dismisses."""
        costs, team, channel = self._services.costs, team_of(body), body["channel_id"]
        if words:
            match = OWNER.fullmatch(tidy(words))
            if not match or channel.startswith("D"):  # direct messages are their person's
                raise NotUnderstood(words, OWNER_HINT)
            person = budget_syntax.read_person(match["person"])
            viewer = await self._find_viewer(team, body["user_id"])
            act = costs.dismiss_owner if match["remove"] else costs.name_owner
            await act(team, channel, person, viewer)
        named = await costs.owners(team, channel)
        return _sentence(usage_blocks.owners(named))

    # estimate

    async def estimate(self, body: dict[str, Any], words: str) -> CostAnswer:
        """What hours of speech, or a text, would cost on each model."""
        if not words:
            raise Incomplete(ESTIMATE_HINT)
        at = Channel(team_of(body), body["channel_id"])
        here = await self._services.preferences.resolve(at)
        estimator = self._services.costs.estimator(here.model)
        wait = ""
        if hours := read_hours(words):
            listening = list_speech_models(self._services.settings.speech_model)
            found = estimator.estimate_transcription(hours, listening) + estimator.estimate_analysis(hours)
            wait = describe_wait(hours)
        else:
            found = await asyncio.to_thread(estimator.estimate_answer, words, answer_tokens=here.max_tokens)
        return CostAnswer("What it would cost", usage_blocks.estimates(found, wait))

    # digest

    async def digest(self, body: dict[str, Any], words: str) -> CostAnswer:
        """Every Monday last week's costs, for those who ask for it."""
        costs, team, user = self._services.costs, team_of(body), body["user_id"]
        match read_keyword(words):
            case "on":
                await digest.subscribe(costs, team, user)
                return _sentence("Every Monday I will tell you what the week before cost.")
            case "off":
                await digest.unsubscribe(costs, team, user)
                return _sentence("I will not send you the week's costs any more.")
        raise NotUnderstood(words, DIGEST_HINT) if words else Incomplete(DIGEST_HINT)

    # Who asks

    async def _find_viewer(self, team: str, user: str, *, here: str = "") -> Viewer:
        """The asker, with what they may see now; `here`: where they ask."""
        named = await self._services.costs.owned_by(team, user)
        return await self._chat.directory.find_viewer(team, user, named=named, here=here)

    def _log_access(self, team: str, viewer: Viewer, about: str, scope: str) -> None:
        self._services.access_log.note(team, viewer.user, about, f"{scope}; {viewer.sees}")

    async def _find_names(self, rows: Iterable[UsageRow]) -> dict[str, str]:
        return await self._chat.directory.find_names({id for row in rows for id in (row.channel, row.user)})


def _sentence(text: str) -> CostAnswer:
    return CostAnswer(text, [blocks.section(text)])


def _describe_sight(viewer: Viewer) -> str:
    if viewer.admin:
        return usage_blocks.ADMIN_SEES
    return usage_blocks.OWNER_SEES if viewer.owns else usage_blocks.SEES_OWN


def _png(name: str, title: str, picture: Picture) -> Upload:
    return Upload(f"{name}.png", picture.png, title, picture.alt)
