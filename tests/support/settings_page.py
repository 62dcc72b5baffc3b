"""Keeps the README's table of settings equal to the code's: `python -m tests.support.settings_page`."""

from __future__ import annotations

from pathlib import Path

from bot.core.settings import table

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- settings -->", "<!-- /settings -->"


def settings_table() -> str:
    rows = ["| setting | default | what it is |", "|---|---|---|"]
    for env, default, help, secret in table():
        shown = "" if secret or default == "" else f"`{default}`"
        rows.append(f"| `{env}` | {shown} | {help} |".replace("|/", "\\|/"))
    return "\n".join(rows)


def rewritten(text: str) -> str:
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n{settings_table()}\n{END}{tail}"


if __name__ == "__main__":
    README.write_text(rewritten(README.read_text("utf-8")), "utf-8")
