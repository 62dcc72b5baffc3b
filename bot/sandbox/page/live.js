// The line to the sandbox: a WebSocket that tells every change, and acts over HTTP.

/** Keeps one socket open as `user`; calls `hear(frame)` for each frame and `online(bool)` when the line changes. */
export class Live {
  constructor(user, hear, online) {
    this.user = user;
    this.hear = hear;
    this.online = online;
    this.pause = 250;
    this.open();
  }

  open() {
    const url = `ws://${location.host}/sandbox/live?user=${encodeURIComponent(this.user)}`;
    this.socket = new WebSocket(url);
    this.socket.onopen = () => {
      this.pause = 250;
      this.online(true);
    };
    this.socket.onmessage = (event) => this.hear(JSON.parse(event.data));
    this.socket.onclose = () => {
      this.online(false);
      setTimeout(() => this.open(), this.pause);
      this.pause = Math.min(this.pause * 2, 4000);
    };
  }

  /** Go on as somebody else; a new state follows. */
  as(user) {
    this.user = user;
    if (this.socket.readyState === WebSocket.OPEN) this.socket.send(JSON.stringify({ as: user }));
  }
}

/** Do something; the result, or an Error whose message can be shown. */
export async function post(path, body = {}) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  });
  const told = await answer.json().catch(() => ({}));
  if (!answer.ok || told.ok === false) throw new Error(told.error || `the sandbox answered ${answer.status}`);
  return told.result === undefined ? told : told.result;
}

/** An act of a person, as the fake Slack knows it: act("say", {user, channel, text}). */
export const act = (name, body) => post(`/sandbox/api/${name}`, body);

export async function get(path) {
  const answer = await fetch(path);
  if (!answer.ok) throw new Error(`the sandbox answered ${answer.status}`);
  return answer.json();
}
