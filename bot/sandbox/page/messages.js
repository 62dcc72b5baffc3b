// One message as a row, and lists of them that follow what happens without being built anew.

import { attachments } from "./attachments.js";
import { blocksOf } from "./blocks.js";
import { fill, h, icon, iconButton } from "./dom.js";
import { files } from "./files.js";
import { EMOJI, QUICK } from "./inline.js";
import { openMenu } from "./menu.js";
import { mrkdwn } from "./mrkdwn.js";
import { emptyText } from "./names.js";

const TOGETHER_S = 300; // messages of one person within this time share one head

export function clock(ts) {
  return new Date(parseFloat(ts) * 1000).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
}

/** A picture for a person: initials on a colour of their own; the app has a bubble. */
export function avatar(person, size = "") {
  if (person?.bot) return h("span", { class: `avatar bot ${size}`, "aria-hidden": "true" }, icon("thread"));
  const name = person?.real_name || "?";
  const hue = [...(person?.id || name)].reduce((sum, c) => (sum * 31 + c.charCodeAt(0)) % 360, 7);
  const initials = name
    .split(/\s+/)
    .map((part) => part[0])
    .slice(0, 2)
    .join("");
  const node = h("span", { class: `avatar ${size}`, "aria-hidden": "true" }, initials);
  node.style.setProperty("--hue", hue);
  return node;
}

/** A list of messages that stays at its end while the reader is there. */
export class MessageList {
  /** app: see app.js. thread: the root's ts, or "" for a channel's own list. */
  constructor(app, channel, thread = "") {
    Object.assign(this, { app, channel, thread, rows: new Map(), dirty: new Set(), frame: 0 });
    const name = thread ? "Thread" : "Messages";
    this.items = h("ol", { class: "messages", "aria-label": name });
    this.foot = h("div", { class: "list-foot" });
    this.element = h(
      "div",
      { class: "scroll", tabindex: "0", role: "region", "aria-label": `${name}, scrollable` },
      this.items,
      this.foot,
    );
    this.render();
  }

  get shown() {
    const { store } = this.app;
    return this.thread ? store.thread(this.channel, this.thread) : store.roots(this.channel);
  }

  /** Build everything anew: on entering, after a reset, when a message comes or goes. */
  render() {
    const stay = this.atEnd;
    const items = [];
    let before = null;
    for (const message of this.shown) {
      if (!before || day(before) !== day(message))
        items.push(h("li", { class: "day" }, h("span", null, day(message))));
      items.push(this.row(message, before));
      before = message;
    }
    if (!items.length) items.push(h("li", { class: "empty" }, emptyText(this.app.store, this.channel)));
    fill(this.items, items);
    if (stay) this.toEnd();
  }

  /** One message changed; its row is drawn again with the next frame. */
  touch(ts) {
    this.dirty.add(ts);
    this.frame ||= requestAnimationFrame(() => {
      this.frame = 0;
      const stay = this.atEnd;
      for (const each of this.dirty) this.redraw(each);
      this.dirty.clear();
      if (stay) this.toEnd();
    });
  }

  redraw(ts) {
    const old = this.rows.get(ts);
    const list = this.shown;
    const at = list.findIndex((m) => m.ts === ts);
    if (!old || !old.isConnected || at < 0) return;
    const held = old.contains(document.activeElement) ? focusPath(old) : null;
    old.replaceWith(this.row(list[at], list[at - 1]));
    if (held) refocus(this.rows.get(ts), held);
  }

  row(message, before) {
    const row = messageRow(this.app, this.channel, message, { thread: this.thread, before });
    this.rows.set(message.ts, row);
    return row;
  }

  /** What stands under the messages: status, prompts. */
  under(...nodes) {
    const stay = this.atEnd;
    fill(this.foot, nodes);
    if (stay) this.toEnd();
  }

