// The HTTP requests of BOSH as the page may see them: an `XMLHttpRequest` that it has replaced or wrapped, what is sent before the first
// connect(), and the answer to the good-bye.

import { Client, turn, until } from "./client.mjs";

const BOSH = ["bosh"];

/** Runs `act` while each `XMLHttpRequest` is written down. */
async function watched(act) {
  const requests = [];
  const { open, send, setRequestHeader } = XMLHttpRequest.prototype;
  Object.assign(XMLHttpRequest.prototype, {
    open(method, address, ...more) {
      Object.assign(this, { seen: { method, address, headers: {} } });
      return open.call(this, method, address, ...more);
    },
    setRequestHeader(name, value) {
      this.seen.headers[name] = value;
      return setRequestHeader.call(this, name, value);
    },
    send(body) {
      requests.push({ ...this.seen, withCredentials: this.withCredentials, isBody: /^<body\b/.test(body) });
      return send.call(this, body);
    },
  });
  try {
    await act(requests);
  } finally {
    Object.assign(XMLHttpRequest.prototype, { open, send, setRequestHeader });
  }
  return requests;
}

/** The requests without their number, which differs. */
const kinds = (requests) => [...new Set(requests.map((request) => JSON.stringify(request)))];

/** An `XMLHttpRequest` of a test: never on the network, answered by the test. */
function fakes(answer) {
  return class {
    readyState = 0;
    status = 0;
    responseText = "";
    responseXML = null;
    open() {
      this.readyState = 1;
    }
    setRequestHeader() {}
    getAllResponseHeaders() {
      return "content-type: text/xml\r\nx-fake: yes\r\n";
    }
    abort() {}
    send(body) {
      answer(body, (text, status = 200) => {
        Object.assign(this, { readyState: 4, status, responseText: text, responseXML: text ? new DOMParser().parseFromString(text, "text/xml") : null });
        this.onreadystatechange?.();
      });
    }
  };
}

export const specs = [
  {
    member: "XMLHttpRequest",
    name: "wrapped by the page",
    over: BOSH,
    where: "page",
    alone: true,
    async run(world) {
      let wire;
      const requests = await watched(async () => {
        const client = await new Client(world, "plain", { withCredentials: false, contentType: "text/plain; charset=utf-8", customHeaders: { "X-Page": "1" } }).online();
        await client.said("<message xmlns='jabber:client'/>");
        await client.end();
        wire = await client.wire();
      });
      return { kinds: kinds(requests.map(({ address, ...request }) => ({ ...request, isService: address.startsWith(world.service("plain").split("/plain")[0]) }))), wire };
    },
  },
  {
    member: "XMLHttpRequest",
    name: "replaced by the page",
    where: "page",
    over: BOSH,
    alone: true,
    async run(world) {
      const { XMLHttpRequest } = globalThis;
      const bodies = [];
      const held = [];
      globalThis.XMLHttpRequest = fakes((body, answer) => {
        bodies.push(/<(auth|iq|presence|message)\b/.exec(body)?.[1] ?? /type=['"](terminate)/.exec(body)?.[1] ?? "other");
        const text = (payload, attributes = "") =>
          setTimeout(() => answer(`<body xmlns='http://jabber.org/protocol/httpbind' xmlns:stream='http://etherx.jabber.org/streams'${attributes}>${payload}</body>`));
        if (bodies.length === 1) {
          text(
            "<stream:features><mechanisms xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><mechanism>PLAIN</mechanism></mechanisms></stream:features>",
            " sid='fake' wait='60' hold='1' requests='2' inactivity='30'",
          );
        } else if (body.includes("<auth")) {
          text("<failure xmlns='urn:ietf:params:xml:ns:xmpp-sasl'><not-authorized/></failure>");
        } else if (/type=['"]terminate/.test(body)) {
          for (const end of held.splice(0)) end("", "");
          text("", " type='terminate'");
        } else {
          held.push(text);
        }
      });
      try {
        const client = new Client(world, "plain", {}, "http://fake.invalid/");
        client.connect();
        await client.rest();
        await client.end();
        return { seen: client.seen, headers: client.connection._proto.lastResponseHeaders?.includes("x-fake: yes"), first: bodies.slice(0, 2) };
      } finally {
        globalThis.XMLHttpRequest = XMLHttpRequest;
      }
    },
  },
  {
    member: "Connection.send",
    name: "before the first connect()",
    over: BOSH,
    async run(world) {
      const client = new Client(world, "showing-headers", { contentType: "text/plain; charset=utf-8", customHeaders: { "X-Page": "1" } });
      const { connection } = client;
      const shown = [];
      connection.xmlOutput = (elem) => shown.push([elem.nodeName, elem.childNodes.length]);
      connection.rawOutput = (text) => shown.push([typeof text, text.includes("<message")]);
      const rids = [];
      connection.nextValidRid = (rid) => rids.push(rid - connection._proto.rid);
      connection.send(world.lib.$msg({ to: "a@b" }));
      connection.send(world.lib.$pres());
      await until(() => rids.length, "the answer");
      await turn();
      connection._proto._abortAllRequests();
      return { shown, rids, wire: await client.wire({ ended: false }), waiting: connection._data.length };
    },
  },
  {
    member: "Connection.send",
    name: "before the first connect(), and refused",
    over: BOSH,
    async run(world) {
      const client = new Client(world, "terminate-at-open");
      client.connection.connect_callback = client.status;
      client.connection.send(world.lib.$pres());
      await client.reached("DISCONNECTED");
      await turn();
      return client.seen;
    },
  },
  {
    member: "Connection.disconnect",
    name: "the server answers later than three seconds",
    over: BOSH,
    async run(world) {
      const client = await new Client(world, "late-good-bye").online(undefined, undefined, undefined, undefined, undefined, undefined, 7_500);
      await client.end();
      return client.seen;
    },
  },
  {
    member: "Connection.disconnect",
    name: "the server does not answer, and the page waits longer than three seconds",
    over: BOSH,
    async run(world) {
      const client = await new Client(world, "no-good-bye").online(undefined, undefined, undefined, undefined, undefined, undefined, 3_500);
      await client.end();
      return client.seen;
    },
  },
];
