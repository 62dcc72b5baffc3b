// Records behind the scenes: what was pushed to the app, what it asked of Slack, what it asked of the model.

import { h } from "./dom.js";
import { typedForm } from "./names.js";

export const SHOWN = 150;

export function events(panel) {
  const list = [...panel.app.store.deliveries.values()].slice(-SHOWN).reverse();
  const n = panel.app.store.connections;
  const how = n
    ? `Delivered over ${n} Socket Mode ${n === 1 ? "connection" : "connections"}.`
    : "No socket is open right now.";
  return [
    h("p", { class: "about" }, `What Slack pushed to the app, newest first. ${how}`),
    list.length
      ? h(
          "div",
          { class: "rows" },
          list.map((d) => delivery(panel, d)),
        )
      : none("Nothing yet. Write a message."),
  ];
}

function delivery(panel, d) {
  const tries = d.attempts.length;
  const state =
    d.acked_after_s !== null && d.acked_after_s !== undefined
      ? ["good", `ack ${ms(d.acked_after_s)}`]
      : d.over
        ? ["bad", "never acked"]
        : ["wait", "…"];
  return panel.fold(
    `d${d.id}`,
    [
      time(d.at),
      h("strong", null, d.name || d.kind),
      h("span", { class: "kind" }, d.payload.event?.subtype || d.kind.replace("_", " ")),
      h("span", { class: "gist" }, gistOf(panel.app.store, d.payload)),
      tries > 1 && h("span", { class: "pill warn" }, `${tries} attempts`),
      h("span", { class: `pill ${state[0]}` }, state[1]),
    ],
    () =>
      [
        tries > 1 ? json("attempts", d.attempts) : null,
        json("payload", d.payload),
        d.response && Object.keys(d.response).length ? json("answer with the ack", d.response) : null,
      ].filter(Boolean),
  );
}

/** Who, where and what of a delivery, in a line. */
function gistOf(store, payload) {
  const event = payload.event || payload;
  const id = event.user?.id || event.user || event.user_id || event.message?.user || "";
  const place = store.channel(event.channel?.id || event.channel || event.channel_id || event.item?.channel);
  const said =
    event.message?.text || event.text || event.previous_message?.text || event.actions?.[0]?.action_id || "";
  const where = place && (place.kind === "im" ? "a direct message" : `#${place.name}`);
  return [store.person(id)?.name, where, said && typedForm(store, said).slice(0, 80)].filter(Boolean).join(" · ");
}

export function calls(panel) {
  const list = panel.app.store.requests.slice(-SHOWN).reverse();
  const per = new Map();
  for (const r of panel.app.store.requests) per.set(r.method, (per.get(r.method) || 0) + 1);
  const most = [...per].sort((a, b) => b[1] - a[1]).slice(0, 5);
  return [
    h("p", { class: "about" }, "What the app asked of Slack, newest first."),
    h(
      "p",
      { class: "tally" },
      most.map(([m, n]) => h("span", { class: "pill" }, `${m} × ${n}`)),
    ),
    list.length
      ? h(
          "div",
          { class: "rows" },
          list.map((r) => call(panel, r)),
        )
      : none("The app has asked nothing yet."),
  ];
}

function call(panel, r) {
  const ok = r.response?.ok;
  const state = ok ? ["good", "ok"] : ["bad", r.response?.error || String(r.status)];
  const gist = r.arguments?.markdown_text || r.arguments?.text || r.arguments?.status || "";
  return panel.fold(
    `r${r.at}${r.method}`,
    [
      time(r.at),
      h("strong", null, r.method),
      h("span", { class: "gist" }, String(gist).slice(0, 80)),
      h("span", { class: `pill ${state[0]}` }, state[1]),
    ],
    () => [json("arguments", r.arguments), json("answer", r.response)],
  );
}

