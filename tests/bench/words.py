"""When words became visible in Slack, against when the model said them, from what both fakes recorded."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from bot.sandbox.model.exchange import ApiRequest
from bot.sandbox.slack.record import SlackRequest
from tests.support.workspace import text_of

QUESTION = re.compile(r"load-\d{6}")
Visible = dict[str, list[tuple[float, int]]]


def visible_words(requests: Iterable[SlackRequest]) -> Visible:
    """By thread: (when, how many words of the reply people could read from then on), oldest first."""
    shown: defaultdict[str, list[tuple[float, int]]] = defaultdict(list)
    text: dict[str, str] = {}
    threads: dict[str, str] = {}
    for request in requests:
        a = request.arguments
        if not request.ok:
            continue
        if request.method in ("chat.startStream", "chat.postMessage"):
            ts, thread = str(request.response["ts"]), str(a.get("thread_ts"))
            threads[ts], text[ts] = thread, _text(a)
        elif request.method in ("chat.appendStream", "chat.stopStream"):
            ts = str(a["ts"])
            text[ts] = text.get(ts, "") + _text(a)
        elif request.method == "chat.update":
            ts = str(a["ts"])
            text[ts] = _text(a)
        else:
            continue
        if ts in threads:
            shown[threads[ts]].append((request.at, len(text[ts].split())))
    return dict(shown)


def _text(arguments: Mapping[str, object]) -> str:
    chunks = arguments.get("chunks")
    if isinstance(chunks, list):
        return "".join(str(chunk.get("text", "")) for chunk in chunks)
    return text_of(dict(arguments))


def lateness_ms(
    words: int, visible: Visible, spoken: Iterable[ApiRequest], asked: Mapping[str, str], *, per_s: float
) -> list[float]:
    """For each question: from the model's n-th word until so many could be read, in milliseconds.

    The model says a word per token, `per_s` of them a second (0: all at once). `asked`: threads by question.
    """
    found = []
    for request in spoken:
        question = QUESTION.search(request.prompt)
        thread = asked.get(question[0]) if question else None
        if thread is None:
            continue
        said_at = request.first_token_at + ((words - 1) / per_s if per_s else 0.0)
        seen_at = next((at for at, count in visible.get(thread, ()) if count >= words), None)
        if seen_at is not None:
            found.append(1000 * (seen_at - said_at))
    return found
