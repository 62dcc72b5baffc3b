// Surfaces an app draws: modals and the Home tab.

import { blocksOf } from "./blocks.js";
import { fill, h, iconButton } from "./dom.js";
import { valueOf } from "./files.js";
import { act } from "./live.js";

/** The person's open modals as one dialog that shows the topmost. */
export class Modals {
  constructor(app) {
    this.app = app;
    this.dialog = h("dialog", { class: "modal", "aria-labelledby": "modal-title" });
    this.dialog.addEventListener("cancel", (e) => {
      e.preventDefault();
      this.leave(false);
    });
    document.body.append(this.dialog);
    app.store.on("modals state", () => this.render());
  }

  render() {
    const view = this.app.store.modals.at(-1);
    if (!view) {
      this.dialog.open && this.dialog.close();
      return;
    }
    // The same view drawn again, with errors or changed by the app: what was entered stays.
    const earlier =
      this.drawn === view.id ? new Map([...this.ask].map(([action, value]) => [action, value()])) : new Map();
    const ask = (this.ask = new Map());
    this.drawn = view.id;
    const ctx = this.app.context("", null, {
      errors: view.errors,
      before: (action) => earlier.get(action),
      collect: (action, value) => ask.set(action, value),
      press: (action, value) =>
        this.app.try(() =>
          act("press", {
            user: this.app.user,
            channel: "",
            ts: "",
            action_id: action,
            value,
            view_id: view.id,
          }),
        ),
      change: (e, value) => inputAction(view, e.action_id) && ctx.press(e.action_id, value),
    });
    const form = h(
      "form",
      { method: "dialog" },
      h(
        "header",
        null,
        h("h2", { id: "modal-title" }, view.title?.text),
        iconButton("close", "Close", () => this.leave(true)),
      ),
      h("div", { class: "modal-body" }, blocksOf(view.blocks, ctx)),
      h(
        "footer",
        null,
        h(
          "button",
          { type: "button", class: "button", onclick: () => this.leave(false) },
          view.close?.text || "Cancel",
        ),
        view.submit && h("button", { type: "submit", class: "button primary" }, view.submit.text),
      ),
    );
    form.addEventListener("submit", async (e) => {
      e.preventDefault();
      const button = form.querySelector("button.primary");
      button.disabled = true;
      const filled = [...ask].map(async ([action, value]) => [action, await valueOf(value())]);
      const values = Object.fromEntries(await Promise.all(filled));
      await this.app.try(() => act("submit", { user: this.app.user, values, view_id: view.id }));
      button.disabled = false;
    });
    fill(this.dialog, form);
    if (!this.dialog.open) this.dialog.showModal();
    const fields = ":is(input, textarea, select)";
    (form.querySelector(`.wrong ${fields}`) || form.querySelector(fields))?.focus();
  }

  leave(everything) {
    return this.app.try(() => act("close_modal", { user: this.app.user, everything }));
  }
}

// Only elements that tell the app at once are reported on change; inputs wait for the submit.
function inputAction(view, action) {
  return (
    view.blocks.some(
      (b) => b.type !== "input" && [...(b.elements || []), b.accessory].some((e) => e?.action_id === action),
    ) || view.blocks.some((b) => b.type === "input" && b.dispatch_action && b.element.action_id === action)
  );
}

/** What the app's Home tab shows. */
export function homeTab(app) {
  const view = app.store.home;
  if (!view) return h("div", { class: "home empty" }, h("p", null, "The app has not drawn a Home tab yet."));
  const press = (action, value) =>
    app.try(() =>
      act("press", { user: app.user, channel: "", ts: "", action_id: action, value, view_id: view.id }),
    );
  const ctx = app.context("", null, { press, change: (e, value) => press(e.action_id, value) });
  return h("div", { class: "home" }, blocksOf(view.blocks, ctx));
}
