"""Make the documents of #handbook again: `python -m bot.sandbox.documents.make`.

The company is invented, the words are our own. The same texts give the same bytes.
"""

from __future__ import annotations

from pathlib import Path

from bot.sandbox.documents.office_files import write_pptx
from bot.sandbox.documents.pdf_file import write_pdf
from bot.sandbox.documents.text_pages import read_pages

HERE = Path(__file__).parent
# What is made, from which text, and how it is titled.
DOCUMENTS = {
    "team_handbook.pdf": ("team_handbook.md", "Wickerby team handbook 2026"),
    "moving_to_ghent.pptx": ("moving_to_ghent.md", "Moving to Ghent"),
}


def made(name: str) -> bytes:
    source, title = DOCUMENTS[name]
    pages = read_pages((HERE / source).read_text("utf-8"))
    write = write_pdf if name.endswith(".pdf") else write_pptx
    return write(pages, title=title)


def main() -> None:
    for name in DOCUMENTS:
        (HERE / name).write_bytes(made(name))


if __name__ == "__main__":
    main()
