"""Tells what a file is by its bytes. Its name decides only between kinds of text, which no byte tells
apart."""

from __future__ import annotations

import re
import zipfile
from pathlib import PurePath
from typing import BinaryIO

from bot.core.limited_child import FileRefused
from bot.documents.encodings import decode
from bot.documents.packages import DAMAGED, LOCKED, UNREADABLE

HEAD = 4_096
# Formats of the extra `docs`: the MIME type it reads each by.
OTHER_FORMATS = {
    "odt": "application/vnd.oasis.opendocument.text",
    "ods": "application/vnd.oasis.opendocument.spreadsheet",
    "odp": "application/vnd.oasis.opendocument.presentation",
    "epub": "application/epub+zip",
    "rtf": "application/rtf",
    "doc": "application/msword",
    "xls": "application/vnd.ms-excel",
    "ppt": "application/vnd.ms-powerpoint",
    "msg": "application/vnd.ms-outlook",
    "eml": "message/rfc822",
    "xlsb": "application/vnd.ms-excel.sheet.binary.macroEnabled.12",
}

_MAIN_PARTS = {"word/document.xml": "docx", "ppt/presentation.xml": "pptx", "xl/workbook.xml": "xlsx"}
_OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_OLE_STREAMS = (  # names of streams, as a compound file's directory spells them
    ("EncryptedPackage", ""),
    ("WordDocument", "doc"),
    ("Workbook", "xls"),
    ("Book", "xls"),
    ("PowerPoint Document", "ppt"),
    ("__properties_version1.0", "msg"),
)
_PICTURES = re.compile(
    rb"\x89PNG|\xff\xd8\xff|GIF8|RIFF....WEBP|BM....\0\0\0\0|II\*\0|MM\0\*|....ftyp(heic|heix|mif1|avif)",
    re.DOTALL,
)
_SOUND = re.compile(
    rb"....ftyp|RIFF....(WAVE|AVI )|OggS|fLaC|ID3|\x1a\x45\xdf\xa3|\xff[\xfb\xf3\xf2]", re.DOTALL
)
_ARCHIVES = re.compile(rb"\x1f\x8b|BZh|\xfd7zXZ|7z\xbc\xaf'\x1c|Rar!|PK\x05\x06|MSCF|.{257}ustar", re.DOTALL)
_PROGRAMS = re.compile(rb"MZ.{10}|\x7fELF|\xca\xfe\xba\xbe|[\xfe\xcf]\xed\xfa|\xcf\xfa\xed\xfe", re.DOTALL)
_HTML = ("<!doctype html", "<html", "<head", "<body", "<title", "<meta", "<script")
_SVG = ("<svg", "<!doctype svg")
_MAIL = re.compile(r"[A-Za-z][\w-]*:")
_SIGN_IN = re.compile(
    r"type=[\"']?password|sign[- ]?in|log[- ]?in|anmelde|se connecter|iniciar sesi|ログイン", re.I
)

_CODE = (
    "bash bat c cc cfg clj conf cpp cs css dart diff env erl ex go gradle graphql h hpp hs ini java jl "
    "js json jsonl jsx kt lua m mjs patch php pl proto ps1 py r rb rs scala scss sh sql swift tf toml ts tsx "
    "vue xml yaml yml zig"
)
_TEXTS = {
    **dict.fromkeys(("md", "markdown", "mdown", "mkd", "mdx"), "markdown"),
    **dict.fromkeys(("html", "htm", "xhtml", "mhtml"), "html"),
    **dict.fromkeys(("csv", "tsv", "tab", "psv"), "csv"),
    "ipynb": "notebook",
    **dict.fromkeys(
        _CODE.split(),
        "code",
    ),
}
# A name that promises one of these, and text inside: something else was saved under it.
_BINARY_NAMES = frozenset({"pdf", "docx", "pptx", "xlsx", "zip", "odt", "ods", "odp", "epub", "png", "jpg"})


def detect_type(source: BinaryIO, name: str) -> str:
    """The kind of an open file, as `DocumentText` names it or of OTHER_FORMATS. FileRefused."""
    source.seek(0)
    head = source.read(HEAD)
    if not head.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise FileRefused("it is empty")
    ending = PurePath(name).suffix[1:].lower()
    if b"%PDF-" in head[:1_024]:
        return "pdf"
    if head.startswith(b"PK\x03\x04"):
        return _kind_of_package(source)
    if head.startswith(_OLE):
        return _kind_of_compound(source)
    if head.startswith(b"{\\rtf"):
        return "rtf"
    for pattern, what in (
        (_PICTURES, "it is a picture, not a document"),
        (_SOUND, "it is a recording, not a document"),
        (_ARCHIVES, "it is an archive; share the files that are in it"),
        (_PROGRAMS, "it is a program, not a document"),
    ):
        if pattern.match(head):
            raise FileRefused(what)
    return _kind_of_text(decode(head, whole=len(head) < HEAD), ending)


def _kind_of_package(source: BinaryIO) -> str:
    try:
        with zipfile.ZipFile(source) as archive:
            names = frozenset(archive.namelist())
            mimetype = archive.open("mimetype").read(100) if "mimetype" in names else b""
    except UNREADABLE as exc:
        raise FileRefused(DAMAGED) from exc
    for part, kind in _MAIN_PARTS.items():
        if part in names:
            return kind
    if "xl/workbook.bin" in names:
        return "xlsb"
    for kind, mime in OTHER_FORMATS.items():
        if mimetype.strip() == mime.encode():
            return kind
    raise FileRefused("it is an archive; share the files that are in it")


def _kind_of_compound(source: BinaryIO) -> str:
    """Office before 2007, Outlook, every Office file with a password: told by the names of its streams."""
    source.seek(0)
    held = source.read(64 << 20)
    for stream, kind in _OLE_STREAMS:
        if stream.encode("utf-16-le") + b"\0\0" in held:
            if kind:
                return kind
            raise FileRefused(LOCKED)
    raise FileRefused("it is of a type that I do not read")


def _kind_of_text(head: str | None, ending: str) -> str:
    if head is None:
        raise FileRefused("it is of a type that I do not read")
    root = _root(head)
    if root.startswith(_SVG):
        raise FileRefused("it is a drawing (SVG), not a document")
    if root.startswith(_HTML):
        if ending in _BINARY_NAMES:
            page = "a sign-in page" if _SIGN_IN.search(head) else "a web page"
            raise FileRefused(
                f"it is {page} that was saved as .{ending}, not the document itself; "
                "open it in a browser and download it again"
            )
        return "html"
    if ending in _BINARY_NAMES:
        raise FileRefused(f"it is named .{ending}, but there is only plain text in it")
    if ending == "eml" and _MAIL.match(head):
        return "eml"
    return _TEXTS.get(ending, "text")


def _root(head: str) -> str:
    """What comes after declarations and comments, in small letters."""
    head = head.lower().lstrip("\ufeff \t\r\n")
    for opens, closes in (("<?", "?>"), ("<!--", "-->"), ("<?", "?>"), ("<!--", "-->")):
        while head.startswith(opens) and closes in head:
            head = head.partition(closes)[2].lstrip()
    return head
