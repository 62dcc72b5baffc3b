// The frame around the conversation: the honest banner, who one is, the list of places, the colours.

import { fill, h, icon } from "./dom.js";
import { avatar } from "./messages.js";
import { placeName } from "./names.js";

/** Which model answers, whether anything leaves the machine, and how the bot fares. */
export function drawBanner(app, { model, bot, processes = 1 }) {
  const words = {
    rehearsal: "Answers come from a rehearsal model on this machine. Nothing leaves it.",
    local: `Answers come from ${model.name} on this machine. Nothing leaves it.`,
    account: `Answers come from ${model.name} at ${model.host}, with your key: what you write to the bot goes there.`,
  };
  const found =
    model.kind === "rehearsal" && model.found.length
      ? ` ${model.found.map((s) => s.name).join(" and ")} runs here too: start with PARLEY_SANDBOX_LOCAL=1 to use it.`
      : "";
  const state = bot && processes === 1
    ? {
        running: "",
        starting: "The bot is starting…",
        restarting: "The bot is coming back…",
        killed: "The bot was killed; it comes back.",
        frozen: "The bot is frozen.",
        stopped: "The bot is stopped.",
      }[bot.state]
    : "";
  const several = processes > 1 ? ` ${processes} processes of the bot share a PostgreSQL.` : "";
  fill(
    document.getElementById("banner"),
    h("span", { class: `dot ${model.kind}`, "aria-hidden": "true" }),
    h(
      "span",
      null,
      h("strong", null, "Sandbox. "),
      words[model.kind],
      found,
      " Slack is imitated.",
      several,
      " ",
      h(
        "button",
        { type: "button", class: "linkish", onclick: () => app.openPanel("session") },
        "What is, and what is not",
      ),
    ),
    state && h("span", { class: "pill warn", role: "status" }, state),
  );
}

export function drawPeople(app) {
  const { store } = app;
  const people = [...store.people.values()].filter((p) => !p.bot);
  const names = people.map((p) => h("option", { value: p.name, selected: p.id === store.me }, p.real_name));
  const choose = h("select", { id: "persona" }, names);
  choose.addEventListener("change", () => app.become(choose.value));
  const role = store.self?.admin ? "admin" : store.self?.stranger ? "guest" : "member";
  fill(
    document.getElementById("me"),
    avatar(store.self),
    h("div", null, h("label", { for: "persona" }, `You are (${role})`), choose),
  );
}

export function drawChannels(app) {
  const { store } = app;
  const all = [...store.channels.values()];
  const rooms = all.filter((c) => c.kind !== "im" && c.kind !== "mpim");
  const direct = all.filter((c) => c.kind === "im" || c.kind === "mpim");
  const item = (c) => {
    const here = c.id === app.at.channel;
    const news = here ? 0 : store.unread.get(c.id) || 0;
    const mark =
      c.kind === "im"
        ? avatar(store.bot, "small")
        : icon(c.shared_with ? "share" : c.kind === "group" ? "lock" : "hash");
    return h(
      "li",
      null,
      h(
        "button",
        {
          type: "button",
          class: `place${news ? " news" : ""}`,
          "aria-current": here ? "page" : null,
          onclick: () => app.go(c.id),
        },
        mark,
        h("span", { class: "name" }, placeName(store, c.id).replace(/^#/, "")),
        c.shared_with && h("span", { class: "sr" }, "shared with another company"),
        news ? h("span", { class: "badge" }, news, h("span", { class: "sr" }, " new")) : null,
      ),
    );
  };
  fill(
    document.getElementById("places"),
    h("h2", null, "Channels"),
    h("ul", null, rooms.map(item)),
    h("h2", null, "Direct messages"),
    h("ul", null, direct.map(item)),
  );
}

/** Light, dark, or as the system has it. */
export function theme() {
  const button = document.getElementById("theme");
  const modes = ["auto", "light", "dark"];
  const apply = (mode) => {
    document.documentElement.dataset.theme = mode;
    const dark = mode === "dark" || (mode === "auto" && matchMedia("(prefers-color-scheme: dark)").matches);
    fill(button, icon(dark ? "moon" : "sun"));
    button.setAttribute("aria-label", `Colours: ${mode}`);
    button.title = `Colours: ${mode}`;
  };
  apply(localStorage.getItem("theme") || "auto");
  button.addEventListener("click", () => {
    const mode = modes[(modes.indexOf(document.documentElement.dataset.theme) + 1) % modes.length];
    localStorage.setItem("theme", mode);
    apply(mode);
  });
}
