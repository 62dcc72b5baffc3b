// The page: who one is, where one looks, and what one does. Everything known is in the store; this draws it.

import { blocksOf } from "./blocks.js";
import { Composer } from "./composer.js";
import { fill, h, icon, iconButton } from "./dom.js";
import { Flow } from "./flow.js";
import { act, get, Live } from "./live.js";
import { openMenu, toast } from "./menu.js";
import { avatar, MessageList } from "./messages.js";
import { typedForm } from "./names.js";
import { Panel } from "./panel.js";
import { drawBanner, drawChannels, drawPeople, theme } from "./sidebar.js";
import { Store } from "./store.js";
import { homeTab, Modals } from "./views.js";

class App {
  constructor() {
    this.store = new Store();
    this.user = localStorage.getItem("as") || "alice";
    this.at = { channel: "", thread: "", tab: "messages" };
    this.editing = "";
    this.given = new Map(); // feedback that this person gave: message ts → value
    this.modals = new Modals(this);
    this.panel = new Panel(this);
    this.announcer = document.getElementById("announcer");
    this.sidebar = document.getElementById("sidebar");
    this.main = document.getElementById("main");
    this.side = document.getElementById("thread");
    document.getElementById("app").append(this.panel.element);
    this.follow();
    theme();
    document.addEventListener("keydown", (e) => this.key(e));
    window.addEventListener("hashchange", () => this.fromHash());
    const flow = new Flow((frame) => this.store.hear(frame));
    this.live = new Live(
      this.user,
      (frame) => flow.take(frame),
      (on) => this.online(on),
    );
    this.about();
    setInterval(() => this.about(), 3000);
  }

  // -- following what happens

  follow() {
    const { store } = this;
    store.on("state", () => this.enter());
    store.on("message", ({ channel, message }) => this.onMessage(channel, message));
    store.on("append", ({ channel, ts }) => this.lists(channel).forEach((list) => list.touch(ts)));
    store.on("message_deleted ephemeral_deleted", ({ channel }) =>
      this.lists(channel).forEach((list) => list.render()),
    );
    store.on("ephemeral", ({ channel, message }) => {
      this.lists(channel).forEach((list) => list.render());
      this.announce(`Only for you: ${plain(message)}`);
    });
    store.on("status session prompts title", (frame) => this.onWork(frame));
    store.on("home", () => this.at.tab === "home" && this.drawMain());
    store.on("channel", () => this.live.as(this.user));
  }

  lists(channel) {
    return [this.list, this.threadList].filter((list) => list && list.channel === channel);
  }

  onMessage(channel, message) {
    const root = message.thread_ts || message.ts;
    for (const list of this.lists(channel)) {
      if (list.thread && root !== list.thread) continue;
      if (list.rows.get(message.ts)?.isConnected) list.touch(message.ts);
      else if (list.thread || root === message.ts || message.subtype === "thread_broadcast") list.render();
      else if (list.rows.has(root)) list.touch(root);
    }
    if (message.bot_id && root !== message.ts) this.maybeOpen(channel, root);
    if (message.bot_id && root === this.at.thread) this.drawWork();
    if (message.bot_id && !message.streaming && this.at.channel === channel)
      this.announce(`${this.store.bot.real_name}: ${plain(message)}`);
    if (this.at.channel === channel) this.store.unread.delete(channel);
    drawChannels(this);
  }

  /** The answer to what one has just written opens beside it, unless one is writing in another thread. */
  maybeOpen(channel, root) {
    if (this.awaited !== root || this.at.channel !== channel || this.at.thread === root) return;
    if (!this.at.thread || !this.threadComposer.box.value) this.openThread(channel, root);
  }

  onWork({ channel, thread_ts: thread, status }) {
    if (this.at.channel !== channel) return;
    if (thread && this.list?.rows.has(thread)) this.list.touch(thread);
    if (status) this.maybeOpen(channel, thread);
    this.drawWork();
  }

  online(on) {
    this.store.online = on;
    document.body.classList.toggle("offline", !on);
    document.getElementById("offline").hidden = on;
  }

  async about() {
    try {
      const about = await get("/sandbox/about");
      const changed = JSON.stringify(about) !== JSON.stringify(this.aboutSeen);
      this.aboutSeen = about;
      this.model = about.model;
      if (changed) drawBanner(this, about);
    } catch {
      // The page says that it is offline already.
    }
  }

