"""How much a prompt may hold: what the operator says, or less, for a model that is known to read little."""

from __future__ import annotations

from bot.channel.service import AnswerSettings
from bot.core.settings import Settings
from bot.provider.service import Provider
from bot.text import tokens

SUMMARY_TOKENS = 800
# Of a model that reads little: what its answer has at least a claim to, and what a summary may have at most,
# as parts of the whole; what stands in a prompt beside the words; and how far our counts are trusted.
ANSWER_SHARE, SUMMARY_SHARE = 4, 6
ABOUT_TOKENS = 160
SAFE_SHARE = 0.9


class PromptRoom:
    """The budget of prompts, in tokens."""

    def __init__(self, provider: Provider, settings: Settings) -> None:
        self._provider = provider
        self._settings = settings

    def is_small(self, how: AnswerSettings) -> bool:
        """Whether the model is known to read no more than so much."""
        return bool(self._provider.context_tokens(how.model))

    def budget_tokens(self, how: AnswerSettings) -> int:
        """Tokens that a prompt may have: as the operator says, or as many as a model that reads less has
        beside its answer."""
        limit = self._provider.context_tokens(how.model)
        if not limit:
            return self._settings.memory_tokens
        return min(self._settings.memory_tokens, limit - min(how.max_tokens, limit // ANSWER_SHARE))

    def passage_tokens(self, how: AnswerSettings) -> int:
        """How much of passages a prompt may hold: of a model that reads little, half."""
        budget = self.budget_tokens(how)
        return budget // 2 if self._provider.context_tokens(how.model) else budget

    async def beside(self, question: str, how: AnswerSettings) -> int:
        """What of the budget is left for a conversation, beside what is said and what is always told."""
        told = await self.count(how.system, how) + await self.count(question, how) + ABOUT_TOKENS
        return int((self.budget_tokens(how) - told) * SAFE_SHARE)

    def summary_tokens(self, how: AnswerSettings) -> int:
        """How long a summary may be: of a small context it takes its share."""
        return min(SUMMARY_TOKENS, self.budget_tokens(how) // SUMMARY_SHARE)

    async def count(self, text: str, how: AnswerSettings) -> int:
        """What a message of that text takes."""
        return await tokens.counted(text, how.model) + tokens.MESSAGE_TOKENS
