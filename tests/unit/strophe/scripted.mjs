// What tests put in the place of the network: for strophe.js an `XMLHttpRequest` and a `WebSocket`, for us a stream. All are answered
// by the test.

import { pack } from "./packing.mjs";

export class ScriptedStream {
  static made = [];
  rid = undefined;
  sid = undefined;
  /** What it was asked for, in order. */
  wire = [];
  #listeners = { frame: [], close: [], sent: [], received: [], element: [] };

  constructor(library, service, options) {
    this.library = library;
    this.options = options;
    this.isBosh = service.startsWith("http");
    ScriptedStream.made.push(this);
  }

  on(type, listener) {
    const all = this.#listeners[type];
    all.push(listener);
    return { remove: () => void all.splice(all.indexOf(listener), 1) };
  }

  #emit(type, event) {
    for (const listener of [...this.#listeners[type]]) listener(event);
  }

  open() {
    this.rid = 100;
    this.wire.push("open");
    this.#emit("sent", this.isBosh ? "<body rid='100' xmlns='http://jabber.org/protocol/httpbind'/>" : "<open xmlns='urn:ietf:params:xml:ns:xmpp-framing'/>");
  }

  attach({ sid, rid }) {
    this.sid = sid;
    this.rid = rid;
  }

  send(...elements) {
    this.wire.push(...elements.map(String));
  }

  restart() {
    this.wire.push("restart");
  }

  close(lastWords) {
    if (lastWords) this.wire.push(String(lastWords));
    this.wire.push("close");
  }

  abort() {
    this.isAborted = true;
  }

  /** The server's answer. */
  give(xml) {
    this.rid += 1;
    this.#emit("frame", this.library.stanzaOf(...pack(xml)));
  }

  /** The stream's end. */
  end(error, unsent = []) {
    const elements = unsent.map((xml) => this.library.stanzaOf(...pack(xml)));
    this.#emit("close", { ...(error && { error }), ...(elements.length && { unsent: elements }) });
  }

  /** An HTTP answer of that status, or none (0), as the stream's `fetch` sees it. */
  async fail(status) {
    const { fetch, XMLHttpRequest } = globalThis;
    // The one that is there is strophe.js's network.
    delete globalThis.XMLHttpRequest;
    globalThis.fetch = async () => {
      if (!status) throw new TypeError("no network");
      return { status, type: "basic", headers: new Headers() };
    };
    try {
      await this.options.fetch("http://x/", {});
    } catch (error) {
      if (error.message !== "no network") throw error;
    } finally {
      Object.assign(globalThis, { fetch, XMLHttpRequest });
    }
  }
}

export class ScriptedRequest {
  static made = [];
  readyState = 0;
  status = 0;
  isWaiting = false;

  constructor() {
    ScriptedRequest.made.push(this);
  }

  /** The oldest that waits for an answer. */
  static get waiting() {
    return ScriptedRequest.made.find((one) => one.isWaiting);
  }

  open() {
    this.readyState = 1;
  }

  setRequestHeader() {}

  getAllResponseHeaders() {
    return "";
  }

  send(body) {
    this.body = body;
    this.isWaiting = true;
  }

  abort() {
    this.isWaiting = false;
  }

  answer(xml, status = 200) {
    this.isWaiting = false;
    this.readyState = 4;
    this.status = status;
    this.responseXML = xml ? new DOMParser().parseFromString(xml, "text/xml") : null;
    this.onreadystatechange();
  }
}

export class ScriptedSocket {
  static made = [];
  static CLOSED = 3;
  readyState = 0;
  sent = [];

  constructor() {
    ScriptedSocket.made.push(this);
  }

  open() {
    this.readyState = 1;
    this.onopen();
  }

  send(text) {
    this.sent.push(text);
  }

  close() {
    this.readyState = 3;
  }

  give(data) {
    this.onmessage?.({ data });
  }

  end(code) {
    this.readyState = 3;
    this.onclose?.({ code });
  }
}
