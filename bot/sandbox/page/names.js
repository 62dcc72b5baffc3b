// Names: of places, what completion offers, and a message's text as the person typed it.

import { unescaped } from "./mrkdwn.js";

const SUBCOMMAND = /[\w<>|[\]-]+/g;

export function placeName(store, id) {
  const c = store.channel(id);
  if (!c) return "";
  return c.kind === "im" ? store.bot?.real_name || "the app" : `#${c.name}`;
}

/** What stands where nothing was said yet. */
export function emptyText(store, id) {
  if (store.channel(id)?.kind === "im")
    return `This is your conversation with ${placeName(store, id)}. Only you two can see it. Ask something.`;
  return `This is the beginning of ${placeName(store, id)}. Write @${store.bot?.name || "parley"} and a question.`;
}

export function commands(store, start) {
  return store.commands
    .filter((c) => c.command.startsWith(start))
    .map((c) => ({
      insert: c.command,
      label: c.command,
      hint: [c.usage_hint, c.description].filter(Boolean).join(" — "),
    }));
}

export function subcommands(store, command, start) {
  const known = store.commands.find((c) => c.command === command);
  const words = (known?.usage_hint || "").match(SUBCOMMAND) || [];
  return words
    .filter((w) => /^\w/.test(w) && w.startsWith(start))
    .map((w) => ({ insert: w, label: w, hint: "" }));
}

export function names(store, sign, start) {
  const low = start.toLowerCase();
  if (sign === "#")
    return [...store.channels.values()]
      .filter((c) => c.name?.startsWith(low))
      .map((c) => ({ insert: `#${c.name}`, label: `#${c.name}`, hint: c.purpose }));
  const found = [...store.people.values()].filter(
    (p) => p.name.startsWith(low) || p.real_name.toLowerCase().includes(low),
  );
  return found
    .sort((a, b) => Number(b.bot) - Number(a.bot))
    .map((p) => ({ insert: `@${p.name}`, label: `@${p.name}`, hint: p.real_name }));
}

/** A message's text as the person typed it: names instead of ids. */
export function typedForm(store, text) {
  return unescaped(
    text
      .replace(/<@(\w+)>/g, (m, id) => `@${store.person(id)?.name || id}`)
      .replace(/<#\w+\|([^>]*)>/g, "#$1")
      .replace(/<(https?:[^|>]+)(?:\|[^>]*)?>/g, "$1"),
  );
}
