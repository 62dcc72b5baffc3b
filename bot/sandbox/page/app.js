// The page: who one is and where one looks. Everything known is in the store; this draws it anew as it changes.
// What one does is in acts.js.

import { Acts } from "./acts.js";
import { blocksOf } from "./blocks.js";
import { Composer } from "./composer.js";
import { fill, h, iconButton } from "./dom.js";
import { takeDrops } from "./files.js";
import { Flow } from "./flow.js";
import { act, get, Live } from "./live.js";
import { toast } from "./menu.js";
import { MessageList } from "./messages.js";
import { placeName } from "./names.js";
import { Panel } from "./panel.js";
import { head, prompts, working } from "./place.js";
import { drawBanner, drawChannels, drawPeople, theme } from "./sidebar.js";
import { Store } from "./store.js";
import { homeTab, Modals } from "./views.js";

class App {
  constructor() {
    this.store = new Store();
    this.user = localStorage.getItem("as") || "alice";
    this.at = { channel: "", thread: "", tab: "messages" };
    this.acts = new Acts(this);
    this.given = new Map(); // feedback that this person gave: message ts → value
    this.modals = new Modals(this);
    this.panel = new Panel(this);
    this.announcer = document.getElementById("announcer");
    this.sidebar = document.getElementById("sidebar");
    this.main = document.getElementById("main");
    this.side = document.getElementById("thread");
    document.getElementById("app").append(this.panel.element);
    takeDrops(this.main, (list) => this.list && this.composer.add(list));
    takeDrops(this.side, (list) => this.threadComposer.add(list));
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

  /** What one has just written; its answer can have come before the word that it was sent. */
  awaitAnswer(channel, ts) {
    this.awaited = ts;
    const begun = this.store.status(channel, ts) || this.store.thread(channel, ts).some((m) => m.bot_id);
    if (begun) this.maybeOpen(channel, ts);
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
    this.acts.editing = "";
    document.getElementById("workspace").textContent = store.team.name;
    if (!store.channels.has(this.at.channel)) this.at = { channel: "", thread: "", tab: "messages" };
    if (!this.at.channel && !this.fromHash()) this.at.channel = [...store.channels.keys()][0];
    if (this.at.thread && !store.message(this.at.channel, this.at.thread)) this.at.thread = "";
    drawPeople(this);
    drawChannels(this);
    this.drawMain();
    this.drawThread();
    if (this.awaited) this.awaitAnswer(this.at.channel, this.awaited); // it may have begun while we were away
  }

  // -- drawing

  drawMain() {
    const { store, at } = this;
    const c = store.channel(at.channel);
    if (!c) return;
    if (at.tab === "home") {
      this.list = null;
      fill(
        this.main,
        head(this, c),
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
    fill(this.main, head(this, c), this.list.element, this.composer.element);
    this.list.toEnd();
    this.drawWork();
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
    if (this.list) this.list.under(prompts(this, channel, ""));
    if (!thread || !this.threadList) return;
    const status = store.status(channel, thread);
    const session = store.session(channel, thread);
    this.threadTitle.textContent = store.titleOf(channel, thread) || placeName(store, channel);
    const busy = session?.status === "processing";
    const silent = busy && !store.thread(channel, thread).some((m) => m.streaming);
    this.threadComposer.working(busy);
    this.threadList.under(
      (status || silent) && working(store.bot, status || { status: "is working…" }),
      prompts(this, channel, thread),
    );
  }

  // -- where one looks

  go(channel, thread = "") {
    this.at = { channel, thread, tab: "messages" };
    this.awaited = "";
    this.acts.editing = "";
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

  // -- what the parts of the page are given

  /** Do it; false, and a word on the screen, when the sandbox will not have it. */
  async try(run) {
    try {
      return await run();
    } catch (problem) {
      toast(problem.message, "bad");
      return false;
    }
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

new App();
