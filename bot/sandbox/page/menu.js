// Small things that lie on top: a menu under a button, a word that goes away by itself.

import { h } from "./dom.js";

/** A menu under a button: items {label, hint, glyph, danger, run} or {heading}. */
export function openMenu(button, label, items) {
  document.querySelector(".menu")?.remove();
  const close = () => {
    menu.remove();
    button.setAttribute("aria-expanded", "false");
    document.removeEventListener("pointerdown", outside, true);
  };
  const outside = (e) => !menu.contains(e.target) && close();
  const nodes = items.map((item) =>
    item.heading
      ? h("div", { class: "menu-heading", role: "presentation" }, item.heading)
      : h(
          "button",
          {
            type: "button",
            role: "menuitem",
            class: item.danger ? "danger" : "",
            tabindex: "-1",
            "aria-label": item.glyph ? item.label : null,
            title: item.glyph ? item.label : null,
            onclick: () => {
              close();
              button.focus();
              item.run();
            },
          },
          item.glyph ? h("span", { "aria-hidden": "true" }, item.glyph) : h("span", null, item.label),
          item.hint && h("small", null, item.hint),
        ),
  );
  const menu = h(
    "div",
    { class: `menu${items[0]?.glyph ? " grid" : ""}`, role: "menu", "aria-label": label },
    nodes,
  );
  document.body.append(menu);
  place(menu, button);
  button.setAttribute("aria-haspopup", "menu");
  button.setAttribute("aria-expanded", "true");
  const choices = () => [...menu.querySelectorAll("button")];
  menu.addEventListener("keydown", (e) => {
    const at = choices().indexOf(document.activeElement);
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[e.key];
    if (step) {
      e.preventDefault();
      choices()
        .at((at + step) % choices().length)
        .focus();
    }
    if (e.key === "Escape" || e.key === "Tab") {
      e.preventDefault();
      e.stopPropagation();
      close();
      button.focus();
    }
  });
  document.addEventListener("pointerdown", outside, true);
  choices()[0]?.focus();
}

function place(menu, button) {
  const at = button.getBoundingClientRect();
  const box = menu.getBoundingClientRect();
  const top = at.bottom + box.height + 8 > innerHeight ? Math.max(8, at.top - box.height - 4) : at.bottom + 4;
  menu.style.top = `${top}px`;
  menu.style.left = `${Math.max(8, Math.min(at.left, innerWidth - box.width - 8))}px`;
}

/** A word at the bottom of the page, gone after five seconds. */
export function toast(text, kind = "") {
  const node = h("div", { class: `toast ${kind}` }, text);
  document.getElementById("toasts").append(node);
  setTimeout(() => node.remove(), 5000);
}
