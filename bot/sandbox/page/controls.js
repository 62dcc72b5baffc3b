// Controls behind the scenes: the bot's process, faults at a click, the session as a file.

import { h } from "./dom.js";
import { act, get, post } from "./live.js";
import { toast } from "./menu.js";
import { processes } from "./processes.js";
import { figure, none } from "./records.js";

export function bot(panel) {
  if (panel.processes?.bots.length > 1) return processes(panel);
  const b = panel.about?.bot;
  if (!b) return [none("One moment…")];
  const command = (name) => panel.app.try(() => post("/sandbox/bot", { act: name })).then(() => panel.poll());
  return [
    h(
      "p",
      { class: "about" },
      "The real bot is a process of its own. Kill it in the middle of an answer and watch it come back and finish.",
    ),
    h(
      "dl",
      { class: "figures" },
      figure("state", b.state),
      figure("process", b.pid || "–"),
      figure("starts", b.starts),
      figure("sockets", panel.app.store.connections),
    ),
    h(
      "div",
      { class: "buttons" },
      h(
        "button",
        {
          type: "button",
          class: "button danger",
          dataset: { key: "kill" },
          onclick: () => command("kill"),
        },
        "kill -9 the bot",
      ),
      b.state === "stopped"
        ? h(
            "button",
            { type: "button", class: "button", dataset: { key: "start" }, onclick: () => command("start") },
            "Start it",
          )
        : h(
            "button",
            { type: "button", class: "button", dataset: { key: "stop" }, onclick: () => command("stop") },
            "Stop it (SIGTERM)",
          ),
    ),
    h("h3", null, "Its log"),
    h(
      "pre",
      { class: "log", tabindex: "0", role: "region", "aria-label": "The bot's log" },
      asText(panel.log || []),
    ),
  ];
}

/** The last lines of a log. */
export function asText(lines) {
  return lines.slice(-120).map(readable).join("\n") || "(silent so far)";
}

/** A line of the log for a person: the bot writes JSON where nobody looks on. */
function readable(line) {
  try {
    const { at, level, logger, message, error } = JSON.parse(line);
    return `${at.slice(11, 19)} ${level} ${logger}: ${message}${error ? `\n    ${error}` : ""}`;
  } catch {
    return line;
  }
}

/** What is broken at Slack and at the model, in words. */
export async function inForce(model) {
  const slack = await get("/sandbox/api/faults");
  if (!model?.seen) return slack;
  const { faults: wrong } = await get("/sandbox/api/model/faults");
  return [...slack, ...wrong.map((f) => `model: ${f.kind.replace(/_/g, " ")}`)];
}

export function faults(panel) {
  const button = (name, what, run, blocked = false, done = "In force") =>
    h(
      "button",
      {
        type: "button",
        class: "fault",
        disabled: blocked,
        dataset: { key: name },
        onclick: async () => {
          if ((await panel.app.try(run)) !== false) toast(`${done}: ${name}.`);
          panel.poll();
        },
      },
      h("strong", null, name),
      h("span", null, what),
    );
  const slack = (body) => () => act("faults", body);
  const socket = (what) => () => act("sockets", { act: what });
  const model = (body) => () => post("/sandbox/api/model/faults", body);
  const unseen = panel.app.model && !panel.app.model.seen;
  return [
    h("p", { class: "about" }, "Break something, then write a message and watch what the bot does."),
    h(
      "div",
      { class: "in-force" },
      h(
        "p",
        { class: "tally", role: "status" },
        panel.inForce.map((told) => h("span", { class: "pill warn" }, told)),
      ),
      h(
        "button",
        { type: "button", class: "button", dataset: { key: "clear" }, onclick: () => clear(panel, unseen) },
        "Everything well again",
      ),
    ),
    h("h3", null, "Slack"),
    h(
      "div",
      { class: "faults" },
      button(
        "Deliver twice",
        "the next event arrives two times",
        slack({ deliver: "events_api", copies: 1 }),
      ),
      button(
        "Lose the ack",
        "the bot's acknowledgement is not heard; Slack sends again",
        slack({ deliver: "events_api", lose_acks: 1 }),
      ),
      button(
        "Deliver late",
        "the next event comes five seconds later",
        slack({ deliver: "events_api", delay_s: 5 }),
      ),
      button("Drop the socket", "all connections break at once", socket("drop"), false, "Done"),
      button("Refresh the socket", "as Slack does every few hours", socket("refresh"), false, "Done"),
      button(
        "429 for a minute",
        "every Web API call is refused; Retry-After 10",
        slack({ method: "*", status: 429, retry_after_s: 10, for_s: 60 }),
      ),
      button(
        "Slack 500, three times",
        "whatever the bot says next is not taken",
        slack({ method: "chat.*", status: 500, html: true, times: 3 }),
      ),
      button(
        "Lose the end",
        "the end of an answer is taken, Slack's word about it lost",
        slack({ method: "chat.stopStream", lose_response: true }),
      ),
      button(
        "Lose the start",
        "the start of an answer is taken, Slack's word about it lost",
        slack({ method: "chat.startStream", lose_response: true }),
      ),
    ),
    h("h3", null, "The model"),
    unseen && h("p", { class: "about" }, "What is asked of this model does not pass through the sandbox."),
    h(
      "div",
      { class: "faults" },
      button("Model answers 500", "three times", model({ kind: "server_error", times: 3 }), unseen),
      button(
        "Breaks mid-stream",
        "the connection is reset after a few words",
        model({ kind: "reset", after_chunks: 12 }),
        unseen,
      ),
      button(
        "Ends without a reason",
        "the answer just stops",
        model({ kind: "eof", after_chunks: 12 }),
        unseen,
      ),
      button(
        "Falls silent",
        "the line stays open, nothing comes",
        model({ kind: "stall", after_chunks: 12 }),
        unseen,
      ),
      button(
        "Slow",
        "three seconds to the first word, then five a second",
        model({ kind: "slow", delay_s: 3, value: 5 }),
        unseen,
      ),
      button(
        "Busy",
        "429, come back in three seconds",
        model({ kind: "rate_limit", retry_after_s: 3 }),
        unseen,
      ),
      button(
        "The model ends",
        "404 for good; whoever follows it answers, and Bob, the operator, is told within a minute",
        model({ kind: "ended", model: "gpt-4.1", times: 0 }),
        unseen,
      ),
      button("Quota spent", "429 that no retry helps; the bot asks again after five seconds", model({ kind: "quota" }), unseen),
      button("Filtered", "cut by the content filter", model({ kind: "content_filter" }), unseen),
    ),
    h("h3", null, "The bot"),
    h(
      "div",
      { class: "faults" },
      button(
        "kill -9",
        "the process dies at once and is started again; best in mid-answer",
        () => post("/sandbox/bot", { act: "kill" }),
        false,
        "Done",
      ),
    ),
  ];
}

