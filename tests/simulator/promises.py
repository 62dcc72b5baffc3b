"""What holds of every question at the end of a story, read off Slack and the database, not off what the bot
believes."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from bot.conversation.posts import AGAIN
from bot.conversation.turn import CUT
from bot.core.ids import message_key, reply_id
from storage.jobs.inbox import TOGETHER
from tests.simulator.model import answer_to
from tests.simulator.part import Part
from tests.simulator.people import EDITED, Post
from tests.support.workspace import is_final, text_of

if TYPE_CHECKING:
    from tests.simulator.story import Story

OF_AN_ANSWER = re.compile(r"Answer \d+:|\bw\d+n\d+")
TIMES = 6  # nobody presses more often
ELSEWHERE = "so here it is:\n\n"


class Answers(Part):
    """Each question has one end, in the model's words or ours, and nothing else of ours lies about."""

    def broken(self) -> Iterator[str]:
        story, said = self.story, ours(self.story)
        yield from _one_end(story, said)
        yield from _retries(story)
        yield from _strays(story)
        yield from _texts(story, said)
        yield from _shown(story)


def ours(story: Story) -> dict[str, list[dict[str, Any]]]:
    """Our final messages by the reply they belong to."""
    found = defaultdict(list)
    for message in _messages(story):
        if is_final(message):
            found[message["metadata"]["event_payload"]["id"]].append(message)
    return found


def _messages(story: Story) -> Iterator[dict[str, Any]]:
    ws = story.slack.workspace
    for channel in ws.channels.values():
        for message in list(channel.messages.values()):
            if message.get("user") == ws.bot:
                yield message | {"archived": channel.archived}


def key_of(story: Story, post: Post) -> str:
    ws = story.slack.workspace
    place = story.slack.directory.find_place(post.user, post.channel)[2]
    return message_key(ws.team, place.id, post.ts)


def replies_to(story: Story) -> dict[int, list[str]]:
    """What was said to each question, its first reply and one that was asked for again."""
    said = ours(story)
    found: dict[int, list[str]] = {}
    for number, post in story.posts.items():
        texts = [_text(said[id]) for id in replies_of(story, post) if id in said]
        found |= {number: texts} if texts else {}
    return found


def replies_of(story: Story, post: Post) -> list[str]:
    """The ids of its first reply, and of those that were asked for again, each because of the one before."""
    return [reply_id(key_of(story, post) + AGAIN * times) for times in range(TIMES)]


def replies_to_edits(story: Story, post: Post) -> list[str]:
    """The ids of replies to what a post became while its first answer was shown."""
    edited = f"{key_of(story, post)}:1%"  # a time
    return [
        reply_id(row["key"]) for row in story.tx.all("select key from inbox where key like :key", key=edited)
    ]


def joined(story: Story) -> dict[str, str]:
    """The keys of posts that were answered with the one before, and of that one. Of what was forgotten since,
    how it ended is not kept, only that nobody worked on it."""
    rows = story.tx.all(
        "select key, conversation, error, attempts, state from inbox where kind = 'message' order by seq"
    )
    first, found = dict[str, str](), dict[str, str]()
    for row in rows:
        forgotten = (row["state"], row["attempts"], row["error"]) == ("done", 0, "")
        if row["conversation"] in first and (row["error"] == TOGETHER or forgotten):
            found[row["key"]] = first[row["conversation"]]
        elif row["attempts"]:
            first[row["conversation"]] = row["key"]
    return found


def _text(messages: list[dict[str, Any]]) -> str:
    parts = sorted(messages, key=lambda message: message["metadata"]["event_payload"]["part"])
    return "".join(text_of(part) for part in parts)


