// What a person does: writes, reacts, edits, deletes, presses stop, calls a shortcut.

import { h } from "./dom.js";
import { packed } from "./files.js";
import { act } from "./live.js";
import { openMenu, toast } from "./menu.js";
import { typedForm } from "./names.js";

export class Acts {
  /** app: see app.js. */
  constructor(app) {
    this.app = app;
    this.editing = ""; // ts of the message that is being edited
  }

  /** Send what was written: a command, or a message with its files. False when the sandbox will not have it. */
  async send(channel, thread, text, files) {
    const command = text.match(/^(\/\S+)\s*([\s\S]*)$/);
    if (command && !files.length && this.app.store.commands.some((c) => c.command === command[1])) {
      if (thread) {
        toast("Slash commands do not work in threads, in Slack neither.", "bad");
        return false;
      }
      const given = { user: this.app.user, channel, command: command[1], text: command[2] };
      return (await this.app.try(() => act("command", given))) !== false;
    }
    const sent = await Promise.all(files.map(packed));
    const body = { user: this.app.user, channel, text, files: sent, ...(thread ? { thread_ts: thread } : {}) };
    const ts = await this.app.try(() => act("say", body));
    if (ts === false) return false;
    if (!thread) this.app.awaitAnswer(channel, ts);
    this.app.lists(channel).forEach((list) => list.toEnd());
    return true;
  }

  /** Invite the app into a channel; what it says to that goes to whoever did. */
  async invite(channel) {
    const done = await this.app.try(() => act("invite", { user: this.app.user, channel }));
    if (done !== false) toast("Invited. What it has to say to that is in your direct messages with it.");
  }

  react(channel, ts, name, remove) {
    return this.app.try(() => act("react", { user: this.app.user, channel, ts, name, remove }));
  }

  stop(channel, thread) {
    return this.app.try(() => act("stop", { user: this.app.user, channel, thread_ts: thread }));
  }

  shortcut(callback, channel, ts) {
    return this.app.try(() => act("shortcut", { user: this.app.user, callback_id: callback, channel, ts }));
  }

  globalShortcuts(button) {
    const items = this.app.store.shortcuts
      .filter((s) => s.type === "global")
      .map((s) => ({
        label: s.name,
        hint: s.description,
        run: () => this.app.try(() => act("shortcut", { user: this.app.user, callback_id: s.callback_id })),
      }));
    openMenu(button, "Shortcuts", items);
  }

  remove(channel, ts) {
    return this.app.try(() => act("delete", { user: this.app.user, channel, ts }));
  }

  deleteFile(file) {
    return this.app.try(() => act("delete_file", { user: this.app.user, file }));
  }

  dismiss(channel, ts) {
    this.app.store.on_ephemeral_deleted({ channel, ts });
    this.app.lists(channel).forEach((list) => list.render());
  }

  edit(channel, ts) {
    this.editing = ts;
    this.app.lists(channel).forEach((list) => list.redraw(ts));
    document.querySelector(".editor textarea")?.focus();
  }

  editLast(channel, thread) {
    const mine = (thread ? this.app.store.thread(channel, thread) : this.app.store.roots(channel)).filter(
      (m) => m.user === this.app.store.me && m.text,
    );
    if (mine.length) this.edit(channel, mine.at(-1).ts);
  }

  editor(channel, message) {
    const box = h("textarea", { rows: "2", "aria-label": "Edit the message" });
    box.value = typedForm(this.app.store, message.text);
    const done = () => {
      this.editing = "";
      this.app.lists(channel).forEach((list) => list.redraw(message.ts));
    };
    const save = async () => {
      const change = { user: this.app.user, channel, ts: message.ts, text: box.value };
      if ((await this.app.try(() => act("edit", change))) !== false) done();
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
}