async function clear(panel, unseen) {
  await panel.app.try(() => act("faults", { clear: true }));
  if (!unseen) await panel.app.try(() => fetch("/sandbox/api/model/faults", { method: "DELETE" }));
  toast("No fault is in force.");
  panel.poll();
}

export function session(panel) {
  const chooser = h("input", {
    type: "file",
    accept: "application/json",
    hidden: true,
    "aria-label": "Session file",
    tabindex: "-1",
  });
  chooser.addEventListener("change", async () => {
    const session = await chooser.files[0]
      .text()
      .then(JSON.parse)
      .catch(() => null);
    chooser.value = "";
    if (!session) return toast("That is not a session file.", "bad");
    toast("Replaying…");
    const done = await panel.app.try(() => act("replay", { session, pace: 1 }));
    if (done !== false) toast(`Replayed ${done} acts.`);
    return undefined;
  });
  return [
    h("p", { class: "about" }, "What people did here, as a file. The same file serves as a test fixture."),
    h(
      "div",
      { class: "buttons" },
      h(
        "button",
        { type: "button", class: "button", dataset: { key: "export" }, onclick: () => exportSession(panel) },
        "Export",
      ),
      h(
        "button",
        { type: "button", class: "button", dataset: { key: "replay" }, onclick: () => chooser.click() },
        "Replay a file",
      ),
      chooser,
      h(
        "button",
        { type: "button", class: "button danger", dataset: { key: "reset" }, onclick: () => reset(panel) },
        "Reset the workspace",
      ),
    ),
    h("h3", null, "Imitated here"),
    h(
      "ul",
      { class: "plain" },
      IMITATED.map((line) => h("li", null, line)),
    ),
    h("h3", null, "Not imitated"),
    h(
      "ul",
      { class: "plain" },
      MISSING.map((line) => h("li", null, line)),
    ),
  ];
}

async function exportSession(panel) {
  const session = await panel.app.try(() => get("/sandbox/api/export"));
  if (session === false) return;
  const url = URL.createObjectURL(new Blob([JSON.stringify(session, null, 2)], { type: "application/json" }));
  h("a", { href: url, download: "parley-session.json" }).click();
  setTimeout(() => URL.revokeObjectURL(url), 1000);
}

async function reset(panel) {
  toast("Beginning anew…");
  if ((await panel.app.try(() => post("/sandbox/reset"))) === false) return;
  panel.requests = [];
  panel.last = 0;
  toast("A new workspace, and a bot that remembers nothing of the old one.");
}

const IMITATED = [
  "Web API methods that the app calls, with Slack's limits, rate tiers and error codes",
  "Events, commands, buttons, modals and shortcuts over Socket Mode, with acks, retries and refreshes",
  "Streamed messages, status lines, the stop button, sessions, suggested prompts, the Home tab",
  "Files of any kind, shared, changed and deleted; voice clips, ephemeral messages, a channel shared with another company",
];
const MISSING = [
  "Search, canvases, lists, huddles, workflows, notifications",
  "Link previews: the bot never asks for them",
  "OAuth: the app is installed already",
];
