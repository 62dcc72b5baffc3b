// What is known: the workspace as the current person sees it, kept up to date frame by frame. No elements here.

const key = (channel, thread) => `${channel} ${thread || ""}`;

export class Store extends EventTarget {
  constructor() {
    super();
    this.me = "";
    this.people = new Map();
    this.channels = new Map();
    this.messages = new Map(); // channel → Map(ts → message)
    this.ephemerals = new Map(); // channel → Map(ts → message)
    this.under = new Map(); // root's ts → Set of its replies' ts
    this.statuses = new Map();
    this.sessions = new Map();
    this.prompts = new Map();
    this.titles = new Map();
    this.modals = [];
    this.home = null;
    this.commands = [];
    this.shortcuts = [];
    this.requests = [];
    this.deliveries = new Map();
    this.connections = 0;
    this.unread = new Map(); // channel → count
    this.online = false;
  }

  // -- looking

  person(id) {
    return this.people.get(id);
  }

  /** Who wrote a message: a person, or an app that has no user here. */
  author(message) {
    const app = message.username && { id: message.bot_id, real_name: message.username, bot: true };
    return this.people.get(message.user) || app || this.bot;
  }

  channel(id) {
    return this.channels.get(id);
  }

  get self() {
    return this.people.get(this.me);
  }

  get bot() {
    return this.people.get(this.botId);
  }

  message(channel, ts) {
    return this.messages.get(channel)?.get(ts) || this.ephemerals.get(channel)?.get(ts);
  }

  /** What a channel shows: roots and broadcasts, with what only this person sees, by time. */
  roots(channel) {
    const said = [...(this.messages.get(channel)?.values() || [])];
    const mine = [...(this.ephemerals.get(channel)?.values() || [])];
    const top = (m) => !m.thread_ts || m.thread_ts === m.ts || m.subtype === "thread_broadcast";
    return [...said, ...mine].filter(top).sort(byTime);
  }

  /** A root and everything said under it, with what only this person sees. */
  thread(channel, root) {
    const mine = [...(this.ephemerals.get(channel)?.values() || [])].filter(
      (m) => m.thread_ts === root && m.ts !== root,
    );
    return [this.message(channel, root), ...this.replies(channel, root), ...mine]
      .filter(Boolean)
      .sort(byTime);
  }

  /** What was said under a root. */
  replies(channel, root) {
    const known = this.messages.get(channel);
    return [...(this.under.get(root) || [])].map((ts) => known?.get(ts)).filter(Boolean);
  }

  /** Count a message into its thread. */
  file(message) {
    const root = message.thread_ts;
    if (!root || root === message.ts) return;
    if (!this.under.has(root)) this.under.set(root, new Set());
    this.under.get(root).add(message.ts);
  }

  isEphemeral(channel, ts) {
    return this.ephemerals.get(channel)?.has(ts) || false;
  }

  status(channel, thread) {
    return this.statuses.get(key(channel, thread));
  }

  session(channel, thread) {
    return this.sessions.get(key(channel, thread));
  }

  promptsOf(channel, thread) {
    return this.prompts.get(key(channel, thread));
  }

  titleOf(channel, thread) {
    return (
      this.titles.get(key(channel, thread))?.title || this.sessions.get(key(channel, thread))?.title || ""
    );
  }

  // -- hearing

  hear(frame) {
    const handler = this[`on_${frame.type}`];
    if (handler) handler.call(this, frame);
    this.dispatchEvent(new CustomEvent(frame.type, { detail: frame }));
  }

  on(kinds, listener) {
    for (const kind of kinds.split(" ")) this.addEventListener(kind, (event) => listener(event.detail, kind));
  }

  tell(kind, detail = {}) {
    this.dispatchEvent(new CustomEvent(kind, { detail }));
  }