  /** A new state: everything is drawn anew, the place is kept where it still exists. */
  enter() {
    const { store } = this;
    this.given.clear();
    this.editing = "";
    document.getElementById("workspace").textContent = store.team.name;
    if (!store.channels.has(this.at.channel)) this.at = { channel: "", thread: "", tab: "messages" };
    if (!this.at.channel && !this.fromHash()) this.at.channel = [...store.channels.keys()][0];
    if (this.at.thread && !store.message(this.at.channel, this.at.thread)) this.at.thread = "";
    drawPeople(this);
    drawChannels(this);
    this.drawMain();
    this.drawThread();
  }

  // -- drawing

  placeName(id) {
    const c = this.store.channel(id);
    if (!c) return "";
    return c.kind === "im" ? this.store.bot?.real_name || "the app" : `#${c.name}`;
  }

  emptyText(id) {
    const c = this.store.channel(id);
    if (c?.kind === "im")
      return `This is your conversation with ${this.placeName(id)}. Only you two can see it. Ask something.`;
    return `This is the beginning of ${this.placeName(id)}. Write @${this.store.bot?.name || "parley"} and a question.`;
  }

  drawMain() {
    const { store, at } = this;
    const c = store.channel(at.channel);
    if (!c) return;
    const direct = c.kind === "im";
    const about = direct
      ? "Messages go to the app alone"
      : [c.purpose || c.topic, `${c.members.length} members`, c.shared_with && "shared with another company"]
          .filter(Boolean)
          .join(" · ");
    const head = h(
      "header",
      { class: "place-head" },
      iconButton("menu", "Channels and people", () => this.drawer(true), { id: "open-drawer" }),
      h("div", { class: "titles" }, h("h1", null, this.placeName(at.channel)), h("p", null, about)),
      direct && this.tabsOfApp(),
      h(
        "button",
        {
          type: "button",
          class: "button scenes",
          id: "open-panel",
          "aria-label": "Behind the scenes",
          title: "Behind the scenes",
          "aria-expanded": String(this.panel.open),
          onclick: () => this.panel.toggle(),
        },
        icon("pulse"),
        h("span", null, "Behind the scenes"),
      ),
    );
    if (at.tab === "home") {
      this.list = null;
      fill(
        this.main,
        head,
        h(
          "div",
          { class: "scroll", tabindex: "0", role: "region", "aria-label": "Home of the app" },
          homeTab(this),
        ),
      );
      return;
    }
    this.list = new MessageList(this, at.channel);
    this.composer = new Composer(this, at.channel);
    fill(this.main, head, this.list.element, this.composer.element);
    this.list.toEnd();
    this.drawWork();
  }