export function model(panel) {
  if (panel.app.model && !panel.app.model.seen)
    return [none(`${panel.app.model.name} answers; its requests do not pass through the sandbox.`)];
  const list = panel.requests.slice().reverse();
  const sum = (f) => panel.requests.reduce((total, r) => total + (f(r) || 0), 0);
  const priced = panel.requests.filter((r) => r.cost_usd !== null);
  const input = sum(tokensIn);
  const cached = sum(tokensCached);
  return [
    h(
      "p",
      { class: "about" },
      `What the app asked of the model, newest first. In and out are tokens; prices are those of the named model${panel.app.model?.kind === "rehearsal" ? ", and nothing is charged here" : ""}.`,
    ),
    h(
      "dl",
      { class: "figures" },
      figure("requests", panel.requests.length),
      figure("in", input),
      figure("cached", input ? `${Math.round((100 * cached) / input)} %` : "–"),
      figure("out", sum(tokensOut)),
      figure("price", priced.length ? usd(sum((r) => r.cost_usd)) : "–"),
    ),
    list.length
      ? h(
          "div",
          { class: "rows" },
          list.map((r) => modelRequest(panel, r)),
        )
      : none("The model has been asked nothing yet."),
  ];
}

function modelRequest(panel, r) {
  const good = r.outcome === "answered";
  const state = !r.outcome
    ? ["wait", "…"]
    : good
      ? ["good", ms(r.ended_at - r.at)]
      : ["bad", r.outcome.replace(/_/g, " ")];
  const cached = tokensIn(r) ? Math.round((100 * tokensCached(r)) / tokensIn(r)) : 0;
  return panel.fold(
    `m${r.number}`,
    [
      time(r.at),
      h("strong", null, r.body.model || r.endpoint),
      h("span", { class: "kind" }, r.endpoint),
      h(
        "span",
        { class: "gist" },
        r.usage ? [used(r), cached && `${cached} % cached`, price(r)].filter(Boolean).join(", ") : "",
      ),
      h("span", { class: `pill ${state[0]}` }, state[1]),
    ],
    () =>
      [
        r.prompt ? pre("what the model read", r.prompt) : null,
        r.text ? pre("what it said", r.text) : null,
        r.unsaid ? pre("what it would have gone on to say: the stop sequence cut it here", r.unsaid) : null,
        json("request", r.body),
        r.usage ? json("usage", r.usage) : null,
      ].filter(Boolean),
  );
}

export function none(text) {
  return h("p", { class: "none" }, text);
}

export function figure(name, value) {
  return h("div", null, h("dt", null, name), h("dd", null, String(value)));
}

function time(at) {
  const d = new Date(at * 1000);
  return h(
    "time",
    null,
    `${d.toLocaleTimeString([], { hour12: false })}.${String(d.getMilliseconds()).padStart(3, "0")}`,
  );
}

function json(title, value) {
  return pre(title, JSON.stringify(value, null, 2));
}

function pre(title, value) {
  return h(
    "div",
    { class: "dump" },
    h("span", { class: "dump-title" }, title),
    h("pre", { tabindex: "0", role: "region", "aria-label": title }, value),
  );
}

const ms = (s) => (s >= 1 ? `${s.toFixed(1)} s` : `${Math.max(1, Math.round(s * 1000))} ms`);
const usd = (v) => (v >= 0.01 ? `$${v.toFixed(2)}` : `${(v * 100).toPrecision(2)} ¢`);
const used = (r) =>
  r.usage.seconds ? `${Math.round(r.usage.seconds)} s of sound` : `${tokensIn(r)} → ${tokensOut(r)} tokens`;
const price = (r) => (r.cost_usd !== null ? usd(r.cost_usd) : "unpriced");
const tokensIn = (r) => r.usage?.prompt_tokens ?? r.usage?.input_tokens ?? 0;
const tokensOut = (r) => r.usage?.completion_tokens ?? r.usage?.output_tokens ?? 0;
const tokensCached = (r) =>
  (r.usage?.prompt_tokens_details || r.usage?.input_tokens_details)?.cached_tokens ?? 0;