  on_state(s) {
    this.me = s.me;
    this.team = s.team;
    this.botId = s.bot.user_id;
    this.people = new Map(s.people.map((p) => [p.id, p]));
    this.channels = new Map(s.channels.map((c) => [c.id, c]));
    this.messages = new Map(
      Object.entries(s.messages).map(([id, list]) => [id, new Map(list.map((m) => [m.ts, m]))]),
    );
    this.under = new Map();
    for (const known of this.messages.values()) for (const m of known.values()) this.file(m);
    this.ephemerals = new Map();
    for (const e of s.ephemerals) this.on_ephemeral(e);
    this.statuses = new Map(s.statuses.map((x) => [key(x.channel, x.thread_ts), x]));
    this.sessions = new Map(s.sessions.map((x) => [key(x.channel, x.thread_ts), x]));
    this.prompts = new Map(s.prompts.map((x) => [key(x.channel, x.thread_ts), x]));
    this.titles = new Map(s.titles.map((x) => [key(x.channel, x.thread_ts), x]));
    this.modals = s.modals;
    this.home = s.home;
    this.commands = s.commands || [];
    this.shortcuts = s.shortcuts || [];
    this.requests = s.requests || [];
    this.deliveries = new Map((s.deliveries || []).map((d) => [d.id, d]));
    this.connections = s.connections || 0;
    this.unread.clear();
  }

  on_message({ channel, message }) {
    if (!this.messages.has(channel)) this.messages.set(channel, new Map());
    const known = this.messages.get(channel);
    if (!known.has(message.ts) && message.user !== this.me)
      this.unread.set(channel, (this.unread.get(channel) || 0) + 1);
    known.set(message.ts, message);
    this.file(message);
  }

  on_append({ channel, ts, parts }) {
    const message = this.messages.get(channel)?.get(ts);
    if (message) parts.forEach((part) => grow(message, part));
  }

  on_message_deleted({ channel, ts }) {
    this.messages.get(channel)?.delete(ts);
  }

  on_ephemeral({ channel, message }) {
    if (!this.ephemerals.has(channel)) this.ephemerals.set(channel, new Map());
    this.ephemerals.get(channel).set(message.ts, message);
  }

  on_ephemeral_deleted({ channel, ts }) {
    this.ephemerals.get(channel)?.delete(ts);
  }

  on_status(s) {
    if (s.status) this.statuses.set(key(s.channel, s.thread_ts), s);
    else this.statuses.delete(key(s.channel, s.thread_ts));
  }

  on_session(s) {
    this.sessions.set(key(s.channel, s.thread_ts), s);
  }

  on_title(t) {
    this.titles.set(key(t.channel, t.thread_ts), t);
  }

  on_prompts(p) {
    this.prompts.set(key(p.channel, p.thread_ts), p);
  }

  on_modals({ views }) {
    this.modals = views;
  }

  on_home({ view }) {
    this.home = view;
  }

  on_delivery({ delivery }) {
    this.deliveries.set(delivery.id, delivery);
    if (this.deliveries.size > 400) this.deliveries.delete(this.deliveries.keys().next().value);
  }

  on_request({ request }) {
    this.requests.push(request);
    if (this.requests.length > 400) this.requests.shift();
  }

  on_sockets({ connections }) {
    this.connections = connections;
  }
}

const byTime = (a, b) => (a.ts < b.ts ? -1 : a.ts > b.ts ? 1 : 0);

/** Add one part of a stream to its message: neighbouring text is one block, a task is one card however often told. */
function grow(message, part) {
  const blocks = (message.blocks ||= []);
  const last = blocks[blocks.length - 1];
  if (part.type === "markdown_text") {
    message.text = (message.text || "") + part.text;
    if (last && last.type === "markdown") last.text += part.text;
    else blocks.push({ type: "markdown", text: part.text });
  } else if (part.type === "blocks") blocks.push(...part.blocks);
  else {
    const { type, id, ...rest } = part;
    const card =
      type === "plan_update"
        ? { type: "plan", title: part.title }
        : { type: "task_card", task_id: id, ...rest };
    const same = blocks.find((b) => b.type === card.type && b.task_id === card.task_id);
    if (same) Object.assign(same, card);
    else blocks.push(card);
  }
}
