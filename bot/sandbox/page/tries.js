// Things to try, by place: what a newcomer would not think of asking. Chosen ones go into the composer, unsent.

import { fill, h, iconButton } from "./dom.js";

const TALK = [
  ["Ask from memory", "When does the truck come?"],
  ["What do you remember?", "What do you remember?"],
  ["A table", "Show me a table of what I told you"],
  ["A long answer to interrupt", "Write 500 words about packing"],
];
const PLACES = {
  general: [
    [
      "Tell it something",
      "@parley My name is Alice. We pack on Thursday. The truck comes on Friday at nine. Bob has the keys.",
    ],
    ["A long answer to interrupt", "@parley Write 500 words about moving an office"],
    ["What it cost, with a picture", "/parley usage month by person"],
    ["All it can do", "/parley help"],
  ],
  support: [
    ["A question that belongs", "@parley Where is my parcel? It should have come on Monday."],
    ["One that does not", "@parley How do I bake a lasagne?"],
    ["What this channel is for", "/parley settings"],
  ],
  finance: [
    ["Spend some", "@parley Write 500 words about invoices"],
    ["What is left", "/parley budget"],
    ["Raise it for a while", "/parley budget raise 1 to 0.10 for 2 days because the month ends"],
  ],
  handbook: [
    ["What it knows", "@parley How many days of holiday do I have?"],
    ["A row of a table", "@parley What is the allowance for a full day in France?"],
    ["A slide", "@parley Which tram do I take to the new office?"],
    ["What it does not", "@parley What is the wifi password?"],
  ],
  boxes: [["Ask, once it is in", "@parley Write a packing list for an office of ten"]],
  leads: [["Something private", "@parley The move costs 9400 euros. What does the move cost?"]],
  partners: [["Ask what one must not know", "@parley What did they say in #finance?"]],
  direct: [
    ["Tell it something", "Our release is on Thursday, and Carol writes the notes."],
    ["A long answer to interrupt", "Write 500 words about releases"],
    ["Some code", "Write a function that counts words"],
  ],
};

/** A row of suggestions for a place, null when there are none or one has had enough of them. */
export function tries(app, channel, thread, composer) {
  if (localStorage.getItem("tries") === "off") return null;
  const place = app.store.channel(channel);
  const found = thread ? TALK : PLACES[place.kind === "im" ? "direct" : place.name];
  if (!found || (thread && place.name && place.name !== "general")) return null;
  const row = h("div", { class: "tries", role: "group", "aria-label": "Things to try" });
  const off = () => {
    localStorage.setItem("tries", "off");
    document.querySelectorAll(".tries").forEach((each) => each.remove());
    composer.focus();
  };
  fill(
    row,
    h("span", { class: "tries-name", "aria-hidden": "true" }, "Try"),
    found.map(([label, text]) =>
      h("button", { type: "button", class: "try", title: text, onclick: () => composer.set(text) }, label),
    ),
    !thread &&
      place.kind === "im" &&
      h(
        "button",
        { type: "button", class: "try", onclick: (e) => composer.samples(e.currentTarget) },
        "A voice clip",
      ),
    !thread &&
      place.shared_with &&
      app.user !== "dana" &&
      h("button", { type: "button", class: "try", onclick: () => app.become("dana") }, "Be the guest"),
    iconButton("close", "No more suggestions", off),
  );
  return row;
}
