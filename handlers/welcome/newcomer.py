"""What a newcomer reads first in App Home: what Parley is, that it is an AI, what it keeps and learns."""

from __future__ import annotations

from bot.core.settings import Settings
from handlers.slack.blocks import Block, header, section
from handlers.slack.mrkdwn import escape

WHAT = (
    "I am an AI assistant for the whole team. I answer questions, draft and explain texts, sum up threads; "
    "in each thread I remember what was said. A voice clip is as good as a message."
)
HOW = (
    "*How to ask*\n"
    "• In a channel I am in: mention {me} and write what you want to know.\n"
    "• Between the two of us: write in the *Messages* tab above.\n"
    "• Then go on in the thread that opens: most channels need no mention there."
)
EXAMPLES = (
    "Draft a short message to the team: the office is closed on Friday.",
    "Explain in simple words what a purchase order is.",
    "Sum up this thread: what is decided, and who does what?",
)
AN_AI = "*You talk with an AI*\n{sentence}"
PRIVACY = (
    "*Your words*\n"
    "I read what mentions me, what you write to me directly, the threads I take part in, and all of a "
    "channel that wants it so; an AI model is given that to answer, and I keep it {span}. "
    "`/parley forget` erases it sooner, and `/parley export` shows you everything I keep of yours."
)
TEACHING = (
    "*What teaches me*\n"
    "In a channel with a subject, a message of which somebody says with 👍, *Should have answered* or "
    "*Should have refused* whether it belongs becomes an example by which I judge later ones there. Messages "
    "of guests and other companies never do."
)


def newcomer(settings: Settings, sentence: str, me: str) -> list[Block]:
    """The first part of App Home. `me`: our own user, "" while Slack has not told."""
    mention = f"<@{me}>" if me else "me"
    examples = "\n".join(f"• {escape(example)}" for example in EXAMPLES)
    return [
        header("Parley"),
        section(WHAT),
        section(HOW.format(me=mention)),
        section(f"*Three things to try*\n{examples}"),
        section(AN_AI.format(sentence=escape(sentence))),
        section(PRIVACY.format(span=_span(settings.keep_messages_days))),
        section(TEACHING),
    ]


def _span(days: float) -> str:
    if not days:
        return "until somebody has it forgotten"
    return "for a day" if days == 1 else f"for {days:g} days"
