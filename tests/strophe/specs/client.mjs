// One connection to a scripted service, and what is seen of it: the statuses, what handlers got, what went over the wire.

import { wire } from "../show.mjs";

/** The password of every account of the service. */
export const PASSWORD = "pencil";
export const JID = "user@parity.example/desk";
/** Statuses at which a login is at its end, one way or the other. */
export const RESTS = ["CONNECTED", "AUTHFAIL", "CONNFAIL", "DISCONNECTED", "BINDREQUIRED", "ATTACHED", "ATTACHFAIL", "CONNTIMEOUT"];
const LIMIT = 8_000;

export const turn = () => new Promise((resolve) => setTimeout(resolve));

/** Waits for a condition that other code brings about. */
export async function until(isTrue, what = "a condition") {
  for (const end = Date.now() + LIMIT; !(await isTrue()); await new Promise((resolve) => setTimeout(resolve, 5))) {
    if (Date.now() > end) throw Object.assign(new Error(`${what} did not come about`), { name: "SpecError" });
  }
}

export class Client {
  /** What happened, in order. */
  seen = [];
  /** The names of the statuses alone. */
  statuses = [];
  #script;
  #marks = 0;

  constructor({ lib, service, over }, script = "plain", options = {}, address = service(script)) {
    Object.assign(this, { lib, service, over, address });
    this.#script = script;
    this.names = Object.fromEntries(Object.entries(lib.Strophe.Status).map(([name, number]) => [number, name]));
    this.connection = new lib.Strophe.Connection(address, options);
  }

  get script() {
    return this.#script;
  }

  /** The callback. */
  status = (status, condition, elem) => {
    const name = this.names[status] ?? status;
    this.statuses.push(name);
    this.seen.push([name, condition ?? null, elem?.nodeName ?? null]);
    this.onStatus?.(name);
  };

  connect(jid = JID, password = PASSWORD, ...more) {
    this.connection.connect(jid, password, this.status, ...more);
    return this;
  }

  reached(...names) {
    return until(() => this.statuses.some((name) => names.includes(name)), `${names} over ${this.over}, after ${this.statuses}`);
  }

  /** Connected: the usual beginning. */
  async online(...values) {
    this.connect(...values);
    await this.reached("CONNECTED");
    return this;
  }

  /** The end of a login. */
  async rest() {
    await this.reached(...RESTS);
    await turn();
  }

  async end(reason) {
    await turn();
    // One that failed may be ending by itself.
    if (!this.statuses.includes("DISCONNECTED") && !this.statuses.includes("DISCONNECTING")) this.connection.disconnect(reason);
    await this.reached("DISCONNECTED");
  }

  /** What arrived at the service, once the good-bye is there. */
  async wire({ ended = true } = {}) {
    let lines = [];
    await until(async () => {
      lines = await this.service.transcript(this.address);
      return !ended || lines.some((line) => /^(end|close)\b/.test(line));
    }, `a good-bye on the wire (${this.over})`);
    return lines;
  }

  /** The wire without the good-bye, which a connection that failed does not say, or is under way still. */
  async wireOfLogin() {
    const lines = await this.wire({ ended: false });
    const end = lines.findIndex((line) => /^(end|close)\b|^<presence .*unavailable/.test(line));
    return end < 0 ? lines : lines.slice(0, end);
  }

  /** Makes the service send stanzas, in one body. */
  say(...stanzas) {
    const message = this.lib.$msg().c("say", { xmlns: "urn:parity" });
    for (const xml of stanzas) message.cnode(this.lib.Strophe.toElement(xml)).up();
    this.connection.send(message);
  }

  /** Makes the service send stanzas, and waits until all handlers have had them. */
  async said(...stanzas) {
    const id = `mark-${(this.#marks += 1)}`;
    let isThere = false;
    this.connection.addHandler(() => ((isThere = true), false), null, "message", null, id);
    this.say(...stanzas, `<message xmlns='jabber:client' id='${id}'/>`);
    await until(() => isThere, "the stanzas");
    await turn();
  }

  /** A handler that writes down what it got. */
  note(label, result = true) {
    return (stanza) => {
      this.seen.push([label, wire(stanza)]);
      return typeof result === "function" ? result(stanza) : result;
    };
  }
}

const BOTH = ["bosh", "ws"];

/** A specification with a connection of its own, which is ended at last; the result is what was seen, and the wire. */
export function connected(member, name, act, { over = BOTH, script = "plain", options, wire: withWire = false, ...more } = {}) {
  return {
    member,
    name,
    over,
    ...more,
    async run(world) {
      const client = new Client(world, script, typeof options === "function" ? options(world.lib) : options);
      await client.online();
      client.seen.length = 0;
      const returned = await act(client, client.connection, world.lib);
      await client.end();
      return { seen: client.seen, returned, ...(withWire && { wire: await client.wire() }) };
    },
  };
}
