// Rooms that answer as a test wants: late, incompletely, or with what an occupant has forged. What the rooms machine does with it is
// tested natively (proto/tests/xep/muc); here it reaches the page.

import assert from "node:assert/strict";
import { test } from "node:test";
import { answer, service, wrap } from "./scripted.mjs";
import { environment } from "./support.mjs";

const env = environment({ browser: false });
const ROOM = "coven@chat.scripted.example";
const OPTIONS = { domain: "scripted.example", anonymous: true, timeout: 20_000, reconnect: false };

const presence = (nick, inside, attributes = "") =>
  `<presence xmlns='jabber:client' from='${ROOM}/${nick}'${attributes}><x xmlns='http://jabber.org/protocol/muc#user'>${inside}</x></presence>`;
const own = (nick) => presence(nick, "<item affiliation='member' role='participant'/><status code='110'/>");
const gone = (nick) => presence(nick, "<item affiliation='member' role='none'/><status code='110'/>", " type='unavailable'");
const said = (nick, body, more = "") => `<message xmlns='jabber:client' type='groupchat' from='${ROOM}/${nick}'><body>${body}</body>${more}</message>`;
const subject = `<message xmlns='jabber:client' type='groupchat' from='${ROOM}'><subject/></message>`;
const entered = (nick) => own(nick) + subject;

/** A service whose rooms answer with what `hear` makes of the stanzas of a request: `[{ name, to, type, id, xml }]`. */
function rooms(hear) {
  let held;
  const online = ({ response, body }) => {
    const stanzas = [...body.matchAll(/<(presence|message|iq)\b([^>]*)>/g)].map(([, name, attributes]) => {
      const attribute = (wanted) => new RegExp(` ${wanted}=['"]([^'"]*)`).exec(attributes)?.[1];
      return { name, to: attribute("to"), type: attribute("type"), id: attribute("id"), body };
    });
    const told = hear(stanzas.filter(({ to }) => to?.startsWith(ROOM))) ?? "";
    if (held) {
      answer(held, wrap(told));
      held = response;
    } else if (told) {
      answer(response, wrap(told));
    } else {
      held = response;
    }
    return true;
  };
  return `${env.origin.url}${env.route(service({ online }))}`;
}

/** Events of a room, and waiting for one. */
function log(room, ...types) {
  const seen = [];
  const waiting = [];
  for (const type of types) {
    room.on(type, (event) => {
      seen.push({ type, event });
      for (const { wanted, resolve } of waiting) if (wanted === type) resolve(event);
    });
  }
  const until = (wanted) =>
    new Promise((resolve) => {
      const already = seen.find(({ type }) => type === wanted);
      if (already) resolve(already.event);
      else waiting.push({ wanted, resolve });
    });
  return { seen, until };
}

test("an aborted join gets its reply late: the next join ends by its own replies", async () => {
  const { connect } = await env.node();
  let sent = [];
  const address = rooms((stanzas) => {
    sent.push(...stanzas.filter(({ name }) => name === "presence"));
    // Join, leave, join: now the room answers all of them, without ids.
    if (sent.length < 3) return "";
    sent = [];
    return entered("Juliet") + gone("Juliet") + presence("Nurse", "<item role='moderator'/>") + entered("Juliet");
  });
  const client = await connect(address, { ...OPTIONS, presence: false });
  await assert.rejects(client.muc.join(ROOM, "Juliet", { timeout: 100 }), { code: "timeout" });
  const room = await client.muc.join(ROOM, "Juliet");
  const { seen } = log(room, "out");
  assert.equal(room.joined, true);
  assert.deepEqual([...room.occupants.keys()], ["Juliet", "Nurse"]);
  assert.deepEqual(seen, []);
  await client.disconnect();
});

test("an aborted leave neither blocks nor ends the next join", async () => {
  const { connect } = await env.node();
  let kept = "";
  let joins = 0;
  const address = rooms((stanzas) =>
    stanzas
      .map(({ name, type }) => {
        if (name !== "presence") return "";
        if (type === "unavailable") {
          kept = gone("Juliet");
          return "";
        }
        joins += 1;
        return kept + entered("Juliet");
      })
      .join(""),
  );
  const client = await connect(address, { ...OPTIONS, presence: false });
  const first = await client.muc.join(ROOM, "Juliet");
  const given = new AbortController();
  const leaving = first.leave({ signal: given.signal });
  given.abort();
  await assert.rejects(leaving, { code: "aborted" });
  assert.equal(first.joined, false);
  const second = await client.muc.join(ROOM, "Juliet");
  assert.equal(joins, 2);
  assert.equal(second.joined, true);
  assert.equal(first.joined, false);
  assert.equal(first.nick, "Juliet");
  await client.disconnect();
});

