"""`python -m tests.bench.reading`: how fast documents are read in their process, beside PDFium alone.

PDFium alone is the least that anybody does who wants the text of a PDF: every page's text, thrown away, in a
process like ours but without ceilings. How late the event loop is while a book is read is measured too.
"""

from __future__ import annotations

import asyncio
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bot.documents.chunks import cut_into_chunks
from bot.documents.reading import read_document
from bot.documents.values import DocumentText, ReadingLimits
from tests.support.office_files import cells, docx, paragraph, pdf, put, xlsx

PLAIN = """
import sys
import pypdfium2
document = pypdfium2.PdfDocument(sys.argv[1])
for page in document:
    text = page.get_textpage()
    text.get_text_range()
    text.close()
    page.close()
"""
PEAK = """
import asyncio, resource, sys
from pathlib import Path
from bot.documents.reading import read_document
from bot.documents.values import ReadingLimits
asyncio.run(read_document(Path(sys.argv[1]), "book.pdf", ReadingLimits()))
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024)
"""
SENTENCE = "The warranty of a lamp begins on the day of delivery and lasts for twenty-four months"
TICK_S = 0.005


def book(pages: int) -> bytes:
    """Pages of 40 lines, a heading and a table."""
    return pdf([page(number) for number in range(1, pages + 1)])


def page(number: int) -> bytes:
    lines = [put(f"Chapter {number}", 60, 750, 18, "F2")]
    lines += [put(f"{at}. {SENTENCE}", 60, 725 - 14 * at, 10) for at in range(35)]
    for row in range(5):
        lines += [
            put(f"GW-{number}-{row}", 60, 200 - 14 * row),
            put(f"{row * number}.50 euros", 200, 200 - 14 * row),
        ]
    return b"".join(lines)


def cpu_s() -> float:
    """Processor time of all children so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


async def read_timed(path: Path, name: str) -> tuple[DocumentText, float]:
    """The document and the processor seconds of its process."""
    before = cpu_s()
    document = await read_document(path, name, ReadingLimits())
    return document, cpu_s() - before


def plain_s(path: Path) -> float:
    before = cpu_s()
    subprocess.run([sys.executable, "-c", PLAIN, str(path)], check=True)
    return cpu_s() - before


def peak_mb(path: Path) -> float:
    done = subprocess.run([sys.executable, "-c", PEAK, str(path)], check=True, capture_output=True, text=True)
    return float(done.stdout)


async def lag_ms(path: Path) -> float:
    """How late the event loop is at most in 99 of 100 moments while a book is read and cut."""
    late: list[float] = []

    async def watch() -> None:
        while True:
            before = time.perf_counter()
            await asyncio.sleep(TICK_S)
            late.append(time.perf_counter() - before - TICK_S)

    watcher = asyncio.create_task(watch())
    document = await read_document(path, "book.pdf", ReadingLimits())
    await asyncio.to_thread(cut_into_chunks, document)
    watcher.cancel()
    return sorted(late)[int(len(late) * 0.99)] * 1_000


async def main(pages: int = 1_000) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "book"
        path.write_bytes(book(pages))
        document, used_s = await read_timed(path, "book.pdf")
        alone_s = plain_s(path)
        print(f"PDF: {pages / used_s:.0f} pages/s, {used_s / alone_s:.1f} x PDFium alone")
        print(f"PDF: {peak_mb(path):.0f} MB at most of {ReadingLimits().memory_bytes >> 20} MB")
        print(f"PDF: event loop {await lag_ms(path):.1f} ms late at most in 99 of 100 moments")
        before = time.process_time()
        chunks = cut_into_chunks(document)
        print(f"chunks: {len(chunks) / (time.process_time() - before):.0f}/s of processor time")
        path.write_bytes(docx((paragraph("Leave", "Heading1") + paragraph(f"{SENTENCE}. " * 30)) * pages))
        print(f"DOCX: {pages / (await read_timed(path, 'book.docx'))[1]:.0f} pages/s")
        rows = "".join(cells(n, f"GW-{n}", SENTENCE, n * 1.5, n * 2) for n in range(1, pages * 20))
        path.write_bytes(xlsx({"Prices": f"<sheetData>{rows}</sheetData>"}))
        print(f"XLSX: {pages * 20 / (await read_timed(path, 'book.xlsx'))[1]:.0f} rows/s")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 1_000))