  get atEnd() {
    const box = this.element;
    return !box.isConnected || box.scrollHeight - box.scrollTop - box.clientHeight < 80;
  }

  toEnd() {
    this.element.scrollTop = this.element.scrollHeight;
  }
}

// Redrawing must not take the keyboard away: remember which control had it.
function focusPath(row) {
  return [...row.querySelectorAll("button, a, select, input")].indexOf(document.activeElement);
}

function refocus(row, index) {
  row?.querySelectorAll("button, a, select, input")[index]?.focus();
}

function day(message) {
  const date = new Date(parseFloat(message.ts) * 1000);
  return date.toDateString() === new Date().toDateString()
    ? "Today"
    : date.toLocaleDateString([], { weekday: "long", day: "numeric", month: "long" });
}

/** One message. place.thread: it is shown in its thread; place.before: the one above it. */
export function messageRow(app, channel, message, place) {
  const { store } = app;
  const person = store.author(message);
  const ephemeral = store.isEphemeral(channel, message.ts);
  const near =
    place.before &&
    store.author(place.before)?.id === person?.id &&
    parseFloat(message.ts) - parseFloat(place.before.ts) < TOGETHER_S;
  const together =
    near &&
    !ephemeral &&
    !store.isEphemeral(channel, place.before.ts) &&
    place.before.ts !== place.thread &&
    !store.replies(channel, place.before.ts).length;
  const gone = message.subtype === "tombstone";
  const kinds = [
    "message",
    together && "together",
    ephemeral && "ephemeral",
    message.streaming && "streaming",
    gone && "gone",
  ];
  const head = h(
    "div",
    { class: together ? "head hidden-head" : "head" },
    h("span", { class: "author" }, gone ? "" : person?.real_name || "Somebody"),
    !gone && person?.bot && h("span", { class: "tag" }, "app"),
    person?.stranger && h("span", { class: "tag guest" }, "other company"),
    h("time", { datetime: new Date(parseFloat(message.ts) * 1000).toISOString() }, clock(message.ts)),
  );
  return h(
    "li",
    { class: kinds.filter(Boolean).join(" "), dataset: { ts: message.ts } },
    gone
      ? h("span", { class: "avatar deleted", "aria-hidden": "true" }, icon("trash"))
      : together
        ? h("span", { class: "gutter", "aria-hidden": "true" }, clock(message.ts))
        : avatar(person),
    h(
      "div",
      { class: "body" },
      head,
      ephemeral && h("p", { class: "only-you" }, "Only you can see this"),
      app.acts.editing === message.ts ? app.acts.editor(channel, message) : content(app, channel, message),
      attachments(message, app.context(channel, message)),
      files(message),
      reactions(app, channel, message),
      !place.thread && replies(app, channel, message),
      message.streaming && h("span", { class: "caret", role: "img", "aria-label": "still writing" }),
    ),
    !gone && toolbar(app, channel, message, { ...place, ephemeral }),
  );
}

function content(app, channel, message) {
  const ctx = app.context(channel, message);
  const own = message.bot_id || app.store.isEphemeral(channel, message.ts);
  if (own && message.blocks?.length) return h("div", { class: "content" }, blocksOf(message.blocks, ctx));
  const edited = message.edited && h("small", { class: "edited" }, " (edited)");
  const nodes = mrkdwn(message.text || "", ctx);
  if (edited && nodes.length) nodes[nodes.length - 1].append(edited);
  return nodes.length ? h("div", { class: "content md" }, nodes) : null;
}

function reactions(app, channel, message) {
  if (!message.reactions?.length) return null;
  return h(
    "div",
    { class: "reactions" },
    message.reactions.map((r) => {
      const mine = r.users.includes(app.store.me);
      const who = r.users.map((id) => app.store.person(id)?.name || id).join(", ");
      return h(
        "button",
        {
          type: "button",
          class: `reaction${mine ? " mine" : ""}`,
          "aria-pressed": String(mine),
          title: who,
          "aria-label": `${r.name.replace(/_/g, " ")}, ${r.count}, ${who}`,
          onclick: () => app.acts.react(channel, message.ts, r.name, mine),
        },
        h("span", { "aria-hidden": "true" }, EMOJI[r.name] || `:${r.name}:`),
        ` ${r.count}`,
      );
    }),
  );
}