test("history in the old format, forged stamps and messages without our id", async () => {
  const { connect } = await env.node();
  const address = rooms((stanzas) =>
    stanzas
      .map(({ name, type }) => {
        if (name === "presence" && type !== "unavailable") {
          // No status 110 anywhere.
          const here = presence("Juliet", "<item role='participant'/>");
          return here + said("Romeo", "old", "<x xmlns='jabber:x:delay' stamp='20260105T16:19:47'/>") + subject;
        }
        if (name === "message") {
          return said("Mallory", "new", "<delay xmlns='urn:xmpp:delay' stamp='2001-01-01T00:00:00Z' from='mallory@evil.example'/>") + said("Juliet", "hello");
        }
        return "";
      })
      .join(""),
  );
  const client = await connect(address, { ...OPTIONS, presence: false });
  const room = await client.muc.join(ROOM, "Juliet");
  const messages = [];
  const all = new Promise((resolve) => {
    room.on("message", ({ nick, body, delayed, time, own: ours }) => {
      messages.push({ nick, body, delayed, time: time?.toISOString(), own: ours });
      if (messages.length === 3) resolve();
    });
  });
  await room.send("hello");
  await all;
  assert.deepEqual(messages, [
    { nick: "Romeo", body: "old", delayed: true, time: "2026-01-05T16:19:47.000Z", own: false },
    { nick: "Mallory", body: "new", delayed: false, time: undefined, own: false },
    { nick: "Juliet", body: "hello", delayed: false, time: undefined, own: true },
  ]);
  await client.disconnect();
});

test("a room that has removed us without notice: a message bounces, the room is pinged and joined again", async () => {
  const { connect } = await env.node();
  const refused = (name, { id }) =>
    `<${name} xmlns='jabber:client' type='error' from='${ROOM}${name === "iq" ? "/Juliet" : ""}' id='${id}'><error type='cancel'><not-acceptable xmlns='urn:ietf:params:xml:ns:xmpp-stanzas'/></error></${name}>`;
  const asked = [];
  let lost = false;
  const address = rooms((stanzas) =>
    stanzas
      .map((stanza) => {
        const { name, type } = stanza;
        if (type === "unavailable") return gone("Juliet");
        asked.push(name);
        if (name === "presence") {
          lost = asked.length > 1 ? false : lost;
          const others = asked.length > 1 ? presence("Nurse", "<item role='participant'/>") : "";
          return others + entered("Juliet");
        }
        if (name === "message") lost = true;
        return lost ? refused(name, stanza) : "";
      })
      .join(""),
  );
  const client = await connect(address, { ...OPTIONS, presence: false });
  const room = await client.muc.join(ROOM, "Juliet");
  const { seen, until } = log(room, "rejoin", "error", "join", "out");
  await room.send("does anybody hear me?");
  await until("rejoin");
  assert.equal(room.joined, true);
  assert.deepEqual(asked, ["presence", "message", "iq", "presence"]);
  assert.deepEqual(seen.map(({ type }) => type), ["error", "join", "rejoin"]);
  assert.equal(seen[0].event.condition, "not-acceptable");
  await client.disconnect();
});

test("a room's password is not sent over an unencrypted connection, unless the page allows it", async () => {
  const { connect, xml } = await env.node();
  const bodies = [];
  const address = rooms((stanzas) =>
    stanzas
      .map(({ name, type, body, id }) => {
        bodies.push(body);
        if (name === "iq") return `<iq xmlns='jabber:client' type='result' id='${id}' from='${ROOM}'/>`;
        return type === "unavailable" ? gone("Juliet") : entered("Juliet");
      })
      .join(""),
  );
  // The service's name is not this machine's, so that its http: is an open connection.
  const open = { ...OPTIONS, presence: false, fetch: (_, init) => fetch(address, init) };
  const configure = xml`<iq type="set" to="${ROOM}"><query xmlns="http://jabber.org/protocol/muc#owner"><x xmlns="jabber:x:data" type="submit">
    <field var="muc#roomconfig_roomsecret"><value>sesame</value></field></x></query></iq>`;
  const join = xml`<presence to="${ROOM}/Juliet"><x xmlns="http://jabber.org/protocol/muc"><password>sesame</password></x></presence>`;
  const client = await connect("http://plain.example/http-bind", open);
  await assert.rejects(client.muc.join(ROOM, "Juliet", { password: "sesame" }), { code: "insecure" });
  await assert.rejects(client.request(configure), { code: "insecure" });
  await assert.rejects(client.send(join), { code: "insecure" });
  const room = await client.muc.join(ROOM, "Juliet");
  assert.equal(room.joined, true);
  await client.disconnect();
  assert.equal(bodies.some((body) => body.includes("sesame")), false);

  const willing = await connect("http://plain.example/http-bind", { ...open, allowPlainText: true });
  const opened = await willing.muc.join(ROOM, "Juliet", { password: "sesame" });
  assert.equal(opened.joined, true);
  await willing.request(configure);
  assert.equal(bodies.some((body) => body.includes("sesame")), true);
  await willing.disconnect();
});

test("with an aborted signal nothing is sent", async () => {
  const { connect } = await env.node();
  const sent = [];
  const address = rooms((stanzas) => void sent.push(...stanzas));
  const client = await connect(address, { ...OPTIONS, presence: false });
  await assert.rejects(client.muc.join(ROOM, "Juliet", { signal: AbortSignal.abort() }), { code: "aborted" });
  await client.disconnect();
  assert.deepEqual(sent, []);
});
