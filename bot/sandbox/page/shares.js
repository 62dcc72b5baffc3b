// What else people send, by a click: a pasted table, a forwarded message, a link to one; and an alert of another tool.

import { act } from "./live.js";
import { openMenu } from "./menu.js";
import { placeName } from "./names.js";

const TABLE = [
  ["Thing", "Price", "Goes by"],
  ["Desk lamp", "42", "truck"],
  ["Standing desk", "340", "truck"],
  ["Coffee machine", "1,200", "car"],
];

/** A menu under a button of a composer: what is chosen is sent at once, with what stands in the box. */
export function openShares(button, app, composer) {
  const found = messageToPassOn(app, composer.channel);
  const items = [
    { label: "A pasted table", hint: "as it is copied from a spreadsheet", run: () => paste(app, composer) },
  ];
  if (found) {
    const from = `what ${app.store.person(found.message.user).real_name} wrote in ${placeName(app.store, found.channel)}`;
    items.push({ label: "A forwarded message", hint: from, run: () => forward(app, composer, found) });
    items.push({ label: "A link to a message", hint: from, run: () => quote(app, composer, found) });
  }
  if (!composer.thread)
    for (const tool of ["Grafana", "GitHub"])
      items.push({
        label: `An alert of ${tool}`,
        hint: "another tool posts it; ask about it in its thread",
        run: () => alert(app, composer, tool),
      });
  if (!composer.thread)
    items.push({
      label: "A question of Grafana",
      hint: "its alert mentions the bot, which answers apps that PARLEY_ASKING_APPS names",
      run: () => askAsApp(app, composer, "Grafana"),
    });
  openMenu(button, "Send something else", items);
}

/** What a person asks about it, unless something else stands in the box. */
function comment(app, composer, question) {
  const called = composer.thread || app.store.channel(composer.channel)?.kind === "im";
  return composer.box.value.trim() || (called ? question : `@${app.store.bot.name} ${question}`);
}

function paste(app, composer) {
  const text = comment(app, composer, "Which of these is the dearest?");
  return send(app, composer, "paste_table", { channel: composer.channel, text, rows: TABLE });
}

function forward(app, composer, { channel, message }) {
  const text = comment(app, composer, "What is this about?");
  return send(app, composer, "forward", { channel, ts: message.ts, to: composer.channel, text });
}

/** Slack quotes what a link leads to a moment later. */
async function quote(app, composer, { channel, message }) {
  const place = `https://${app.store.team.domain}.slack.com/archives/${channel}`;
  const address = `${place}/p${message.ts.replace(".", "")}`;
  const text = `${comment(app, composer, "What is this about?")} ${address}`;
  const ts = await send(app, composer, "say", { channel: composer.channel, text });
  if (ts) setTimeout(() => app.try(() => act("show_quote", { user: app.user, channel: composer.channel, ts })), 300);
}

async function alert(app, composer, tool) {
  const ts = await app.try(() => act("alert", { user: app.user, channel: composer.channel, app: tool }));
  if (!ts) return;
  app.openThread(composer.channel, ts, true);
  app.threadComposer.set(`@${app.store.bot.name} why?`);
}

/** An alert that asks by itself. */
async function askAsApp(app, composer, tool) {
  const { channel } = composer;
  const question = `@${app.store.bot.name} what should we do first?`;
  const ts = await app.try(() => act("alert", { user: app.user, channel, app: tool, question }));
  if (ts) app.openThread(channel, ts, true);
}

async function send(app, composer, name, given) {
  const { channel, thread } = composer;
  const at = thread ? { thread_ts: thread } : {};
  const ts = await app.try(() => act(name, { user: app.user, ...given, ...at }));
  if (!ts) return ts;
  composer.set("");
  if (!thread) app.awaitAnswer(channel, ts);
  app.lists(channel).forEach((list) => list.toEnd());
  return ts;
}

/** The newest message of a colleague, from another place if there is one there. */
function messageToPassOn(app, here) {
  const { store } = app;
  const said = [...store.channels.values()]
    .filter((c) => c.kind !== "im")
    .flatMap((c) => store.roots(c.id).map((message) => ({ channel: c.id, message })))
    .filter(({ message }) => message.text && message.user !== store.me && !message.bot_id && !message.subtype);
  const elsewhere = said.filter(({ channel }) => channel !== here);
  return (elsewhere.length ? elsewhere : said).sort((a, b) => (a.message.ts < b.message.ts ? 1 : -1))[0];
}
