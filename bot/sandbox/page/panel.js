// Behind the scenes, the frame: tabs, asking for what is new, drawing without taking the keyboard away.
// What the tabs hold is in records.js and controls.js.

import { fill, h, icon, iconButton } from "./dom.js";
import { asText, bot, faults, inForce, session } from "./controls.js";
import { get } from "./live.js";
import { calls, events, model, SHOWN } from "./records.js";

const TABS = [
  ["events", "Events"],
  ["calls", "Web API"],
  ["model", "Model"],
  ["bot", "Bot"],
  ["faults", "Faults"],
  ["session", "Session"],
];
const DRAW = { events, calls, model, bot, faults, session };

export class Panel {
  constructor(app) {
    Object.assign(this, {
      app,
      tab: "events",
      requests: [],
      last: 0,
      timer: 0,
      open: false,
      inForce: [],
      unfolded: new Set(),
    });
    this.tabs = h(
      "div",
      { class: "tabs", role: "tablist", "aria-label": "Behind the scenes" },
      TABS.map(([id, name]) => this.tabButton(id, name)),
    );
    this.tabs.addEventListener("keydown", (e) => this.arrow(e));
    this.body = h("div", {
      class: "panel-body",
      role: "tabpanel",
      id: "panel-body",
      tabindex: "0",
      "aria-labelledby": "tab-events",
    });
    this.element = h(
      "aside",
      { class: "panel", "aria-label": "Behind the scenes", hidden: true },
      h(
        "header",
        null,
        icon("pulse"),
        h("h2", null, "Behind the scenes"),
        iconButton("close", "Close behind the scenes", () => this.toggle(false)),
      ),
      this.tabs,
      this.body,
    );
    app.store.on("delivery request sockets state", () => this.later());
  }

  tabButton(id, name) {
    return h(
      "button",
      {
        type: "button",
        role: "tab",
        id: `tab-${id}`,
        "aria-controls": "panel-body",
        "aria-selected": String(id === this.tab),
        tabindex: id === this.tab ? "0" : "-1",
        onclick: () => this.show(id),
      },
      name,
    );
  }

  arrow(e) {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[e.key];
    if (!step) return;
    const at = TABS.findIndex(([id]) => id === this.tab);
    this.show(TABS[(at + step + TABS.length) % TABS.length][0]);
    this.tabs.querySelector('[aria-selected="true"]').focus();
  }

  toggle(open = !this.open) {
    this.open = open;
    this.element.hidden = !open;
    document.body.classList.toggle("with-panel", open);
    document.getElementById("open-panel")?.setAttribute("aria-expanded", String(open));
    clearInterval(this.timer);
    if (open) {
      this.timer = setInterval(() => this.poll(), 900);
      this.poll();
      this.show(this.tab);
    }
  }

  show(id) {
    this.tab = id;
    for (const button of this.tabs.children) {
      const on = button.id === `tab-${id}`;
      button.setAttribute("aria-selected", String(on));
      button.tabIndex = on ? 0 : -1;
    }
    this.body.setAttribute("aria-labelledby", `tab-${id}`);
    this.poll();
    this.render();
  }

  later() {
    if (!this.open || this.frame) return;
    this.frame = setTimeout(() => {
      this.frame = 0;
      if (["events", "calls"].includes(this.tab)) this.render();
    }, 250);
  }

  async poll() {
    try {
      if (this.tab === "model") {
        const { requests } = await get(`/sandbox/model_requests?after=${Math.max(0, this.last - 3)}`);
        if (!requests.length && !this.last) return;
        const known = new Map(this.requests.map((r) => [r.number, r]));
        const before = JSON.stringify([this.last, this.requests.at(-1)?.outcome]);
        for (const r of requests) known.set(r.number, r);
        this.requests = [...known.values()].sort((a, b) => a.number - b.number).slice(-SHOWN);
        this.last = this.requests.at(-1)?.number || 0;
        if (before !== JSON.stringify([this.last, this.requests.at(-1)?.outcome])) this.render();
      } else if (this.tab === "faults") {
        const told = await inForce(this.app.model);
        if (String(told) === String(this.inForce)) return;
        this.inForce = told;
        this.render();
      } else if (this.tab === "bot") {
        this.about = await get("/sandbox/about");
        this.processes = await get("/sandbox/processes");
        this.log = (await get("/sandbox/log")).lines;
        this.render();
      }
    } catch {
      // The sandbox went away; the page says so elsewhere.
    }
  }

  render() {
    if (!this.open) return;
    const busy = this.body.contains(document.activeElement) && document.activeElement !== this.body;
    const signature = this.signature();
    if (busy && signature === this.drawn) return;
    this.drawn = signature;
    const held = busy ? document.activeElement.dataset.key : null;
    const top = this.body.scrollTop;
    fill(this.body, DRAW[this.tab](this));
    this.body.scrollTop = top;
    if (held) this.body.querySelector(`[data-key="${CSS.escape(held)}"]`)?.focus();
  }

  signature() {
    const s = this.app.store;
    return JSON.stringify([
      this.tab,
      s.deliveries.size,
      [...s.deliveries.values()].at(-1)?.over,
      s.requests.length,
      s.requests.at(-1)?.at,
      this.last,
      this.log?.length,
      this.about?.bot?.pid,
      this.processes,
      this.inForce,
    ]);
  }

  /** The log of one of several bots: read when somebody looks, and again each time it is drawn. */
  logOf(at) {
    const label = `The log of process ${at + 1}`;
    const shown = h("pre", { class: "log", tabindex: "0", role: "region", "aria-label": label });
    get(`/sandbox/log?bot=${at}`).then(({ lines }) => (shown.textContent = asText(lines)), () => {});
    return shown;
  }

  fold(key, summary, more) {
    const node = h("details", { open: this.unfolded.has(key) }, h("summary", { dataset: { key } }, summary));
    const fillIn = () => node.childElementCount === 1 && node.append(...[more()].flat());
    if (this.unfolded.has(key)) fillIn();
    node.addEventListener("toggle", () => {
      if (node.open) this.unfolded.add(key);
      else this.unfolded.delete(key);
      if (node.open) fillIn();
    });
    return node;
  }
}
