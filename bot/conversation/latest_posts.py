"""The posts that were taken in last: Slack tells of many twice at once, as a message and as a mention.

What is in here is on disk. Anything else is looked up there.
"""

from __future__ import annotations

from collections import OrderedDict

from bot.core.values import Incoming

KEPT = 256  # posts: the other event of one comes within a moment


class LatestPosts:
    """By key, the fingerprint of each as it was stored: no words are kept."""

    def __init__(self) -> None:
        self._fingerprints: OrderedDict[str, int] = OrderedDict()

    def add(self, post: Incoming) -> None:
        """A post that is on disk now."""
        self._fingerprints[post.key] = hash(post)
        if len(self._fingerprints) > KEPT:
            self._fingerprints.popitem(last=False)

    def holds(self, post: Incoming) -> bool:
        """Whether the very same was stored: another event that tells more of it does not count."""
        return self._fingerprints.get(post.key) == hash(post)