  tabsOfApp() {
    const tab = (id, name) =>
      h(
        "button",
        {
          type: "button",
          role: "tab",
          "aria-selected": String(this.at.tab === id),
          onclick: () => this.appTab(id),
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

  drawThread() {
    const { channel, thread } = this.at;
    this.side.hidden = !thread;
    document.body.classList.toggle("with-thread", Boolean(thread));
    if (!thread) {
      this.threadList = null;
      fill(this.side);
      return;
    }
    this.threadList = new MessageList(this, channel, thread);
    this.threadComposer = new Composer(this, channel, thread);
    this.threadTitle = h("p", null);
    fill(
      this.side,
      h(
        "header",
        { class: "place-head" },
        h("div", { class: "titles" }, h("h2", null, "Thread"), this.threadTitle),
        iconButton("close", "Close the thread", () => this.closeThread()),
      ),
      this.threadList.element,
      this.threadComposer.element,
    );
    this.threadList.toEnd();
    this.drawWork();
  }

  /** Status lines, suggested prompts and stop buttons of what is open. */
  drawWork() {
    const { channel, thread } = this.at;
    const { store } = this;
    if (this.list) this.list.under(this.prompts(channel, ""));
    if (!thread || !this.threadList) return;
    const status = store.status(channel, thread);
    const session = store.session(channel, thread);
    this.threadTitle.textContent = store.titleOf(channel, thread) || this.placeName(channel);
    const busy = session?.status === "processing";
    const silent = busy && !store.thread(channel, thread).some((m) => m.streaming);
    this.threadComposer.working(busy);
    this.threadList.under(
      (status || silent) && working(store.bot, status || { status: "is working…" }),
      this.prompts(channel, thread),
    );
  }

  prompts(channel, thread) {
    const offer = this.store.promptsOf(channel, thread);
    const fresh = thread || !this.store.roots(channel).length;
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
            onclick: () => (thread ? this.threadComposer : this.composer).set(p.message),
          },
          p.title,
        ),
      ),
    );
  }

  // -- where one looks

  go(channel, thread = "") {
    this.at = { channel, thread, tab: "messages" };
    this.awaited = "";
    this.editing = "";
    this.store.unread.delete(channel);
    history.replaceState(null, "", `#${channel}${thread ? `/${thread}` : ""}`);
    this.drawer(false);
    drawChannels(this);
    this.drawMain();
    this.drawThread();
    if (this.store.channel(channel)?.kind === "im")
      this.try(() => act("open_home", { user: this.user, tab: "messages" }));
    else this.try(() => act("look_at", { user: this.user, channels: [channel] }));
  }

  fromHash() {
    const [channel, thread = ""] = location.hash.slice(1).split("/");
    if (!this.store.channels.has(channel) || (channel === this.at.channel && thread === this.at.thread))
      return false;
    this.at = { channel, thread: this.store.message(channel, thread) ? thread : "", tab: "messages" };
    if (this.list) this.enter();
    return true;
  }

  openThread(channel, root, focus = false) {
    this.at.thread = root;
    history.replaceState(null, "", `#${channel}/${root}`);
    this.drawThread();
    if (focus) this.threadComposer.focus();
  }

  closeThread() {
    const root = this.at.thread;
    this.at.thread = "";
    this.awaited = "";
    history.replaceState(null, "", `#${this.at.channel}`);
    this.drawThread();
    (this.list?.rows.get(root)?.querySelector(".replies") || this.composer?.box)?.focus();
  }

  appTab(tab) {
    this.at.tab = tab;
    this.at.thread = "";
    this.drawThread();
    this.drawMain();
    this.main.querySelector('[role="tab"][aria-selected="true"]')?.focus();
    this.try(() => act("open_home", { user: this.user, tab }));
  }

  drawer(open) {
    document.body.classList.toggle("with-drawer", open);
    if (open) this.sidebar.querySelector("button, select")?.focus();
  }

  openPanel(tab) {
    this.panel.toggle(true);
    this.panel.show(tab);
  }

  become(name) {
    this.user = name;
    localStorage.setItem("as", name);
    this.store.unread.clear();
    this.live.as(name);
  }

  // -- what one does

  /** Do it; false, and a word on the screen, when the sandbox will not have it. */
  async try(run) {
    try {
      return await run();
    } catch (problem) {
      toast(problem.message, "bad");
      return false;
    }
  }

  async send(channel, thread, text, files) {
    const command = text.match(/^(\/\S+)\s*([\s\S]*)$/);
    if (command && !files.length && this.store.commands.some((c) => c.command === command[1])) {
      if (thread) {
        toast("Slash commands do not work in threads, in Slack neither.", "bad");
        return false;
      }
      return (
        (await this.try(() =>
          act("command", { user: this.user, channel, command: command[1], text: command[2] }),
        )) !== false
      );
    }
    const sent = await Promise.all(files.map(packed));
    const body = { user: this.user, channel, text, files: sent, ...(thread ? { thread_ts: thread } : {}) };
    const ts = await this.try(() => act("say", body));
    if (ts === false) return false;
    if (!thread) this.awaited = ts;
    this.lists(channel).forEach((list) => list.toEnd());
    return true;
  }

  react(channel, ts, name, remove) {
    return this.try(() => act("react", { user: this.user, channel, ts, name, remove }));
  }

  stop(channel, thread) {
    return this.try(() => act("stop", { user: this.user, channel, thread_ts: thread }));
  }

  shortcut(callback, channel, ts) {
    return this.try(() => act("shortcut", { user: this.user, callback_id: callback, channel, ts }));
  }

  globalShortcuts(button) {
    const items = this.store.shortcuts
      .filter((s) => s.type === "global")
      .map((s) => ({
        label: s.name,
        hint: s.description,
        run: () => this.try(() => act("shortcut", { user: this.user, callback_id: s.callback_id })),
      }));
    openMenu(button, "Shortcuts", items);
  }

  remove(channel, ts) {
    return this.try(() => act("delete", { user: this.user, channel, ts }));
  }

  dismiss(channel, ts) {
    this.store.on_ephemeral_deleted({ channel, ts });
    this.lists(channel).forEach((list) => list.render());
  }

  edit(channel, ts) {
    this.editing = ts;
    this.lists(channel).forEach((list) => list.redraw(ts));
    document.querySelector(".editor textarea")?.focus();
  }

  editLast(channel, thread) {
    const mine = (thread ? this.store.thread(channel, thread) : this.store.roots(channel)).filter(
      (m) => m.user === this.store.me && m.text,
    );
    if (mine.length) this.edit(channel, mine.at(-1).ts);
  }

  editor(channel, message) {
    const box = h("textarea", { rows: "2", "aria-label": "Edit the message" });
    box.value = typedForm(this.store, message.text);
    const done = () => {
      this.editing = "";
      this.lists(channel).forEach((list) => list.redraw(message.ts));
    };
    const save = async () => {
      if (
        (await this.try(() => act("edit", { user: this.user, channel, ts: message.ts, text: box.value }))) !==
        false
      )
        done();
    };
    box.addEventListener("keydown", (e) => {
      if (e.key === "Escape") {
        e.stopPropagation();
        done();
      }
      if (e.key === "Enter" && !e.shiftKey) {
        e.preventDefault();
        save();
      }
    });
    return h(
      "div",
      { class: "editor" },
      box,
      h(
        "div",
        { class: "buttons" },
        h("button", { type: "button", class: "button", onclick: done }, "Cancel"),
        h("button", { type: "button", class: "button primary", onclick: save }, "Save"),
      ),
    );
  }

  /** What blocks need to know and to do. */
  context(channel, message, more = {}) {
    const { store } = this;
    const ts = message?.ts;
    const press = async (action, value) => {
      if (value !== null) this.given.set(`${ts} ${action}`, value);
      const done = await this.try(() =>
        act("press", { user: this.user, channel, ts, action_id: action, value }),
      );
      if (done && done.acked_after_s === null) toast("The app did not respond.", "bad");
      this.lists(channel).forEach((list) => list.touch(ts));
    };
    return {
      me: store.me,
      person: (id) => store.person(id),
      channel: (id) => store.channel(id),
      people: () => [...store.people.values()].filter((p) => !p.bot).map((p) => [p.id, p.real_name]),
      channels: () => [...store.channels.values()].filter((c) => c.name).map((c) => [c.id, `#${c.name}`]),
      file: (id, url) =>
        [...store.messages.values()]
          .flatMap((m) => [...m.values()])
          .flatMap((m) => m.files || [])
          .find((f) => f.id === id || f.url_private === url),
      feedback: (action) => this.given.get(`${ts} ${action}`),
      press,
      change: (e, value) => value !== null && press(e.action_id, value),
      ...more,
    };
  }

  announce(text) {
    this.announcer.textContent = text.slice(0, 1500);
  }

  key(e) {
    if (e.key === "Escape" && !document.querySelector("dialog[open], .menu")) {
      if (document.body.classList.contains("with-drawer")) this.drawer(false);
      else if (this.at.thread) this.closeThread();
    }
    if ((e.ctrlKey || e.metaKey) && e.key.toLowerCase() === "k") {
      e.preventDefault();
      this.drawer(true);
      (this.sidebar.querySelector('[aria-current="page"]') || this.sidebar.querySelector(".place"))?.focus();
    }
    if (e.altKey && (e.key === "ArrowDown" || e.key === "ArrowUp")) {
      e.preventDefault();
      const ids = [...this.store.channels.keys()];
      this.go(ids.at((ids.indexOf(this.at.channel) + (e.key === "ArrowDown" ? 1 : -1)) % ids.length));
    }
  }
}

function working(bot, status) {
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

async function packed(file) {
  const bytes = new Uint8Array(await file.blob.arrayBuffer());
  let binary = "";
  for (let i = 0; i < bytes.length; i += 32768)
    binary += String.fromCharCode(...bytes.subarray(i, i + 32768));
  return {
    name: file.name,
    content: btoa(binary),
    ...(file.voice ? { voice: true, duration_s: file.seconds } : {}),
  };
}

function plain(message) {
  const holder = h(
    "div",
    null,
    message.blocks?.length
      ? blocksOf(
          message.blocks.filter((b) => ["markdown", "section", "header"].includes(b.type)),
          { person: () => null, channel: () => null, me: "" },
        )
      : message.text || "",
  );
  return holder.textContent;
}

window.sandbox = new App();
