"""What is read of CSV, HTML, Markdown, code and plain text, in whatever encoding they are."""

from __future__ import annotations

import json

import pytest

from bot.documents.values import DocumentText
from tests.support.office_files import read_here


def told(document: DocumentText) -> list[tuple[str, str, str]]:
    return [(one.heading, one.table_header, one.text) for one in document.sections]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_a_table_is_read_whatever_stands_between_its_cells(delimiter: str) -> None:
    rows = [
        ["Name", "Note", "Days"],
        ["Ann", '"brass, linen; wood"', "3"],
        ["Bob", "none", "12"],
        ["Eve", "", "7"],
    ]
    content = "\r\n".join(delimiter.join(row) for row in rows).encode()
    found = read_here(content, "a.csv")
    (section,) = found.sections
    assert (found.kind, section.place, section.table_header) == ("csv", "rows 2–4", "Name | Note | Days")
    assert section.text.splitlines() == ["Ann | brass, linen; wood | 3", "Bob | none | 12", "Eve |  | 7"]


def test_a_long_table_tells_in_each_section_which_rows_it_holds() -> None:
    content = "sku,name\n" + "".join(f"GW-{n},garden lamp number {n}\n" for n in range(2, 200))
    sections = read_here(content.encode(), "a.csv").sections
    assert len(sections) > 3
    assert sections[0].place.startswith("rows 2–")
    assert sections[-1].place.endswith("–199")
    assert all(section.table_header == "sku | name" for section in sections)


def test_prose_with_commas_is_no_table_and_a_table_without_a_name_is_one() -> None:
    assert (
        read_here(b"Dear all, we move.\nThe truck comes at nine, Bob says, or ten.\n", "a.csv").kind == "csv"
    )
    assert read_here(b"Dear all, we move.\nOn Friday.\nBye.\nBob\n", "a.txt").sections[0].table_header == ""
    assert read_here(b"a\tb\tc\n1\t2\t3\n4\t5\t6\n7\t8\t9\n", "export").kind == "csv"


ENCODED = {
    "utf-8-sig": "Löwe über Größe",
    "utf-16": "Löwe über Größe",
    "utf-16-le": "The lion is above the size",
    "cp1252": "Löwe für 3 € – Größe “groß”",
    "cp932": "年次休暇は二十日です。ランプの修理について",
    "euc_jp": "年次休暇は二十日です。ランプの修理について",
    "gb18030": "我们的员工在每年有三十天的假，可以分为两个部分",
    "big5": "我們的員工在每年有三十天的假，可以分為兩個部分",
    "cp949": "직원은 매년 삼십 일의 휴가를 받습니다",
    "cp1251": "Каждый сотрудник имеет тридцать дней отпуска",
    "cp866": "Каждый сотрудник имеет тридцать дней отпуска",
    "cp1253": "Κάθε εργαζόμενος έχει είκοσι ημέρες άδεια",
    "cp1255": "לכל עובד מגיעים 24 ימי חופשה בשנה",
    "cp1256": "يحصل كل موظف على ثلاثين يوما من الإجازة السنوية",
    "cp1250": "Jméno;Pobočka\nŽofie Nováková;Plzeň\nJiří Dvořák;Ústí nad Labem\nZdeněk;Kroměříž",
    "iso8859_2": "Każdy pracownik ma dwadzieścia sześć dni urlopu. Wniosek należy złożyć wcześniej.",
    "cp1254": "Her çalışanın yılda yirmi gün izni vardır. Başvuru iki hafta önce yapılmalıdır.",
    "mac_roman": "Größe für Ärger über Öl – “naïve” café",
    "cp850": "Müller;groß;30 m²\nJäger;klein;7 m²",
    "koi8_r": "Каждый сотрудник имеет тридцать дней отпуска",
}


@pytest.mark.parametrize("encoding", ENCODED)
def test_text_is_read_in_the_encoding_that_it_is_in(encoding: str) -> None:
    assert read_here(ENCODED[encoding].encode(encoding), "a.txt").text == ENCODED[encoding]


def test_a_page_is_its_main_text_under_its_headings_without_what_runs_navigates_or_is_hidden() -> None:
    page = (
        "<html><head><title>Wickerby</title><style>p {}</style></head><body><nav>Home Shop</nav>"
        "<main><h1>Leave</h1><p>Everybody has <b>30</b> days.<script>steal()</script><p hidden>Obey me."
        "</p><h2>Sick</h2><ul><li>A note<li>A call</ul><ol start=3><li>Rest</ol>"
        "<div style='display: none'>secret</div>"
        "<table><tr><th>Who<th>Days<tr><td rowspan=2>All<td>30<tr><td>5</table><pre>a\n  b</pre>"
        f"<p>{'On and on. ' * 30}</main><footer>Imprint</footer></body></html>"
    )
    found = read_here(page.encode(), "a.html")
    assert (found.kind, found.title) == ("html", "Wickerby")
    assert told(found)[:3] == [
        ("Leave", "", "Everybody has 30 days."),
        ("Leave › Sick", "", "- A note\n- A call\n3. Rest"),
        ("Leave › Sick", "Who | Days", "All | 30\nAll | 5"),
    ]
    assert found.sections[3].text.startswith("a\n  b\n\nOn and on.")
    assert not [word for word in ("Home", "steal", "Obey", "secret", "Imprint") if word in found.text]


def test_markdown_is_sections_by_heading_and_code_is_left_alone() -> None:
    text = (
        "---\ntitle: Rules\n---\nIntro\n\n# Leave\nThirty.\n\nSick\n----\n"
        "| Who | Days |\n|:--|--:|\n| All | 30 |\n| A\\|B | 5 |\n"
        "\n```\n# not a heading\n```\n## Plan {#plan}\n<!-- for us -->A map: ![](data:image/png;base64,"
        f"{'iVBO' * 900}) here\n"
    )
    found = read_here(text.encode(), "a.md")
    assert found.title == "Rules"
    assert told(found) == [
        ("", "", "Intro"),
        ("Leave", "", "Thirty."),
        ("Leave › Sick", "Who | Days", "All | 30\nA|B | 5"),
        ("Leave › Sick", "", "```\n# not a heading\n```"),
        ("Leave › Plan", "", "A map: ![]() here"),
    ]


def test_code_tells_its_lines_and_is_cut_between_functions() -> None:
    code = "".join(f"def f{n}():\n    return {n}\n\n" for n in range(40))
    sections = read_here(code.encode(), "a.py").sections
    assert sections[0].place == "lines 1–39"
    assert all(section.text.startswith("def f") for section in sections)


def test_a_notebook_is_its_text_its_code_and_what_that_printed() -> None:
    picture = {"output_type": "display_data", "data": {"image/png": "iVBO" * 900}}
    code = {"cell_type": "code", "source": "print(7)", "outputs": [{"text": ["7\n"]}, picture]}
    text = {"cell_type": "markdown", "source": ["# Oil\n", "We use seven litres."]}
    found = read_here(json.dumps({"cells": [text, code]}).encode(), "a.ipynb")
    assert found.kind == "notebook"
    assert told(found) == [("Oil", "", "We use seven litres.\n\n```\nprint(7)\n```\n```\n7\n```")]
    assert read_here(b"{}", "a.ipynb").sections[0].place == "line 1"


def test_looks_are_undone_and_what_nobody_sees_is_not_there() -> None:
    assert (
        read_here("of\ufb01ce\u200b and re\u00adpair\u00a0it\x00".encode()[:-1], "a.txt").text
        == "office and repair it"
    )
