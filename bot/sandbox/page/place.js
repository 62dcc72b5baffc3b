// The frame around a conversation: its head, the app's tabs, suggestions, the line that says somebody is at work.

import { h, icon, iconButton } from "./dom.js";
import { avatar } from "./messages.js";
import { placeName } from "./names.js";

/** The name of the place, what it is for, and the way behind the scenes. */
export function head(app, c) {
  const direct = c.kind === "im";
  const about = direct
    ? "Messages go to the app alone"
    : [c.purpose || c.topic, `${c.members.length} members`, c.shared_with && "shared with another company"]
        .filter(Boolean)
        .join(" · ");
  return h(
    "header",
    { class: "place-head" },
    iconButton("menu", "Channels and people", () => app.drawer(true), { id: "open-drawer" }),
    h("div", { class: "titles" }, h("h1", null, placeName(app.store, c.id)), h("p", null, about)),
    direct ? tabsOfApp(app) : inviteApp(app, c),
    h(
      "button",
      {
        type: "button",
        class: "button scenes",
        id: "open-panel",
        "aria-label": "Behind the scenes",
        title: "Behind the scenes",
        "aria-expanded": String(app.panel.open),
        onclick: () => app.panel.toggle(),
      },
      icon("pulse"),
      h("span", null, "Behind the scenes"),
    ),
  );
}

/** The button that invites the app into a channel it is not in. */
function inviteApp(app, c) {
  const { bot } = app.store;
  if (!bot || c.members.includes(bot.id)) return null;
  return h(
    "button",
    { type: "button", class: "button primary", onclick: () => app.acts.invite(c.id) },
    `Invite ${bot.real_name}`,
  );
}

function tabsOfApp(app) {
  const tab = (id, name) =>
    h(
      "button",
      {
        type: "button",
        role: "tab",
        "aria-selected": String(app.at.tab === id),
        onclick: () => app.appTab(id),
      },
      name,
    );
  return h(
    "div",
    { class: "tabs app-tabs", role: "tablist", "aria-label": "The app" },
    tab("messages", "Messages"),
    tab("home", "Home"),
  );
}

/** What the app suggests to say in a place where nothing was said yet, or in a thread. */
export function prompts(app, channel, thread) {
  const { store } = app;
  const offer = store.promptsOf(channel, thread);
  const fresh = thread || !store.roots(channel).length;
  if (!offer || !fresh) return null;
  return h(
    "div",
    { class: "prompts", role: "group", "aria-label": "Suggestions" },
    offer.title && h("p", null, offer.title),
    offer.prompts.map((p) =>
      h(
        "button",
        {
          type: "button",
          class: "prompt",
          onclick: () => (thread ? app.threadComposer : app.composer).set(p.message),
        },
        p.title,
      ),
    ),
  );
}

/** Somebody is at work: the status as the app tells it. */
export function working(bot, status) {
  const lines = status.loading_messages || [];
  return h(
    "div",
    { class: "status", role: "status" },
    avatar(bot, "small"),
    h("span", null, `${bot?.real_name || "The app"} ${status.status}`),
    lines.length ? h("span", { class: "muted" }, lines[0]) : null,
    h("span", { class: "dots", "aria-hidden": "true" }, h("i"), h("i"), h("i")),
  );
}