def _one_end(story: Story, said: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """L0 and P1: each accepted question has one reply, nobody else has one, none is there twice."""
    known = {id: post for post in story.posts.values() for id in replies_of(story, post)}
    known |= {id: post for post in story.posts.values() for id in replies_to_edits(story, post)}
    for id, messages in said.items():
        parts = [m["metadata"]["event_payload"]["part"] for m in messages]
        if id not in known and id not in story.cards:
            yield f"a reply that nobody asked for: {text_of(messages[0])!r}"
        elif len(parts) != len(set(parts)):
            number = known[id].number if id in known else story.cards[id]
            yield f"SAID TWICE: q{number}: {len(parts)} times"
    together = joined(story)
    story.outcome.counts["answered with the one before"] += len(together)
    for post in story.posts.values():
        gone = post.deleted or post.taken_back
        first = together.get(key_of(story, post), key_of(story, post))
        if reply_id(first) not in said and not gone and _accepted(story, post):
            yield f"LOST: q{post.number} was accepted and has no answer"
    for row in story.tx.all("select seq, key, error from inbox where state = 'new'"):
        yield f"job {row['seq']} ({row['key']}) is not done: {row['error']}"


def _retries(story: Story) -> Iterator[str]:
    """Who used up the one other try of an answer gets it."""
    gone = {key_of(story, post) for post in story.posts.values() if post.deleted or post.taken_back}
    used = story.tx.all(
        "select i.key, a.key as again from replies r join inbox i on i.seq = r.job"
        f" left join inbox a on a.key = i.key || '{AGAIN}' where r.retried_at is not null"
    )
    story.outcome.counts["tried again"] += len(used)
    for row in used:
        if row["again"] is None and row["key"] not in gone:
            yield f"LOST: another try of {row['key']} was taken and never made"


def _accepted(story: Story, post: Post) -> bool:
    """Slack was told that we have it, and it is one that asks for an answer."""
    if not post.mentions:
        return bool(story.tx.one("select 1 as found from inbox where key = :key", key=key_of(story, post)))
    events = [d for d in story.slack.deliveries if d.kind == "events_api" and d.acked]
    return any(_is_about(delivery.payload["event"], post) for delivery in events)


def _is_about(event: dict[str, Any], post: Post) -> bool:
    is_post = event["type"] in ("message", "app_mention") and event.get("subtype") in (None, "file_share")
    return is_post and event["ts"] == post.ts


def _strays(story: Story) -> Iterator[str]:
    """Nothing of ours is left in a thread that belongs to no reply."""
    for message in _messages(story):
        if not is_final(message) and not message["archived"] and "thread_ts" in message:
            yield f"A STRAY: {message['ts']} {text_of(message)!r}"
    for channel, ts in story.slack.workspace.streams:
        if not story.slack.workspace.channels[channel].archived:
            yield f"a stream is left open: {ts}"


def _texts(story: Story, said: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """An answer is the model's, word for word; or its beginning, marked; or a sentence of ours."""
    whole, together = defaultdict(list), joined(story)
    for number, post in story.posts.items():
        ids = [*replies_of(story, post), *replies_to_edits(story, post)]
        if (key := key_of(story, post)) in together:
            ids += [reply_id(together[key] + AGAIN * times) for times in range(TIMES)]
        for id in ids:
            whole[id] += [answer_to(str(number)), answer_to(str(number + EDITED))]
    for id, messages in said.items():
        text = _text(messages).partition(ELSEWHERE)
        shown = (text[2] or text[0]).strip()
        answers = whole.get(id, ())
        if shown in answers or not OF_AN_ANSWER.search(shown):
            continue
        if not any(answer.startswith(shown) for answer in answers):
            yield f"WRONG WORDS: {shown!r}"
        elif not any(note in str(messages) for note in CUT.values()):
            yield f"cut without a word: {shown!r}"


def _shown(story: Story) -> Iterator[str]:
    """No spinner turns for ever, where Slack takes what it is told."""
    ws = story.slack.workspace
    if story.plan.slack.trouble:
        return
    for (channel, thread), session in ws.sessions.items():
        place = ws.channels[channel]
        if session["status"] == "processing" and thread in place.messages and not place.archived:
            yield f"AN ETERNAL SPINNER in {channel} {thread}"
