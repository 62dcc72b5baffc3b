"""Everything that can go wrong, as one tree.

The docstring of a leaf is the sentence a person reads; braces name attributes of the error. What the
outside world said (exception text, payloads, tokens) goes to the log through ``raise ... from exc`` and never
to Slack.

    BotError            notice: what the person reads; retry: may the inbox try again
    ├ AskError          the person can change it
    ├ SetupError        the operator must change it; found at start
    ├ ProviderError     the model API: Unavailable (retry) or Refused (final)
    ├ SlackError        Slack's API: SlackUnavailable (retry) or SlackRefused (final)
    ├ StorageError      our own rows: Busy (retry), Conflict, Missing
    └ JobError          what became of a job: GaveUp, TooOld
"""

from __future__ import annotations

from inspect import cleandoc
from typing import ClassVar

QUOTED = 100  # characters of what somebody wrote that an error repeats


class BotError(Exception):
    """Something went wrong on my side. The people who run me can see it in the log."""

    retry: ClassVar[bool] = False

    @property
    def notice(self) -> str:
        """The sentence for the person: the docstring with this error's own values filled in."""
        return cleandoc(type(self).__doc__ or BotError.__doc__ or "").format_map(vars(self))


class AskError(BotError):
    """I cannot do that as it was asked."""


class BudgetExceeded(AskError):
    """The {what} budget is used up. It starts again {resets}; an admin can raise it before."""

    def __init__(self, what: str, resets: str) -> None:
        super().__init__(f"{what} budget used up until {resets}")
        self.what = what
        self.resets = resets


class BudgetTooSmall(BudgetExceeded):
    """This could cost up to {most}, but {left} of the {what} budget is left. It starts again {resets}."""

    def __init__(self, what: str, resets: str, *, most: str, left: str) -> None:
        super().__init__(what, resets)
        self.most = most
        self.left = left


class BudgetHeld(BudgetExceeded):
    """Other questions are using what is left of the {what} budget. Please ask again in a moment."""


class UnsupportedFile(AskError):
    """I could not read the file {name}: {reason}."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name}: {reason}")
        self.name = name
        self.reason = reason


class FileTooLarge(AskError):
    """The file {name} is larger than I take ({limit})."""

    def __init__(self, name: str, limit: str) -> None:
        super().__init__(f"{name} over {limit}")
        self.name = name
        self.limit = limit


class NotPermitted(AskError):
    """That is not yours to do: {why}."""

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.why = why


class NotHere(AskError):
    """I do not work in this channel. The people who run me decide where I do."""


class NotShared(AskError):
    """I do not answer where people of another company read along."""


class KeptInside(AskError):
    """What I know about this is for people of this workspace only."""


class NotUnderstood(AskError):
    """I did not understand “{words}”. {hint}"""

    def __init__(self, words: str, hint: str) -> None:
        super().__init__(words)
        self.words = _shorten(words)
        self.hint = hint


class Incomplete(AskError):
    """There is something missing. {hint}"""

    def __init__(self, hint: str) -> None:
        super().__init__(hint)
        self.hint = hint


class TooManyWords(Incomplete):
    """That is too long. {hint}"""


class UnknownName(AskError):
    """Slack did not tell me who or what “{name}” is: type @ or # and pick it from the list that opens."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = _shorten(name)


class SetupError(BotError):
    """I am not set up correctly. The people who run me can see what to change in the log."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


class InUse(SetupError):
    """Another copy of me is already at work on this database."""


class ProviderError(BotError):
    """The model could not answer."""


class Unavailable(ProviderError):
    """The model cannot be reached right now."""

    retry = True

    def __init__(
        self, detail: str = "", *, retry_after_s: float | None = None, restarting: bool = False
    ) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s
        # Nobody was there to take the request, as while a server restarts: worth waiting for.
        self.restarting = restarting


class Unreachable(Unavailable):
    """The model's server is not there right now."""


class RateLimited(Unavailable):
    """The model is busy right now."""


class Timeout(Unavailable):
    """The model took too long to answer."""


class Overloaded(Unavailable):
    """The model's service is overloaded or broken right now."""


class Refused(ProviderError):
    """The model's service would not take this request. The people who run me can see why in the log."""


class ModelMissing(Refused):
    """The model that should answer is not there any more. The people who run me can see which in the log."""


class NotOffered(Refused):
    """The model's service does not offer that. The people who run me can see which in the log."""

    def __init__(self, detail: str = "", *, for_model: bool = False) -> None:
        super().__init__(detail)
        self.for_model = for_model  # it may offer it for another one


class ContextTooLong(Refused):
    """This conversation is longer than the model can read, even shortened. Please start a new thread."""

    def __init__(self, detail: str = "", *, limit_tokens: int = 0, prompt_tokens: int = 0) -> None:
        super().__init__(detail)
        # What the model reads in all, and what it was given, where it says so; else 0.
        self.limit_tokens = limit_tokens
        self.prompt_tokens = prompt_tokens


class QuestionTooLong(ContextTooLong):
    """Your message alone is longer than the model can read. Please ask with less text at once."""


class ContentFiltered(Refused):
    """The model's service declined this for its content policy."""


class Credentials(Refused):
    """I am not available: my access to the model is not in order. The people who run me have been told."""


class QuotaSpent(Refused):
    """I am not available: my account with the model's service is used up. The people who run me know."""


class SlackError(BotError):
    """Slack did not take my message."""


class SlackUnavailable(SlackError):
    """Slack is slow to answer me right now."""

    retry = True

    def __init__(
        self, detail: str = "", *, retry_after_s: float | None = None, maybe_taken: bool = False
    ) -> None:
        super().__init__(detail)
        self.retry_after_s = retry_after_s
        # The request may have arrived: look before doing it again.
        self.maybe_taken = maybe_taken


class SlackLimited(SlackUnavailable):
    """Slack takes no more from me for a moment."""

    def __init__(self, *, retry_after_s: float) -> None:
        super().__init__("ratelimited", retry_after_s=retry_after_s)
        self.pause_s = retry_after_s


class SlackRefused(SlackError):
    """I could not write there ({code})."""

    def __init__(self, code: str, *, needed: str = "") -> None:
        super().__init__(code)
        self.code = code
        self.needed = needed  # the permission that the app lacks


class SlackRevoked(SlackUnavailable):
    """Slack does not let me in any more. The people who run me have been told."""

    def __init__(self, code: str, *, retry_after_s: float) -> None:
        super().__init__(code, retry_after_s=retry_after_s)
        self.code = code


class StorageError(BotError):
    """I could not save that just now."""


class Busy(StorageError):
    """My database is busy or full right now."""

    retry = True


class Conflict(StorageError):
    """That was changed by somebody else in the meantime."""


class TriedAgain(Conflict):
    """That button works once, and was pressed already. Please write what you would like instead."""


class Missing(StorageError):
    """That is not there any more."""


class JobError(BotError):
    """I could not finish this."""


class GaveUp(JobError):
    """I tried {times} and could not finish this. It is kept and can be started again."""

    def __init__(self, attempts: int) -> None:
        super().__init__(f"gave up after {attempts} attempts")
        self.attempts = attempts
        self.times = "once" if attempts == 1 else f"{attempts} times"


class TooOld(JobError):
    """I was away when you wrote this ({age} ago), so I leave it. Ask me again if you still need it."""

    def __init__(self, age: str) -> None:
        super().__init__(f"message is {age} old")
        self.age = age


def _shorten(words: str) -> str:
    return words if len(words) <= QUOTED else f"{words[:QUOTED]}…"
