"""The sandbox in a real browser, with the real bot in it: what a person sees and does, from the first message
to a fault.

One Chromium and one sandbox for all; each test begins with an empty workspace. Every test also fails on a
console error, and on a request to anywhere but the page's own server.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from playwright.async_api import Browser, Locator, Page, Route, expect

from bot.sandbox.run import Sandbox, wait_connected
from tests.support.accessibility import check_accessibility
from tests.support.browser import required_browser
from tests.support.sandboxes import forked_sandbox
from tests.support.waiting import until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.asyncio(loop_scope="module"),
]

HERE = {"PATH": os.environ["PATH"], "PARLEY_STREAMS_PER_MINUTE": "0"}
expect.set_options(timeout=60_000)  # patience for a busy machine; nothing is expected to take so long


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def chrome() -> AsyncIterator[Browser]:
    async with required_browser() as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def workspace(chrome: Browser) -> AsyncIterator[Sandbox]:
    async with forked_sandbox(HERE) as running:
        running.slack.rates.enabled = False
        assert await wait_connected(running), "\n".join(running.bot.log)
        yield running


@pytest_asyncio.fixture(loop_scope="module")
async def page(chrome: Browser, workspace: Sandbox) -> AsyncIterator[Page]:
    """A page on a fresh workspace, as Alice."""
    workspace.slack.reset()
    workspace.model.reset()
    workspace.model.pace.first_token_s, workspace.model.pace.tokens_per_s = 0.05, 400
    context = await chrome.new_context(viewport={"width": 1280, "height": 800}, permissions=["microphone"])
    opened = await context.new_page()
    wrong: list[str] = []
    opened.on("console", lambda m: wrong.append(m.text) if m.type == "error" else None)
    opened.on("pageerror", lambda e: wrong.append(str(e)))
    opened.on("request", lambda r: None if _own(r.url, workspace) else wrong.append(f"asked {r.url}"))
    await opened.goto(workspace.page.url)
    await expect(opened.get_by_role("heading", name="#general")).to_be_visible()
    yield opened
    await context.close()
    assert wrong == []


def _own(url: str, workspace: Sandbox) -> bool:
    return url.startswith((workspace.page.url, workspace.page.url.replace("http", "ws"), "blob:", "data:"))


def composer(page: Page, place: str = "#general") -> Locator:
    return page.get_by_role("combobox", name=f"Write to {place}", exact=True)


def thread(page: Page) -> Locator:
    return page.get_by_role("region", name="Thread", exact=True)


async def to_the_bot(page: Page) -> None:
    """Opens the direct messages with the bot."""
    await page.get_by_role("navigation", name="Workspace").get_by_role("button", name="Parley").click()


async def write(page: Page, text: str, place: str = "#general") -> None:
    await composer(page, place).fill(text)
    await composer(page, place).press("Enter")


async def reply(page: Page, text: str) -> None:
    box = page.get_by_role("combobox", name="Reply in the thread")
    await box.fill(text)
    await box.press("Enter")


def answers(page: Page) -> Locator:
    """Answers in the thread that stand whole: those one can judge."""
    return thread(page).locator(".feedback-pair")


# Talking ---------------------------------------------------------------------------------------------


async def test_an_answer_streams_into_the_thread_that_opens_beside_the_question(
    page: Page, workspace: Sandbox
) -> None:
    workspace.model.pace.tokens_per_s = 60
    await write(page, "@parley Write 200 words about tea")
    answer = thread(page).locator(".message").nth(1)
    await expect(answer.get_by_role("img", name="still writing")).to_be_attached()
    sizes = []
    while await answer.locator(".caret").count():
        sizes.append(len(await answer.inner_text()))
        await asyncio.sleep(0.05)
    assert len(set(sizes)) > 5, "the text did not grow before our eyes"
    await expect(answer).to_contain_text("Whoever looks closely at tea")
    await expect(page.get_by_role("button", name="1 reply")).to_be_visible()


FLOWED = """async () => {
  const { Flow } = await import("/page/flow.js");
  const heard = [];
  const flow = new Flow((frame) => heard.push(frame));
  const append = (text) =>
    flow.take({ type: "append", channel: "C", ts: "1", parts: [{ type: "markdown_text", text }] });
  const words = () => heard.filter((f) => f.type === "append").map((f) => f.parts[0].text);
  append("a".repeat(300));
  for (let n = 0; n < 10; n += 1) flow.tick();
  append("b".repeat(300));
  for (let n = 0; n < 30; n += 1) flow.tick();
  const shown = words();
  append("c".repeat(300));
  flow.tick();
  flow.take({ type: "message", channel: "C", message: { ts: "1", text: "whole" } });
  for (let n = 0; n < 30; n += 1) flow.tick();
  return { shown, last: heard.at(-1).type };
}"""


async def test_streamed_text_flows_between_its_steps_until_the_whole_message_comes(page: Page) -> None:
    flow = await page.evaluate(FLOWED)
    assert "".join(flow["shown"]) == "a" * 300 + "b" * 300
    assert max(len(step) for step in flow["shown"]) < 30, "no step is large"
    assert flow["last"] == "message", "nothing comes after the whole"


async def test_a_thread_remembers_what_was_said_in_it(page: Page) -> None:
    await write(page, "@parley Our release is on Thursday.")
    await expect(answers(page)).to_have_count(1)
    await reply(page, "When is our release?")
    await expect(thread(page)).to_contain_text("You told me: “Our release is on Thursday.”")
    await expect(page.get_by_role("button", name="3 replies")).to_be_visible()
    await write(page, "@parley When is our release?")
    await expect(thread(page)).to_contain_text(
        "A real model would answer this"
    )  # another thread, another memory


async def test_the_stop_button_ends_an_answer_and_keeps_what_was_written(
    page: Page, workspace: Sandbox
) -> None:
    workspace.model.pace.tokens_per_s = 30
    await write(page, "@parley Write 900 words about tea")
    answer = thread(page).locator(".message").nth(1)
    await expect(answer).to_contain_text("Where it begins")
    await thread(page).get_by_role("button", name="Stop", exact=True).click()
    await expect(answer).to_contain_text("Stopped.")
    assert len(await answer.inner_text()) < 2000
    await expect(thread(page).get_by_role("button", name="Stop", exact=True)).to_be_hidden()


async def test_the_status_line_shows_while_the_bot_waits_for_the_model(
    page: Page, workspace: Sandbox
) -> None:
    workspace.model.pace.first_token_s = 60.0
    await write(page, "@parley hello")
    status = thread(page).locator(".status")
    await expect(status).to_contain_text("Parley is working")
    await thread(page).get_by_role("button", name="Stop", exact=True).click()
    await expect(status).to_have_count(0)


async def test_markdown_arrives_as_slack_shows_it(page: Page, workspace: Sandbox) -> None:
    plan = (
        "# Plan\n\nWe **must** *not* ~~forget~~ `this`, [docs](https://docs.example/a_b).\n\n"
        "1. one\n2. two\n   - inner\n\n| Who | Cost |\n|:--|--:|\n| Ann | 4 |\n\n"
        "```python\nprint('<b>hi</b>')\n```\n> quoted\n\n- [x] done\n\n:tada:"
    )
    workspace.model.script(plan)
    await write(page, "@parley plan, see https://docs.example/a_b")
    answer = thread(page).locator(".message").nth(1)
    await expect(answers(page)).to_have_count(1)
    for selector, text in {
        ".md-h1": "Plan",
        "strong": "must",
        "em": "not",
        "s": "forget",
        "p code": "this",
        "ol ul li": "inner",
        "td.align-right": "4",
        "pre code": "print('<b>hi</b>')",
        "blockquote": "quoted",
        "li.task": "☑ done",
        'a[href="https://docs.example/a_b"]': "docs",
        '[aria-label="tada"]': "🎉",
    }.items():
        await expect(answer.locator(selector).first).to_have_text(text)


async def test_an_answer_that_comes_before_the_word_that_the_question_was_sent_opens_all_the_same(
    page: Page, workspace: Sandbox
) -> None:
    async def slowly(route: Route) -> None:
        response = await route.fetch()
        await expect(page.get_by_role("button", name="1 reply")).to_be_visible()
        await route.fulfill(response=response)

    workspace.model.script("Quicker than you look.")
    await page.route("**/sandbox/api/say", slowly)
    await write(page, "@parley hello")
    await expect(thread(page)).to_contain_text("Quicker than you look.")


async def test_nothing_that_is_written_becomes_markup_or_script(page: Page, workspace: Sandbox) -> None:
    workspace.model.script(
        "<img src=x onerror=alert(1)> <script>alert(2)</script> [go](javascript:alert(3)) ![pic](https://evil.example/x.png)"
    )
    await write(page, "@parley <b onclick=alert(4)>bold?</b> *really* `code`")
    answer = thread(page).locator(".message").nth(1)
    await expect(answer).to_contain_text("<script>alert(2)</script>")
    assert (
        await page.locator("img[src='x'], .messages script, a[href^='javascript'], img[src*='evil']").count()
        == 0
    )
    question = thread(page).locator(".message").first
    await expect(question).to_contain_text("<b onclick=alert(4)>bold?</b>")
    await expect(question.locator("strong")).to_have_text("really")


# Acting ----------------------------------------------------------------------------------------------


async def test_a_slash_command_completes_and_its_answer_is_for_the_asker_alone(page: Page) -> None:
    box = composer(page)
    await box.press_sequentially("/pa")
    await expect(page.get_by_role("listbox").get_by_role("option")).to_contain_text("/parley")
    await box.press("Tab")
    await box.press_sequentially("usage")
    await box.press("Enter")
    mine = page.locator(".message.ephemeral")
    await expect(mine).to_contain_text("Only you can see this")
    await expect(mine.locator("strong")).to_have_text("This month in this channel")
    await page.get_by_label("You are").select_option("bob")
    await expect(page.locator(".empty")).to_be_visible()
    await page.get_by_label("You are").select_option("alice")
    await expect(mine).to_be_visible()


async def test_a_report_has_its_picture_in_the_direct_messages(page: Page) -> None:
    await write(page, "@parley hello")
    await expect(answers(page)).to_have_count(1)
    await write(page, "/parley usage month by person")
    await expect(page.locator(".message.ephemeral").get_by_role("table")).to_contain_text("alice")
    await to_the_bot(page)
    picture = page.locator("#main .picture img")
    await expect(picture).to_be_visible()
    await expect(picture).to_have_js_property("complete", True)
    assert await picture.evaluate("(img) => img.naturalWidth") > 300


async def test_a_modal_shows_an_error_at_its_field_keeps_what_was_entered_and_saves(page: Page) -> None:
    await page.get_by_role("button", name="support").click()
    await write(page, "/parley settings", "#support")
    form = page.get_by_role("dialog", name="Channel settings")
    await form.get_by_label("Purpose").fill("what customers ask about their lamps")
    await form.get_by_label("How strict?").select_option("Strict: both mistakes are equally bad")
    languages = form.get_by_label("Languages spoken")
    await languages.fill("Gibberish")
    await form.get_by_role("button", name="Save").click()
    await expect(form.get_by_role("alert")).to_contain_text("Gibberish")
    await expect(languages).to_be_focused()
    await expect(form.get_by_label("Purpose")).to_have_value("what customers ask about their lamps")
    await expect(form.get_by_label("How strict?")).to_have_value("strict")
    await languages.fill("en")
    await form.get_by_role("button", name="Save").click()
    said = page.get_by_role("dialog", name="Parley")
    await expect(said).to_contain_text("Saved.")
    await said.get_by_role("button", name="Close").first.click()
    await expect(said).to_be_hidden()


async def test_a_channel_chooses_its_persona_and_model_in_its_window_and_home_shows_where_they_come_from(
    page: Page, workspace: Sandbox
) -> None:
    await write(page, "/parley settings")
    form = page.get_by_role("dialog", name="Channel settings")
    await expect(form).to_contain_text("What holds now, and where it comes from")
    await form.get_by_label("Persona").fill("You are the bookkeeper of this team.")
    await form.get_by_label("Completion style").select_option("Response items (/v1/responses)")
    model = form.get_by_label("Model")
    await model.fill("gpt-9")
    await form.get_by_role("button", name="Save").click()
    await expect(form.get_by_role("alert")).to_contain_text("Allowed here")
    await expect(model).to_be_focused()
    await model.fill("gpt-4.1-mini")
    await form.get_by_role("button", name="Save").click()
    said = page.get_by_role("dialog", name="Parley")
    await expect(said).to_contain_text("How I answer changes with the next message.")
    await said.get_by_role("button", name="Close").first.click()
    await write(page, "@parley hello")
    await expect(answers(page)).to_have_count(1)
    asked = workspace.model.requests[-1]
    assert (asked.model, asked.endpoint) == ("gpt-4.1-mini", "responses")
    assert "You are the bookkeeper of this team." in asked.body["instructions"]
    await to_the_bot(page)
    await page.get_by_role("tab", name="Home").click()
    home = page.get_by_role("region", name="Home of the app")
    await expect(home).to_contain_text("Persona: You are the bookkeeper of this team. (channel)")
    await home.get_by_role("button", name="Settings of the workspace").click()
    everywhere = page.get_by_role("dialog", name="Workspace settings")
    await everywhere.get_by_label("Length of answers").fill("short")
    await everywhere.get_by_role("button", name="Save").click()
    await expect(said).to_contain_text("Saved.")


async def test_a_modal_on_top_of_another_leads_back_to_it(page: Page, workspace: Sandbox) -> None:
    await page.get_by_role("button", name="support").click()
    await write(page, "/parley settings", "#support")
    await page.get_by_role("button", name="What the guard did").click()
    await expect(page.get_by_role("dialog", name="What the guard did")).to_contain_text("Trained versions")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog", name="Channel settings")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_be_hidden()
    assert workspace.slack.modals("alice") == []


async def test_feedback_is_remembered_on_the_button(page: Page) -> None:
    await write(page, "@parley hello")
    good = thread(page).get_by_role("button", name="Good answer")
    await good.click()
    await expect(good).to_have_attribute("aria-pressed", "true")


async def test_reactions_edits_and_deletions(page: Page, workspace: Sandbox) -> None:
    await write(page, "We meet at nne")
    row = page.locator(".message").first
    await row.hover()
    await row.get_by_role("button", name="Add a reaction").click()
    await page.get_by_role("menuitem", name="tada").click()
    await row.get_by_role("button", name="tada, 1").click()
    await expect(row.locator(".reaction")).to_have_count(0)
    await composer(page).press("ArrowUp")
    await page.get_by_label("Edit the message").fill("We meet at nine")
    await page.keyboard.press("Enter")
    await expect(row).to_contain_text("We meet at nine (edited)")
    await row.hover()
    await row.get_by_role("button", name="More actions").click()
    await page.get_by_role("menuitem", name="Delete message").click()
    await expect(page.locator(".message")).to_have_count(0)


async def test_a_message_shortcut_stands_in_the_menu(page: Page) -> None:
    await write(page, "@parley Our release is on Thursday.")
    await expect(answers(page)).to_have_count(1)
    row = page.locator("#main .message").first
    await row.hover()
    await row.get_by_role("button", name="More actions").click()
    await page.get_by_role("menuitem", name="Forget this thread").click()
    await expect(page.locator("#main .message.ephemeral")).to_contain_text("Forgotten: 2 messages.")


async def test_a_voice_clip_is_heard_answered_and_can_be_corrected(page: Page) -> None:
    await to_the_bot(page)
    await page.get_by_role("button", name="Send a sample voice clip").first.click()
    await page.get_by_role("menuitem", name="Open invoice (German)").click()
    seconds = await page.locator("#main audio").evaluate(
        "(a) => new Promise((r) => (a.onloadedmetadata = () => r(a.duration), a.load()))"
    )
    assert 3 < seconds < 12
    card = thread(page).locator(".message").nth(1)
    await expect(card).to_contain_text("die Rechnung für Oktober ist noch offen")
    await expect(card).to_contain_text("the invoice for October is still open")
    await expect(answers(page)).to_have_count(1)
    await card.get_by_role("button", name="Correct and ask again").click()
    form = page.get_by_role("dialog")
    words = form.get_by_role("textbox")
    await expect(words).to_have_value(
        "Hallo Parley, die Rechnung für Oktober ist noch offen. Wer kümmert sich darum?"
    )
    await words.fill("What is 6 * 7?")
    await form.locator("button[type=submit]").click()
    await expect(form).to_be_hidden()
    await expect(thread(page)).to_contain_text("6 * 7 = 42")


async def test_a_button_that_asks_first_does_nothing_until_it_is_told_to(page: Page) -> None:
    await to_the_bot(page)
    await page.get_by_role("button", name="Send a sample voice clip").first.click()
    await page.get_by_role("menuitem", name="Release note (English)").click()
    await expect(answers(page)).to_have_count(1)
    forget = thread(page).get_by_role("button", name="Forget", exact=True)
    for wanted, left in (("Keep", 1), ("Forget", 0)):
        await forget.click()
        asked = page.get_by_role("dialog", name="Forget this clip?")
        await asked.get_by_role("button", name=wanted, exact=True).click()
        await expect(asked).to_have_count(0)
        await expect(forget).to_have_count(left)


async def test_a_clip_recorded_with_the_microphone_is_sent(page: Page, workspace: Sandbox) -> None:
    await page.get_by_role("button", name="Record a voice clip").first.click()
    timer = page.get_by_role("timer", name="Recording time")
    await expect(timer).to_have_text(re.compile(r"0:0[1-9]|0:[1-5]\d"))
    await page.get_by_role("button", name="Send clip").click()
    await expect(page.locator("#main .file.clip")).to_be_visible()
    (file,) = workspace.slack.workspace.files.values()
    assert file.content.startswith(b"\x1aE\xdf\xa3")  # a real WebM
    assert file.about["duration_ms"] > 900


async def test_files_are_added_removed_and_sent(page: Page, workspace: Sandbox) -> None:
    for name in ("plan.txt", "other.txt"):
        await page.locator("input[type=file]").first.set_input_files(
            {"name": name, "mimeType": "text/plain", "buffer": b"ship it"}
        )
    await page.get_by_role("button", name="Remove other.txt").click()
    await write(page, "see the plan")
    await expect(page.get_by_role("link", name="plan.txt")).to_be_visible()
    assert [f.content for f in workspace.slack.workspace.files.values()] == [b"ship it"]


async def send_something_else(page: Page, what: str, form: str = "New message") -> None:
    """Chooses from the menu beside the box in which one writes."""
    await page.get_by_role("form", name=form).get_by_role("button", name="Send something else").click()
    await page.get_by_role("menuitem", name=what).click()


async def test_a_table_is_pasted_by_a_click_and_read(page: Page, workspace: Sandbox) -> None:
    await send_something_else(page, "A pasted table")
    await expect(thread(page).get_by_role("cell", name="Coffee machine")).to_be_visible()
    await expect(answers(page)).to_have_count(1)
    assert any("| Coffee machine | 1,200 | car |" in one.prompt for one in workspace.model.requests)


async def test_a_message_is_forwarded_by_a_click_and_read_as_its_authors(
    page: Page, workspace: Sandbox
) -> None:
    await workspace.slack.say("bob", "#support", "Lamps are out of stock until Monday.")
    await page.get_by_role("button", name="support").click()
    await expect(page.get_by_text("Lamps are out of stock until Monday.")).to_be_visible()
    await page.get_by_role("button", name="general").click()
    await send_something_else(page, "A forwarded message")
    shared = thread(page).get_by_role("group", name="Message by Bob Builder")
    await expect(shared).to_contain_text("Lamps are out of stock until Monday.")
    await expect(answers(page)).to_have_count(1)
    assert any(
        "[Forwarded message by Bob Builder in #support]" in one.prompt for one in workspace.model.requests
    )


async def test_an_alert_of_another_tool_is_posted_by_a_click_and_can_be_asked_about(
    page: Page, workspace: Sandbox
) -> None:
    await send_something_else(page, "An alert of Grafana")
    await expect(thread(page).get_by_role("link", name="[FIRING:1] Disk usage high")).to_be_visible()
    await expect(thread(page).locator(".author").first).to_have_text("Grafana")
    box = page.get_by_role("combobox", name="Reply in the thread")
    await expect(box).to_have_value("@parley why?")
    await box.press("Enter")
    await expect(answers(page)).to_have_count(1)
    assert "Empty /var/cache first" in workspace.model.requests[-1].prompt


async def test_another_tool_asks_by_a_click_and_is_answered_in_its_thread(
    page: Page, workspace: Sandbox
) -> None:
    await send_something_else(page, "A question of Grafana")
    await expect(thread(page).locator(".author").first).to_have_text("Grafana")
    await expect(answers(page)).to_have_count(1)
    assert "Empty /var/cache first" in workspace.model.requests[-1].prompt


async def test_the_home_tab_and_suggested_prompts(page: Page) -> None:
    await to_the_bot(page)
    await page.get_by_role("button", name="What can you do?").click()
    await expect(composer(page, "Parley")).to_have_value("What can you do?")
    await page.get_by_role("tab", name="Home").click()
    await expect(page.get_by_role("region", name="Home of the app")).to_contain_text("Your month")


async def test_things_to_try_go_into_the_composer_until_one_has_had_enough(page: Page) -> None:
    await page.get_by_role("button", name="What it cost, with a picture").click()
    await expect(composer(page)).to_have_value("/parley usage month by person")
    await page.get_by_role("button", name="No more suggestions").click()
    await page.reload()
    await expect(composer(page)).to_be_visible()
    await expect(page.locator(".tries")).to_have_count(0)


async def test_a_guest_sees_only_the_shared_channel(page: Page) -> None:
    await page.get_by_label("You are").select_option("dana")
    places = page.get_by_role("navigation", name="Workspace").locator(".place")
    await expect(places).to_have_count(2)
    await expect(places.first).to_contain_text("partners")


# Behind the scenes -----------------------------------------------------------------------------------


async def scenes(page: Page, tab: str) -> Locator:
    panel = page.get_by_role("complementary", name="Behind the scenes")
    if not await panel.is_visible():
        await page.get_by_role("button", name="Behind the scenes", exact=True).click()
    await panel.get_by_role("tab", name=tab).click()
    return panel


async def test_what_slack_hides_is_shown(page: Page) -> None:
    await write(page, "@parley My name is Ada.")
    await expect(answers(page)).to_have_count(1)
    panel = await scenes(page, "Events")
    await expect(panel.locator("summary", has_text="app_mention")).to_contain_text("ack")
    await panel.locator("summary", has_text="app_mention").click()
    await expect(panel.locator("pre").first).to_contain_text('"type": "app_mention"')
    panel = await scenes(page, "Web API")
    written = re.compile("chat.startStream|chat.postMessage")  # as soon as the answer is whole, it is posted
    await expect(panel.locator("summary", has_text=written).first).to_contain_text("ok")
    panel = await scenes(page, "Model")
    asked = panel.locator("summary", has_text="gpt-4.1")
    await expect(asked).to_contain_text("tokens")
    await expect(asked).to_contain_text("¢")
    await asked.click()
    await expect(panel.locator(".dump", has_text="what the model read")).to_contain_text("My name is Ada.")


async def test_a_delivery_fault_shows_as_two_attempts(page: Page) -> None:
    panel = await scenes(page, "Faults")
    await panel.get_by_role("button", name="Deliver twice").click()
    await expect(page.get_by_text("In force: Deliver twice.")).to_be_visible()
    await expect(panel.get_by_role("status")).to_have_text("events_api: delivered twice, 1 more")
    await write(page, "hello")
    await expect(panel.get_by_role("status")).to_be_empty()
    panel = await scenes(page, "Events")
    await expect(panel.locator("summary").first).to_contain_text("2 attempts")


async def test_an_answer_that_broke_off_is_tried_again(page: Page) -> None:
    panel = await scenes(page, "Faults")
    await panel.get_by_role("button", name="Breaks mid-stream").click()
    await write(page, "@parley Write 120 words about tea")
    broken = thread(page).locator(".message").nth(1)
    await expect(broken).to_contain_text("The connection to the model broke off")
    panel = await scenes(page, "Model")
    await expect(panel.locator("summary").first).to_contain_text("reset")
    await broken.get_by_role("button", name="Try again").click()
    await expect(answers(page)).to_have_count(1)


async def test_a_bot_killed_in_mid_answer_comes_back_and_finishes(page: Page, workspace: Sandbox) -> None:
    workspace.model.pace.tokens_per_s = 60
    before = workspace.bot.pid
    panel = await scenes(page, "Bot")
    await write(page, "@parley Write 150 words about tea")
    await expect(thread(page).locator(".message").nth(1)).to_contain_text("Where it begins")
    await panel.get_by_role("button", name="kill -9 the bot").click()
    await until(lambda: workspace.bot.pid != before)
    await expect(answers(page)).to_have_count(1)
    await expect(thread(page).locator(".message")).to_have_count(2)


async def test_a_session_is_exported_and_replayed(page: Page, workspace: Sandbox, tmp_path: Path) -> None:
    await write(page, "first")
    await write(page, "second")
    panel = await scenes(page, "Session")
    async with page.expect_download() as started:
        await panel.get_by_role("button", name="Export").click()
    file = tmp_path / "session.json"
    await (await started.value).save_as(file)
    assert "second" in json.dumps(json.loads(file.read_text()))
    before = workspace.bot.pid
    await panel.get_by_role("button", name="Reset the workspace").click()
    await expect(page.locator(".message")).to_have_count(0)
    await expect(page.get_by_text("A new workspace, and a bot")).to_be_visible()
    assert workspace.bot.pid != before
    await panel.locator("input[type=file]").set_input_files(file)
    await expect(page.locator("#main .message")).to_have_count(2)


# Everybody, everywhere -------------------------------------------------------------------------------


async def test_the_keyboard_alone_is_enough(page: Page) -> None:
    await composer(page).focus()
    await page.keyboard.type("@parley hello")
    await page.keyboard.press("Escape")
    await page.keyboard.press("Enter")
    await expect(thread(page)).to_be_visible()
    await expect(answers(page)).to_have_count(1)
    await page.keyboard.press("Escape")
    await expect(thread(page)).to_be_hidden()
    await page.keyboard.press("Alt+ArrowDown")
    await expect(page.get_by_role("heading", name="#support")).to_be_visible()
    await page.keyboard.press("Control+k")
    await page.keyboard.press("Tab")
    await page.keyboard.press("Enter")
    await expect(page.get_by_role("heading", name="#finance")).to_be_visible()


async def test_new_answers_are_announced_to_screen_readers(page: Page) -> None:
    await write(page, "@parley what is 2 + 3?")
    await expect(page.locator("#announcer")).to_contain_text("2 + 3 = 5")


@pytest.mark.parametrize("width", [375, 760, 1180])
async def test_nothing_sticks_out_at_any_width(page: Page, width: int) -> None:
    await page.set_viewport_size({"width": width, "height": 700})
    await write(page, "@parley hello")
    await expect(answers(page)).to_have_count(1)
    await page.keyboard.press("Escape")
    for tab in ("Model", "Faults"):
        await scenes(page, tab)
        assert not await page.evaluate("document.documentElement.scrollWidth > innerWidth")


async def test_at_phone_width_everything_is_reachable(page: Page) -> None:
    await page.set_viewport_size({"width": 375, "height": 700})
    await write(page, "@parley show me a table of our steps")
    await expect(thread(page).get_by_role("table")).to_be_visible()
    await thread(page).get_by_role("button", name="Close the thread").click()
    await page.get_by_role("button", name="Channels and people").click()
    await page.get_by_role("button", name="support").click()
    await expect(composer(page, "#support")).to_be_visible()


async def test_on_a_touch_screen_everything_is_in_the_menu(chrome: Browser, workspace: Sandbox) -> None:
    workspace.slack.reset()
    await workspace.slack.say("bob", "#general", "We meet at nine")
    context = await chrome.new_context(viewport={"width": 390, "height": 780}, has_touch=True, is_mobile=True)
    page = await context.new_page()
    await page.goto(workspace.page.url)
    row = page.locator(".message").first
    for choose in ("Add a reaction", "Reply in thread"):
        await row.get_by_role("button", name="More actions").tap()
        await page.get_by_role("menuitem", name=choose).tap()
        if choose == "Add a reaction":
            await page.get_by_role("menuitem", name="tada").tap()
            await expect(row.get_by_role("button", name="tada, 1")).to_be_visible()
    await expect(page.get_by_role("combobox", name="Reply in the thread")).to_be_focused()
    await context.close()


async def test_dark_follows_the_system_and_can_be_chosen(page: Page) -> None:
    ground = "getComputedStyle(document.body).backgroundColor"
    light = await page.evaluate(ground)
    await page.emulate_media(color_scheme="dark")
    dark = await page.evaluate(ground)
    assert light != dark
    await page.get_by_role("button", name="Colours").click()
    assert await page.evaluate(ground) == light


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_axe_finds_nothing_serious(page: Page, workspace: Sandbox, scheme: Any) -> None:
    await page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    workspace.model.script(
        "# Plan\n\n| a | b |\n|--|--|\n| 1 | `x` |\n\n```\ncode\n```\n> quote <@U0ALICE001>"
    )
    await write(page, "/parley usage")
    await write(page, "@parley hello")
    await expect(answers(page)).to_have_count(1)
    await thread(page).get_by_role("button", name="Good answer").click()
    await page.set_viewport_size({"width": 1600, "height": 900})
    for tab in ("Events", "Web API", "Model", "Bot", "Faults", "Session"):
        panel = await scenes(page, tab)
        await expect(panel.get_by_role("tabpanel")).not_to_be_empty()
        await check_accessibility(page)
    await composer(page).fill("/")
    await check_accessibility(page)
    await write(page, "/parley settings")
    await expect(page.get_by_role("dialog")).to_be_visible()
    await check_accessibility(page)


# First contact ---------------------------------------------------------------------------------------


async def test_an_empty_home_tells_a_newcomer_what_matters_first_and_lists_commands_last(page: Page) -> None:
    await page.get_by_label("You are").select_option("carol")
    await to_the_bot(page)
    await page.get_by_role("tab", name="Home").click()
    home = page.get_by_role("region", name="Home of the app")
    await expect(home).to_contain_text("You have not asked me anything yet.")
    read = await home.inner_text()
    order = ["an AI", "How to ask", "Three things to try", "/parley forget", "Your month", "Commands"]
    places = [read.index(part) for part in order]
    assert places == sorted(places)
    commands = read[places[-1] :]
    assert 1 <= commands.count("/parley ") - commands.count("`/parley help` lists") <= 13


async def test_the_app_is_invited_by_a_click_and_says_what_holds_there(
    page: Page, workspace: Sandbox
) -> None:
    await workspace.slack.join("parley", "#finance", leave=True)
    await page.get_by_role("button", name="finance").click()
    await page.get_by_role("button", name="Invite Parley").click()
    await expect(page.get_by_role("button", name="Invite Parley")).to_have_count(0)
    await to_the_bot(page)
    note = page.locator("#main .message").last
    await expect(note).to_contain_text("I am an AI")
    await note.get_by_role("button", name="Channel settings").click()
    await expect(page.get_by_role("dialog", name="Channel settings")).to_contain_text("finance")
