// Several bots on one database, behind the scenes: each with its state and its number, and what ends it.

import { h } from "./dom.js";
import { post } from "./live.js";
import { figure } from "./records.js";

const STATES = {
  running: ["good", "running"],
  frozen: ["warn", "frozen"],
  killed: ["bad", "killed"],
  starting: ["warn", "starting"],
  restarting: ["warn", "starting"],
  stopped: ["bad", "stopped"],
};

export function processes(panel) {
  const { bots, database } = panel.processes;
  return [
    h(
      "p",
      { class: "about" },
      "The same bot several times, on one database. Kill one in the middle of an answer: another one takes over within a few seconds, before it is back. " +
        "One that is frozen keeps its connections; after 20 seconds the others strike it off, and it ends when it is continued.",
    ),
    ...bots.map((bot, at) => process(panel, bot, at)),
    database.kind === "PostgreSQL" && server(panel, database),
  ].filter(Boolean);
}

function process(panel, bot, at) {
  const name = `process ${at + 1}`;
  const command = (act) => () => ask(panel, "/sandbox/bot", { act, bot: at });
  const there = ["running", "frozen"].includes(bot.state);
  return card(
    `Process ${at + 1}`,
    bot.state,
    [
      figure("number", bot.number ?? "–"),
      figure("pid", there ? bot.pid : "–"),
      figure("starts", bot.starts),
      figure("at work", bot.at_work_on ?? "–"),
      figure("took over", bot.taken_over ?? "–"),
    ],
    [
      button(`kill${at}`, "Kill", `Kill ${name}`, command("kill"), "button danger", !there),
      bot.state === "frozen"
        ? button(`freeze${at}`, "Continue", `Continue ${name}`, command("resume"))
        : button(`freeze${at}`, "Freeze", `Freeze ${name}`, command("freeze"), "button", !there),
      bot.state === "stopped"
        ? button(`stop${at}`, "Start", `Start ${name}`, command("start"))
        : button(`stop${at}`, "Stop", `Stop ${name} in good order`, command("stop"), "button", !there),
    ],
    panel.fold(`log${at}`, [h("span", null, `Log of ${name}`)], () => panel.logOf(at)),
  );
}

function server(panel, database) {
  return card(
    "PostgreSQL",
    database.state,
    [figure("pid", database.pid || "–"), figure("kills", database.kills)],
    [
      button(
        "database",
        "Kill the server",
        "Kill the server",
        () => ask(panel, "/sandbox/database", { act: "kill" }),
        "button danger",
        database.state !== "running",
      ),
    ],
  );
}

function card(title, state, figures, buttons, ...more) {
  const [kind, word] = STATES[state] || ["", state];
  return h(
    "section",
    { class: "process", "aria-label": title },
    h("header", null, h("h3", null, title), h("span", { class: `pill ${kind}`, role: "status" }, word)),
    h("dl", { class: "figures" }, figures),
    h("div", { class: "buttons" }, buttons),
    h("div", { class: "rows" }, more),
  );
}

function button(key, text, label, onclick, kind = "button", disabled = false) {
  return h(
    "button",
    { type: "button", class: kind, "aria-label": label, dataset: { key }, onclick, disabled },
    text,
  );
}

async function ask(panel, path, body) {
  await panel.app.try(() => post(path, body));
  panel.poll();
}