function replies(app, channel, message) {
  const status = app.store.status(channel, message.ts);
  const said = app.store.replies(channel, message.ts);
  const count = said.length;
  if (!count && !status) return null;
  const people = [...new Map(said.map((m) => [m.user || m.bot_id, app.store.author(m)])).values()]
    .slice(0, 4)
    .map((person) => avatar(person, "small"));
  return h(
    "button",
    { type: "button", class: "replies", onclick: () => app.openThread(channel, message.ts) },
    people,
    count ? h("span", { class: "count" }, `${count} ${count === 1 ? "reply" : "replies"}`) : null,
    status ? h("span", { class: "muted working" }, `${app.store.bot?.real_name} ${status.status}`) : null,
  );
}

function toolbar(app, channel, message, place) {
  const { store } = app;
  const buttons = [];
  if (!place.ephemeral) {
    buttons.push(
      iconButton("smile", "Add a reaction", (e) =>
        openMenu(e.currentTarget, "Reactions", emojiItems(app, channel, message)),
      ),
    );
    if (!place.thread)
      buttons.push(
        iconButton("thread", "Reply in thread", () =>
          app.openThread(channel, message.thread_ts || message.ts, true),
        ),
      );
  }
  const items = moreItems(app, channel, message, place);
  const more = iconButton("more", "More actions", () =>
    openMenu(more, "More actions", [...touchItems(app, channel, message, { ...place, more }), ...items]),
  );
  if (items.length) buttons.push(more);
  return buttons.length
    ? h(
        "div",
        {
          class: "toolbar",
          role: "group",
          "aria-label": `Actions for this message by ${store.author(message)?.real_name || "the app"}`,
        },
        buttons,
      )
    : null;
}

function emojiItems(app, channel, message) {
  return QUICK.map((name) => ({
    label: name.replace(/_/g, " "),
    glyph: EMOJI[name],
    run: () => app.acts.react(channel, message.ts, name, false),
  }));
}

/** Where nothing hovers, the toolbar has room for one button; what the others do stands in its menu. */
function touchItems(app, channel, message, place) {
  if (place.ephemeral || !matchMedia("(hover: none)").matches) return [];
  const react = {
    label: "Add a reaction",
    run: () => openMenu(place.more, "Reactions", emojiItems(app, channel, message)),
  };
  const reply = {
    label: "Reply in thread",
    run: () => app.openThread(channel, message.thread_ts || message.ts, true),
  };
  return place.thread ? [react] : [react, reply];
}

function moreItems(app, channel, message, place) {
  const { store } = app;
  if (place.ephemeral) return [{ label: "Dismiss", run: () => app.acts.dismiss(channel, message.ts) }];
  const items = [];
  if (message.user === store.me)
    items.push({ label: "Edit message", run: () => app.acts.edit(channel, message.ts) });
  if (message.user === store.me || store.self?.admin)
    items.push({ label: "Delete message", danger: true, run: () => app.acts.remove(channel, message.ts) });
  for (const f of message.files || [])
    if (f.user === store.me && f.mode !== "tombstone")
      items.push({ label: `Delete ${f.name}`, danger: true, run: () => app.acts.deleteFile(f.id) });
  const shortcuts = store.shortcuts.filter((s) => s.type === "message");
  if (shortcuts.length) items.push({ heading: store.bot?.real_name || "App" });
  for (const s of shortcuts)
    items.push({
      label: s.name,
      hint: s.description,
      run: () => app.acts.shortcut(s.callback_id, channel, message.ts),
    });
  return items;
}
