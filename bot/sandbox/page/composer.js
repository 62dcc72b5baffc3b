// Where a person writes: text with completion, files, voice clips. One for a channel, one for a thread.

import { fill, h, icon, iconButton } from "./dom.js";
import { chips } from "./files.js";
import { openMenu } from "./menu.js";
import { commands, names, placeName, subcommands } from "./names.js";
import { openShares } from "./shares.js";
import { tries } from "./tries.js";
import { Recorder, sampleClips } from "./voice.js";

export class Composer {
  /** app: see app.js; thread: the root's ts, "" in a channel. */
  constructor(app, channel, thread = "") {
    Object.assign(this, { app, channel, thread, files: [], options: [], chosen: 0 });
    const place = placeName(app.store, channel);
    this.list = h("ul", {
      class: "completions",
      role: "listbox",
      id: `complete-${thread || "main"}`,
      "aria-label": "Completions",
      hidden: true,
    });
    this.box = h("textarea", {
      rows: "1",
      placeholder: thread ? "Reply in the thread…" : `Write to ${place}`,
      "aria-label": thread ? "Reply in the thread" : `Write to ${place}`,
      "aria-autocomplete": "list",
      "aria-controls": this.list.id,
      "aria-expanded": "false",
      role: "combobox",
    });
    this.picked = h("div", { class: "picked", hidden: true });
    this.input = h("input", {
      type: "file",
      multiple: true,
      hidden: true,
      "aria-label": "Choose files",
      tabindex: "-1",
    });
    this.recorder = new Recorder(app, (file) => this.sendFiles([file]));
    this.stopper = h(
      "button",
      { type: "button", class: "button stop", hidden: true, onclick: () => app.acts.stop(channel, thread) },
      icon("stop"),
      "Stop",
    );
    this.element = h(
      "form",
      { class: "composer", "aria-label": thread ? "Reply" : "New message" },
      tries(app, channel, thread, this),
      this.list,
      this.picked,
      this.recorder.element,
      this.box,
      h(
        "div",
        { class: "composer-bar" },
        iconButton("plus", "Add files", () => this.input.click()),
        this.input,
        iconButton("mic", "Record a voice clip", () => this.recorder.start()),
        iconButton("wave", "Send a sample voice clip", (e) => this.samples(e.currentTarget)),
        iconButton("share", "Send something else", (e) => openShares(e.currentTarget, app, this)),
        !thread &&
          app.store.shortcuts.some((s) => s.type === "global") &&
          iconButton("bolt", "Shortcuts", (e) => app.acts.globalShortcuts(e.currentTarget)),
        h("span", { class: "grow" }),
        this.stopper,
        h(
          "button",
          { type: "submit", class: "send", "aria-label": "Send", title: "Send (Enter)" },
          icon("send"),
        ),
      ),
    );
    this.element.addEventListener("submit", (e) => {
      e.preventDefault();
      this.send();
    });
    this.input.addEventListener("change", () => this.add(this.input.files));
    this.box.addEventListener("input", () => this.typed());
    this.box.addEventListener("keydown", (e) => this.key(e));
    this.box.addEventListener("blur", () => setTimeout(() => this.close(), 150));
    this.box.addEventListener(
      "paste",
      (e) => e.clipboardData.files.length && this.add(e.clipboardData.files),
    );
  }

  focus() {
    this.box.focus();
  }

  /** Show or hide the stop button. */
  working(on) {
    this.stopper.hidden = !on;
  }

  set(text) {
    this.box.value = text;
    this.typed();
    this.focus();
  }

  // -- sending

  async send() {
    const text = this.box.value.trim();
    const files = this.files;
    if (!text && !files.length) return;
    this.box.value = "";
    this.files = [];
    this.showFiles();
    this.typed();
    const ok = await this.app.acts.send(this.channel, this.thread, text, files);
    if (!ok) {
      this.box.value ||= text; // nothing that was written is lost
      this.files = files;
      this.showFiles();
    }
  }

  sendFiles(files) {
    return this.app.acts
      .send(this.channel, this.thread, this.box.value.trim(), files)
      .then((ok) => ok && (this.box.value = ""));
  }

  async samples(button) {
    const clips = await sampleClips();
    openMenu(
      button,
      "Sample voice clips",
      clips.map((c) => ({
        label: c.title,
        hint: `“${c.text}”`,
        run: async () => this.sendFiles([await c.load()]),
      })),
    );
  }

  async add(list) {
    for (const f of list) this.files.push({ name: f.name, blob: f });
    this.input.value = "";
    this.showFiles();
    this.focus();
  }

  showFiles() {
    this.picked.hidden = !this.files.length;
    const remove = (i) => {
      this.files.splice(i, 1);
      this.showFiles();
    };
    fill(
      this.picked,
      chips(
        this.files.map((f) => f.name),
        remove,
      ),
    );
  }

  // -- typing

  typed() {
    this.box.style.height = "auto";
    this.box.style.height = `${Math.min(this.box.scrollHeight, 200)}px`;
    this.complete();
  }

  key(e) {
    if (this.options.length) {
      if (e.key === "ArrowDown" || e.key === "ArrowUp") {
        e.preventDefault();
        this.chosen =
          (this.chosen + (e.key === "ArrowDown" ? 1 : -1) + this.options.length) % this.options.length;
        return this.show();
      }
      if (e.key === "Tab" || (e.key === "Enter" && !this.exact)) {
        e.preventDefault();
        return this.take(this.options[this.chosen]);
      }
      if (e.key === "Escape") {
        e.stopPropagation();
        return this.close();
      }
    }
    if (e.key === "Enter" && !e.shiftKey && !e.isComposing) {
      e.preventDefault();
      this.send();
    }
    if (e.key === "ArrowUp" && !this.box.value) this.app.acts.editLast(this.channel, this.thread);
    return undefined;
  }

  /** Offers commands after a leading "/", people after "@", channels after "#". */
  complete() {
    const before = this.box.value.slice(0, this.box.selectionStart);
    const command = !this.thread && before.match(/^\/(\S*)$/);
    const word = before.match(/(^|\s)([@#])([\w.-]*)$/);
    const sub = !this.thread && before.match(/^(\/\S+) (\S*)$/);
    this.options = [];
    if (command) this.options = commands(this.app.store, `/${command[1]}`);
    else if (sub) this.options = subcommands(this.app.store, sub[1], sub[2]);
    else if (word) this.options = names(this.app.store, word[2], word[3]);
    this.exact = this.options.some((o) => o.insert === before.split(/\s/).pop()) || (sub && !sub[2]);
    this.chosen = 0;
    this.show();
  }

  show() {
    this.list.hidden = !this.options.length;
    this.box.setAttribute("aria-expanded", String(this.options.length > 0));
    fill(
      this.list,
      this.options.map((o, i) =>
        h(
          "li",
          {
            id: `${this.list.id}-${i}`,
            role: "option",
            "aria-selected": String(i === this.chosen),
            onmousedown: (e) => {
              e.preventDefault();
              this.take(o);
            },
          },
          h("strong", null, o.label),
          o.hint && h("span", null, o.hint),
        ),
      ),
    );
    if (this.options.length) this.box.setAttribute("aria-activedescendant", `${this.list.id}-${this.chosen}`);
    else this.box.removeAttribute("aria-activedescendant");
  }

  take(option) {
    const at = this.box.selectionStart;
    const start = this.box.value.slice(0, at).replace(/\S*$/, "") + option.insert + " ";
    this.box.value = start + this.box.value.slice(at);
    this.box.setSelectionRange(start.length, start.length);
    this.typed();
  }

  close() {
    this.options = [];
    this.show();
  }
}
