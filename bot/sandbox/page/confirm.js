// What an element asks before it does anything: its `confirm` object, as Slack's clients show it.

import { h } from "./dom.js";

/** Resolves to whether the person goes on; at once when there is nothing to ask. */
export function confirmed(asked) {
  if (!asked) return Promise.resolve(true);
  const dialog = h(
    "dialog",
    { class: "modal", "aria-labelledby": "confirm-title" },
    h(
      "form",
      { method: "dialog" },
      h("header", null, h("h2", { id: "confirm-title" }, asked.title.text)),
      h("div", { class: "modal-body" }, asked.text.text),
      h(
        "footer",
        null,
        h("button", { class: "button" }, asked.deny.text),
        h("button", { class: `button ${asked.style || "primary"}`, value: "yes" }, asked.confirm.text),
      ),
    ),
  );
  document.body.append(dialog);
  dialog.showModal();
  return new Promise((resolve) =>
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue === "yes");
    }),
  );
}
