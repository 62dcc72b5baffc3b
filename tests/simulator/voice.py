"""Recordings in a story: clips that ask something, dropped into channels, threads and direct messages.

What is decoded is played by tests/simulator/decoder.py, where files come from by filehost.py, what is heard
here. A clip is a question like every other, so all that holds of questions holds of it; here is what holds of
its card, its minutes and what was paid for it.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from typing import Any
from uuid import uuid5

from bot.core.ids import CARDS
from bot.sandbox.slack.people.acts import FileUpload
from bot.sandbox.slack.people.forms import NotPossible
from handlers.slack.blocks import FORGET_CLIP
from handlers.slack.own_messages import is_card
from handlers.voice.blocks import TRANSLATE
from tests.simulator import decoder
from tests.simulator.deletions import deletion_arrived
from tests.simulator.model import WHOLE, Asked
from tests.simulator.part import Doing, Part
from tests.simulator.people import Post, question
from tests.simulator.plan import CHANNELS, Act
from tests.simulator.promises import replies_to

FIRST = 101  # clips are numbered from here
TROUBLE = ("", "", "", "", "", "refused", "silent", "dies")


class Voice(Part):
    """Some stories have clips."""

    def environment(self) -> Mapping[str, str]:
        self.on = self.dice.random() < 0.3
        self._clips: dict[int, tuple[int, float, str]] = {}  # parts, seconds of each, trouble, by number
        self.story.minds |= {"transcription": self._hear, "translation": self._translate}
        return {
            "PARLEY_VOICE_LISTEN": self.dice.choice(("mentioned", "threads", "every")),
            "PARLEY_VOICE_ENGLISH": self.dice.choice(("always", "asked")),
            "PARLEY_VOICE_PERSON_MINUTES": self.dice.choice(("0.2", "240", "240")),
        }

    # What the model hears

    def _hear(self, asked: Asked, body: Mapping[str, Any]) -> dict[str, Any]:
        part = json.loads(body["file"])
        last = part.get("index", 0) == part.get("of", 1) - 1
        text = question(part["number"]) if last else _beginning(part["number"], part["index"])
        reply: dict[str, Any] = {"text": text, "language": "german"}
        return reply | {"usage": {"type": "duration", "seconds": _seconds(part)}}

    def _translate(self, asked: Asked, body: Mapping[str, Any]) -> str:
        return f"In English: {question(asked.number or 0)}"

    # What people do

    def acts(self) -> Iterable[Act]:
        at_s = 0.0
        for number in range(FIRST, FIRST + self.dice.randint(1, 3) if self.on else 0):
            at_s += self.dice.choice((0.0, 2.0, 20.0)) * self.dice.random()
            yield Act(at_s, "clip", number, self.dice.choice(CHANNELS))
            kind = self.dice.choice(
                ("", "", "", "clip_delete", "clip_translate", "clip_forget", "clip_again")
            )
            if kind:
                yield Act(at_s + self.dice.choice((2.0, 6.0, 60.0)) * self.dice.random(), kind, number)

    def does(self) -> Mapping[str, Doing]:
        return {
            "clip": self._drop,
            "clip_delete": self._delete,
            "clip_translate": self._press_translate,
            "clip_forget": self._press_forget,
            "clip_again": self._again,
        }

    async def _drop(self, act: Act) -> None:
        """A clip, sometimes with a mention, sometimes in a thread that is there."""
        story, dice = self.story, self.story.dice
        user = "alice" if act.channel == "@parley" else dice.choice(("alice", "bob"))
        mention = act.channel != "@parley" and dice.random() < 0.6
        threads = [
            post.thread for post in story.posts.values() if post.channel == act.channel and not post.deleted
        ]
        thread = dice.choice(threads) if threads and dice.random() < 0.3 else ""
        parts, part_s, trouble = dice.choice((1, 1, 2, 4)), dice.choice((2.5, 4.0)), dice.choice(TROUBLE)
        self._clips[act.number] = (parts, part_s, trouble)
        content = decoder.clip(act.number, parts=parts, part_s=part_s, trouble=trouble)
        upload = FileUpload("audio_message.m4a", content, voice=True, duration_s=parts * part_s)
        text = "@parley" if mention else ""
        ts = await story.slack.say(user, act.channel, text, thread_ts=thread or None, files=[upload])
        story.tell(
            f"{user} says q{act.number} in {act.channel} {ts} (thread {thread or ts}): {parts} {trouble}"
        )
        sure = mention or act.channel == "@parley"
        story.posts[act.number] = Post(act.number, user, act.channel, ts, thread or ts, sure)
        file = self._place(story.posts[act.number]).messages[ts]["files"][0]["id"]
        story.cards[self._card_id(story.posts[act.number], file)] = act.number

    async def _delete(self, act: Act) -> None:
        post = self._said(act)
        self.story.tell(f"{post.user} deletes the clip q{act.number}")
        post.deleted = True
        await self.story.slack.delete(post.user, post.channel, post.ts)

    async def _press_translate(self, act: Act) -> None:
        self._press(self._said(act), TRANSLATE)

    async def _press_forget(self, act: Act) -> None:
        self._press(self._said(act), FORGET_CLIP)

    async def _again(self, act: Act) -> None:
        await self.story.does["again"](act)

    def _press(self, post: Post, action: str) -> None:
        for message in self._cards(post):
            self.story.tell(f"{post.user} presses {action} of q{post.number}")
            if action == FORGET_CLIP:
                post.forgotten = post.taken_back = True
            self.story.beside(self.story.slack.press(post.user, post.channel, message["ts"], action))

    def _said(self, act: Act) -> Post:
        post = self.story.posts.get(act.number)
        if post is None or post.deleted:
            raise NotPossible("nobody said that")
        return post

    def _post(self, number: int | None) -> Post:
        return self.story.posts[number or 0]

    def _place(self, post: Post) -> Any:
        return self.story.slack.directory.find_place(post.user, post.channel)[2]

    def _card_id(self, post: Post, file: str) -> str:
        place = self._place(post)
        return str(uuid5(CARDS, f"{self.story.slack.team}:{place.id}:{post.ts}:{file}"))

    def _cards(self, post: Post) -> list[dict[str, Any]]:
        ids = [id for id, number in self.story.cards.items() if number == post.number]
        return [m for m in self._place(post).messages.values() if is_card(m) and _id_of(m) in ids]

    # What must hold

    def made(self, asked: Asked) -> Iterator[str]:
        """What was heard and written down is not sent again."""
        if asked.kind == "transcription" and not self._post(asked.number).forgotten:
            last = self._clips[asked.number or 0][0] - 1
            said = question if asked.piece == last else lambda number: _beginning(number, asked.piece)
            found = "select 1 as found from recording_parts where instr(heard, :said) > 0 limit 1"
            if self.story.tx.one(found, said=said(asked.number or 0)):
                yield f"KNOWN AND PAID AGAIN: part {asked.piece} of q{asked.number}"

    def broken(self) -> Iterator[str]:
        for number, replies in replies_to(self.story).items():
            if number in self._clips:
                yield from self._shown(self.story.posts[number], replies)
        yield from self._gone()
        yield from self._paid_once()
        yield from self._minutes()

    def _shown(self, post: Post, replies: list[str]) -> Iterator[str]:
        """What was heard and answered stands in the thread, once."""
        self.story.outcome.counts["clips"] += 1
        answered = any(f"Answer {post.number}:" in text for text in replies)
        cards = len(self._cards(post))
        gone = post.deleted or post.forgotten
        if answered and cards != 1 and not gone and not self._place(post).archived:
            yield f"{cards} CARDS of q{post.number}, which was answered"
        if self._clips[post.number][2] and (answered or cards):
            yield f"q{post.number} was {self._clips[post.number][2]}, and it was heard"

    def _gone(self) -> Iterator[str]:
        """Of a clip whose message is gone no card is left; of its words: tests/simulator/deletions.py."""
        for number in self._clips:
            post = self.story.posts.get(number)
            if post is None or not post.deleted or not deletion_arrived(self.story, post):
                continue
            if self._cards(post) and not self._place(post).archived:
                yield f"a card is left of q{number}, which was deleted"

    def _paid_once(self) -> Iterator[str]:
        """A part that was heard is not sent again, unless the process died over it.

        Who deletes a question has erased what was heard in its thread for it, before others ask about that.
        """
        left = {post.thread for post in self.story.posts.values() if post.deleted}
        requests = defaultdict(list)
        for asked in self.story.asked:
            if asked.kind == "transcription" and asked.end == WHOLE:
                requests[asked.number, asked.piece].append(asked)
        for (number, piece), times in requests.items():
            post = self._post(number)
            if self.story.plan.busy or post.forgotten or post.thread in left or self._lost_its_first(post):
                continue
            if any(not asked.life.killed for asked in times[:-1]):
                yield f"PAID TWICE: part {piece} of q{number}"

    def _lost_its_first(self, post: Post) -> bool:
        """Whether it may have been heard with a post before it, which was deleted: then again by itself."""
        posts = self.story.posts.values()
        before = [p for p in posts if (p.user, p.channel) == (post.user, post.channel) and p.ts < post.ts]
        return any(each.deleted for each in before)

    def _minutes(self) -> Iterator[str]:
        """Each recording is counted once, with its length; what the ledger says was heard, was."""
        tx = self.story.tx
        counted = Counter(row["length_s"] for row in tx.all("select length_s from recording_minutes"))
        there = Counter(parts * part_s for parts, part_s, _ in self._clips.values())
        again = [n for n in self._clips if n in self.story.posts and self._lost_its_first(self._post(n))]
        there.update(self._clips[n][0] * self._clips[n][1] for n in again)
        if more := counted - there:
            yield f"minutes of recordings that are not there: {dict(more)}"
        rows = tx.all("select audio_seconds as s from ledger where kind = 'transcription' and outcome = 'ok'")
        sent = Counter(a.seconds for a in self.story.asked if a.kind == "transcription" and a.end == WHOLE)
        if more := Counter(row["s"] for row in rows) - sent:
            yield f"seconds in the ledger that nobody heard: {dict(more)}"


def _beginning(number: int, piece: int) -> str:
    return f"Well, this is part {piece} of clip {number}."


def _id_of(message: Mapping[str, Any]) -> str:
    return str(message.get("metadata", {}).get("event_payload", {}).get("id", ""))


def _seconds(part: Mapping[str, Any]) -> float:
    return float(part["length_s"] if "length_s" in part else part["part_s"])
