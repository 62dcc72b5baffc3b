"""Tables and windows of fields: Slack takes them whatever documents say, and people see what is open."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.fields.forms import describe, parse
from bot.fields.values import FieldCandidate, FieldForm, FieldRow, Value
from bot.sandbox.slack.api.blocks import check_blocks, check_view
from handlers.fields import tables, windows
from handlers.fields.review_windows import Pressed, load_pressed, review_window, typed_form
from handlers.fields.tables import build_table
from handlers.fields.windows import FieldsPlace, forms_window, rows_window

FORM = parse("invoice: number, date, supplier, net, VAT, total with currency")
PLACE = FieldsPlace("C1", "f1")
WORDS = st.text(min_size=1, max_size=3_000)


def make_row(number: int, *values: Value, form: FieldForm = FORM) -> FieldRow:
    where = {"id": f"r{number}", "form": form.id, "document": "d1", "team": "T1", "channel": "C1"}
    return FieldRow(**where, piece=number, values=values, page=number + 1, title="bills.pdf")


def make_doubtful(field: str, *texts: str, why: str = "There are two of them.") -> Value:
    candidates = tuple(FieldCandidate(one, one, 1, "page 1", one) for one in texts)
    return Value(field, "", "", state="doubtful", why=why, candidates=candidates)


@settings(max_examples=20)
@given(texts=st.lists(WORDS, min_size=1, max_size=8), rows=st.sampled_from((1, 2, 30, 120)))
def test_slack_takes_every_table_and_window_whatever_documents_say(texts: list[str], rows: int) -> None:
    values = [
        Value(field.name, text, text, state="ok") for field, text in zip(FORM.fields, texts, strict=False)
    ]
    found = [make_row(n, *values, make_doubtful("total", *texts, why=texts[0])) for n in range(rows)]
    table, shown = build_table(FORM, found, several=True)
    assert check_blocks([table])
    assert 1 <= shown <= rows
    assert check_view(review_window(PLACE, FORM, found), kind="modal")
    assert check_view(rows_window(PLACE, FORM, found), kind="modal")
    assert check_view(typed_form(PLACE, Pressed("r1", "total", texts[0][:500])), kind="modal")
    assert check_view(forms_window(PLACE, [FORM] * 40, {FORM.id: found[:3]}, owner=True), kind="modal")


def test_a_doubtful_value_is_marked_and_a_missing_one_is_a_dash() -> None:
    row = make_row(0, Value("number", "A 1", "A 1", state="ok"), make_doubtful("total", "1", "2"))
    table, _ = build_table(FORM, [row])
    by_name = {
        name["text"]: cell["text"] for name, cell in zip(table["rows"][0], table["rows"][1], strict=True)
    }
    assert by_name["number"] == "A 1"
    assert by_name["total"] == tables.DOUBTFUL.strip()
    assert by_name["date"] == tables.NOTHING
    assert by_name[tables.WHERE] == "page 1"


def test_the_review_has_each_open_value_with_what_the_document_has_for_it() -> None:
    row = make_row(
        0, make_doubtful("total", "EUR 100.00", "EUR 119.00"), Value("number", "7", "7", state="ok")
    )
    view = review_window(PLACE, FORM, [row])
    buttons = [block["accessory"] for block in view["blocks"] if "accessory" in block]
    assert [load_pressed(one["value"]) for one in buttons] == [
        Pressed("r0", "total", "EUR 100.00"),
        Pressed("r0", "total", "EUR 119.00"),
    ]
    assert "There are two of them." in str(view)
    assert "*number*" not in str(view)


def test_what_a_document_says_pings_nobody_and_links_nowhere() -> None:
    orders = "<!channel> <https://evil.example|here> <@U1>"
    row = make_row(0, make_doubtful("total", orders, why=orders), Value("number", orders, orders, state="ok"))
    views = (review_window(PLACE, FORM, [row]), rows_window(PLACE, FORM, [row]))
    texts = [block["text"]["text"] for view in views for block in view["blocks"] if "text" in block]
    assert any("&lt;!channel&gt;" in text for text in texts)
    assert not any(order in text for text in texts for order in orders.split())


def test_a_form_is_shown_as_it_was_understood() -> None:
    view = windows.describe_form(FieldsPlace("C1", understood="x"), FORM, words=describe(FORM))
    assert check_view(view, kind="modal")
    assert "*total*: an amount with its currency" in str(view)
    assert "*date*: a date" in str(view)
    assert "Checked: net + VAT = total" in str(view)
