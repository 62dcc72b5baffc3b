"""What was deleted in a story: of a post that its author took back, not a word stays anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from storage.schema import WORDS_OF
from tests.simulator.part import Part
from tests.simulator.people import EDITED, Post

if TYPE_CHECKING:
    from tests.simulator.story import Story


class Deletions(Part):
    """Whatever was under way when the deletion came, in whichever process."""

    def broken(self) -> Iterator[str]:
        for table in sorted(WORDS_OF):
            kept = str(self.story.tx.all(f"select * from {table}"))
            for post in self.story.posts.values():
                words = (f"q{number} " for number in (post.number, post.number + EDITED))
                found = post.deleted and any(word in kept for word in words)
                if found and deletion_arrived(self.story, post):
                    yield f"words of q{post.number}, which was deleted, are left in {table}"


def deletion_arrived(story: Story, post: Post) -> bool:
    """Whether Slack was told that we know of it."""
    events = [d.payload["event"] for d in story.slack.deliveries if d.acked and d.kind == "events_api"]
    return any(
        event.get("subtype") == "message_deleted" and event["deleted_ts"] == post.ts for event in events
    )
