"""Blocks as plain text, kind by kind; a block that has no words is named in a mark.

Source: https://docs.slack.dev/reference/block-kit/blocks
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from bot.text.marks import tidy_name
from handlers.slack.mrkdwn import make_readable
from handlers.slack.reading import TOO_MUCH, Reading, WordlessMark, as_object, as_text
from handlers.slack.rich_text import read_rich_text

Block = dict[str, Any]

# What is read of a table; Slack takes 101 rows of 20 cells.
MOST_ROWS, MOST_COLUMNS = 1_000, 50
MOST_ADDRESS = 3_000  # characters of a button's address, as Slack takes them


def read_blocks(blocks: Any, reading: Reading) -> list[str]:
    """The blocks as text, each in as many parts as it has; what has no words is a `WordlessMark`."""
    return [part for block in reading.each(blocks) for part in _read_block(block, reading.deeper()) if part]


def _read_block(block: Block, reading: Reading) -> Iterator[str]:
    kind = block.get("type")
    read = _KINDS.get(kind) if isinstance(kind, str) else None
    if read is None:
        yield reading.findings.name_unknown(kind)
    else:
        yield from read(block, reading)


def read_text_object(value: Any, reading: Reading) -> str:
    """A text object (mrkdwn or plain_text), or a plain string."""
    if isinstance(value, str):
        return as_text(value).strip()
    text = as_text(as_object(value).get("text"))
    plain = as_object(value).get("type") == "plain_text"
    return text.strip() if plain else make_readable(text, without=reading.without)


def _read_section(block: Block, reading: Reading) -> Iterator[str]:
    yield read_text_object(block.get("text"), reading)
    for text in reading.each(block.get("fields")):
        yield read_text_object(text, reading)
    yield from _read_element(as_object(block.get("accessory")), reading)


def _read_title(block: Block, reading: Reading) -> Iterator[str]:
    yield read_text_object(block.get("text"), reading)


def _read_context(block: Block, reading: Reading) -> Iterator[str]:
    """Words that stand beside each other in one line, with small pictures among them."""
    yield "  ".join(filter(None, (_read_aside(e, reading) for e in reading.each(block.get("elements")))))


def _read_aside(element: Block, reading: Reading) -> str:
    if element.get("type") != "image":
        return read_text_object(element, reading)
    described = as_text(element.get("alt_text"))
    return f"[a picture: {tidy_name(described)}]" if described else ""


def _read_markdown(block: Block, reading: Reading) -> Iterator[str]:
    yield as_text(block.get("text")).strip()


def _read_words(block: Block, reading: Reading) -> Iterator[str]:
    words = read_rich_text(block, reading).strip("\n")
    yield WordlessMark(words) if words in reading.findings.marks else words


def _read_picture(block: Block, reading: Reading) -> Iterator[str]:
    title = read_text_object(block.get("title"), reading)
    described = ", ".join(filter(None, (title, as_text(block.get("alt_text")))))
    yield reading.findings.name_unread(f"a picture: {described}" if described else "a picture")


def _read_video(block: Block, reading: Reading) -> Iterator[str]:
    title = read_text_object(block.get("title"), reading) or as_text(block.get("alt_text"))
    yield reading.findings.name_unread(f"a video: {title}" if title else "a video")
    yield read_text_object(block.get("description"), reading)
    yield as_text(block.get("title_url"))


def _read_remote_file(block: Block, reading: Reading) -> Iterator[str]:
    yield reading.findings.name_unread(f"a file kept elsewhere: {as_text(block.get('external_id'))}")


def _read_call(block: Block, reading: Reading) -> Iterator[str]:
    call = as_object(as_object(block.get("call")).get("v1"))
    name = as_text(call.get("name"))
    yield reading.findings.name_unread(f"a call: {name}" if name else "a call")


def _read_actions(block: Block, reading: Reading) -> Iterator[str]:
    """Buttons and menus, by what is written on them."""
    for element in reading.each(block.get("elements")):
        yield from _read_element(element, reading)


def _read_element(element: Block, reading: Reading) -> Iterator[str]:
    match element.get("type"):
        case "image":
            yield from _read_picture(element, reading)
        case "button" | "workflow_button":
            yield mark_control(
                "button", read_text_object(element.get("text"), reading), as_text(element.get("url"))
            )
        case "checkboxes" | "radio_buttons":
            texts = (read_text_object(o.get("text"), reading) for o in reading.each(element.get("options")))
            yield mark_control("choices", ", ".join(texts))
        case _:
            yield mark_control("menu", read_text_object(element.get("placeholder"), reading))


def mark_control(kind: str, words: str, address: str = "") -> str:
    """Something to press or to choose from; nothing where nothing is written on it."""
    if not words:
        return ""
    words = tidy_name(words)
    return WordlessMark(
        f"[{kind}: {words} ({tidy_name(address, MOST_ADDRESS)})]" if address else f"[{kind}: {words}]"
    )


def _read_input(block: Block, reading: Reading) -> Iterator[str]:
    yield mark_control("field to fill in", read_text_object(block.get("label"), reading))


def _read_table(block: Block, reading: Reading) -> Iterator[str]:
    """A table, with a caption or without, as Markdown."""
    yield read_text_object(block.get("caption"), reading)
    given = [row for row in _as_list(block.get("rows")) if isinstance(row, list)]
    rows = [[_read_cell(cell, reading) for cell in row[:MOST_COLUMNS]] for row in given[:MOST_ROWS]]
    if rows:
        columns = max(map(len, rows))
        lines = [f"| {' | '.join([*cells, *[''] * (columns - len(cells))])} |" for cells in rows]
        lines.insert(1, "|" + " --- |" * columns)
        yield "\n".join(lines)
    if len(given) > MOST_ROWS or any(len(row) > MOST_COLUMNS for row in given):
        yield reading.findings.name_unread(TOO_MUCH)


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _read_cell(cell: Any, reading: Reading) -> str:
    """A cell in one line; an empty one may be null."""
    reading.findings.left -= 1
    cell = as_object(cell)
    text = read_rich_text(cell, reading) if cell.get("type") == "rich_text" else as_text(cell.get("text"))
    return " ".join((text or _as_figure(cell.get("value"))).split()).replace("|", "\\|")


def _as_figure(value: Any) -> str:
    return str(value) if isinstance(value, int | float) else as_text(value)


def _read_chart(block: Block, reading: Reading) -> Iterator[str]:
    """A chart by its figures: for each series the labels and values."""
    chart = as_object(block.get("chart"))
    title = read_text_object(block.get("title"), reading)
    yield WordlessMark(f"[a chart: {tidy_name(title)}]" if title else "[a chart]")
    series = [*reading.each(chart.get("series")), {"data": chart.get("segments")}]
    for each in series:
        points = (
            f"{as_text(point.get('label'))} {_as_figure(point.get('value'))}"
            for point in reading.each(each.get("data"))
        )
        if figures := ", ".join(points):
            yield ": ".join(filter(None, (as_text(each.get("name")), figures)))


def _read_task(block: Block, reading: Reading) -> Iterator[str]:
    status = as_text(block.get("status")).replace("_", " ")
    title = read_text_object(block.get("title"), reading)
    yield f"{title} ({status})" if status else title
    for name in ("details", "output"):
        value = block.get(name)
        yield read_rich_text(value, reading) if isinstance(value, dict) else as_text(value)
    for source in reading.each(block.get("sources")):
        yield " ".join(filter(None, (as_text(source.get("text")), as_text(source.get("url")))))


def _read_plan(block: Block, reading: Reading) -> Iterator[str]:
    yield read_text_object(block.get("title"), reading)
    for task in reading.each(block.get("tasks")):
        yield from _read_task(task, reading)


def _read_card(block: Block, reading: Reading) -> Iterator[str]:
    for name in ("title", "subtitle", "body"):
        yield read_text_object(block.get(name), reading)
    if picture := as_object(block.get("hero_image")):
        yield from _read_picture(picture, reading)
    for element in reading.each(block.get("actions")):
        yield from _read_element(element, reading)


def _read_cards(block: Block, reading: Reading) -> Iterator[str]:
    for card in reading.each(block.get("elements")):
        yield from _read_card(card, reading)


def _read_container(block: Block, reading: Reading) -> Iterator[str]:
    title = as_object(block.get("rich_text_title"))
    yield read_rich_text(title, reading) if title else read_text_object(block.get("title"), reading)
    yield read_text_object(block.get("subtitle"), reading)
    yield from read_blocks(block.get("child_blocks"), reading)


def _read_provider(block: Block, reading: Reading) -> Iterator[str]:
    yield read_text_object(block.get("name"), reading)
    yield read_text_object(block.get("description"), reading)


def _read_nothing(block: Block, reading: Reading) -> Iterator[str]:
    yield from ()


_KINDS: dict[str, Callable[[Block, Reading], Iterator[str]]] = {
    "actions": _read_actions,
    "alert": _read_title,
    "auth_provider": _read_provider,
    "call": _read_call,
    "card": _read_card,
    "carousel": _read_cards,
    "container": _read_container,
    "context": _read_context,
    "context_actions": _read_nothing,  # feedback on the message
    "data_table": _read_table,
    "data_visualization": _read_chart,
    "divider": _read_nothing,
    "file": _read_remote_file,
    "header": _read_title,
    "image": _read_picture,
    "input": _read_input,
    "markdown": _read_markdown,
    "plan": _read_plan,
    "rich_text": _read_words,
    "section": _read_section,
    "table": _read_table,
    "task_card": _read_task,
    "video": _read_video,
}
