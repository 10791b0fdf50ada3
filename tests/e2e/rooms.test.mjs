// Rooms (XEP-0045): three pages that talk, and what may happen to who is in.

import assert from "node:assert/strict";
import { test } from "node:test";
import { environment } from "./support.mjs";

const env = environment();

/** Connects a page and enters it into a room; `room` and `client` stay there, and a log of what happens. */
async function enter(page, account, room, nick, options) {
  await page.evaluate(
    async ({ account, room, nick, options }) => {
      window.client = await epode.connect(BOSH, account);
      window.room = await client.muc.join(room, nick, options);
      window.heard = inbox(`a message for ${nick}`);
      window.log = inbox(`an event for ${nick}`);
      window.room.on("message", heard.push);
      for (const type of ["join", "leave", "nick", "subject", "out", "occupant", "error"]) {
        window.room.on(type, (event) => log.push({ type, event: event instanceof Error ? describe(event) : event }));
      }
    },
    { account, room, nick, options },
  );
}

/** The occupants as a page knows them, sorted by nick. */
const occupants = (page) =>
  page.evaluate(() => [...window.room.occupants].map(([nick, occupant]) => ({ key: nick, ...occupant })).sort((a, b) => (a.nick < b.nick ? -1 : 1)));

test("three pages in one room: each gets all messages in order, the occupants, and who leaves", async () => {
  const [one, two, three] = await env.pages(3);
  const accounts = await env.accounts(3);
  const room = `${env.name("lobby")}@${env.server.conference}`;
  const COUNT = 20;
  const nicks = ["Romeo", "Juliet ö", "Mercutio ☺ 3"];
  const pages = [one, two, three];
  for (const [index, page] of pages.entries()) await enter(page, accounts[index], room, nicks[index]);

  // All at once, without waiting for each other.
  await Promise.all(
    pages.map((page, index) =>
      page.evaluate(
        async ({ count, nick }) => {
          await Promise.all(Array.from({ length: count }, (_, number) => window.room.send(`${nick} says ${number} <&>`)));
        },
        { count: COUNT, nick: nicks[index] },
      ),
    ),
  );
  const transcripts = await Promise.all(
    pages.map((page) =>
      page.evaluate(async (count) => {
        const all = await heard.until(count);
        return all.map(({ nick, body, own, delayed, private: whispered, time, receivedAt, stanza }) => {
          const dated = receivedAt instanceof Date;
          return { nick, body, own, delayed, whispered, time, dated, type: stanza.type };
        });
      }, 3 * COUNT),
    ),
  );
  for (const [index, transcript] of transcripts.entries()) {
    assert.equal(transcript.length, 3 * COUNT);
    for (const nick of nicks) {
      const said = transcript.filter((message) => message.nick === nick);
      assert.deepEqual(said.map(({ body }) => body), Array.from({ length: COUNT }, (_, number) => `${nick} says ${number} <&>`));
      for (const { own, delayed, whispered, time, dated, type } of said) {
        assert.deepEqual({ own, delayed, whispered, time, dated, type }, {
          own: nick === nicks[index],
          delayed: false,
          whispered: false,
          time: undefined,
          dated: true,
          type: "groupchat",
        });
      }
    }
  }
  // One room, one order.
  const orders = transcripts.map((transcript) => transcript.map(({ body }) => body));
  assert.deepEqual(orders[1], orders[0]);
  assert.deepEqual(orders[2], orders[0]);

  const sorted = [...nicks].sort();
  for (const [index, page] of pages.entries()) {
    const list = await occupants(page);
    assert.deepEqual(list.map(({ nick }) => nick), sorted);
    assert.deepEqual(list.map(({ key }) => key), sorted);
    for (const occupant of list) assert.equal(occupant.self, occupant.nick === nicks[index]);
    assert.equal(list.find(({ nick }) => nick === "Romeo").affiliation, "owner");
    assert.equal(list.find(({ nick }) => nick === "Romeo").role, "moderator");
  }
  // The first saw the other two come, the last nobody.
  const came = (page) => page.evaluate(() => log.got.filter(({ type }) => type === "join").map(({ event }) => event.nick));
  assert.deepEqual(await came(one), nicks.slice(1));
  assert.deepEqual(await came(two), nicks.slice(2));
  assert.deepEqual(await came(three), []);

  await two.evaluate(() => window.room.leave({ status: "Parting is such sweet sorrow" }));
  for (const page of [one, three]) {
    const { event } = await page.evaluate(() => log.untilAny(({ type }) => type === "leave"));
    assert.equal(event.occupant.nick, "Juliet ö");
    assert.equal(event.occupant.self, false);
    assert.equal(event.reason, "left");
    assert.deepEqual((await occupants(page)).map(({ nick }) => nick), [nicks[2], nicks[0]].sort());
  }
  const after = await two.evaluate(async () => ({
    joined: window.room.joined,
    again: await window.room.leave(),
    send: await failure(window.room.send("too late")),
    out: log.got.filter(({ type }) => type === "out").length,
  }));
  assert.equal(after.joined, false);
  assert.equal(after.send.code, "not-connected");
  assert.equal(after.out, 0);

  // Gone with the connection, the others see it.
  await three.evaluate(() => client.disconnect());
  await one.evaluate(() => log.untilAny(({ type, event }) => type === "leave" && event.occupant.nick.startsWith("Mercutio")));
  const out = await three.evaluate(() => log.untilAny(({ type }) => type === "out"));
  assert.equal(out.event.reason, "disconnected");
});

test("a nick that is taken: conflict; another nick works", async () => {
  const [one, two] = await env.pages(2);
  const accounts = await env.accounts(2);
  const room = `${env.name("room")}@${env.server.conference}`;
  await enter(one, accounts[0], room, "Romeo");
  const { error, nick, twice, renamed, to } = await two.evaluate(
    async ({ account, room }) => {
      const client = await epode.connect(BOSH, account);
      const error = await failure(client.muc.join(room, "Romeo"));
      const joined = await client.muc.join(room, "Tybalt");
      const twice = await failure(client.muc.join(room, "Tybalt"));
      const { nick } = joined;
      const renamed = await failure(joined.setNick("Romeo"));
      const events = inbox("a change of nick");
      joined.on("nick", events.push);
      await joined.setNick("Tybalt, Prince of Cats");
      const [event] = await events.until(1);
      const to = { event, nick: joined.nick, joined: joined.joined, occupants: [...joined.occupants.keys()].sort() };
      await client.disconnect();
      return { error, nick, twice, renamed, to };
    },
    { account: accounts[1], room },
  );
  assert.equal(error.name, "XmppError");
  assert.equal(error.code, "stanza-error");
  assert.equal(error.condition, "conflict");
  assert.match(error.stanza, /<presence/);
  assert.equal(nick, "Tybalt");
  assert.equal(twice.code, "bad-argument");
  assert.equal(renamed.condition, "conflict");
  assert.deepEqual(to, {
    event: { from: "Tybalt", to: "Tybalt, Prince of Cats", self: true },
    nick: "Tybalt, Prince of Cats",
    joined: true,
    occupants: ["Romeo", "Tybalt, Prince of Cats"],
  });
  const { event } = await one.evaluate(() => log.untilAny(({ type }) => type === "nick"));
  assert.deepEqual(event, { from: "Tybalt", to: "Tybalt, Prince of Cats", self: false });
});

test("subject, history and its limits; both wait for their first listener", async () => {
  const [one, two] = await env.pages(2);
  const accounts = await env.accounts(2);
  const room = `${env.name("room")}@${env.server.conference}`;
  await enter(one, accounts[0], room, "Romeo");
  await one.evaluate(async () => {
    await window.room.setSubject("Verona & <around> 😀");
    await log.untilAny(({ type, event }) => type === "subject" && event.subject.startsWith("Verona"));
    for (let number = 1; number <= 5; number += 1) await window.room.send(`line ${number}`);
    await heard.until(5);
  });
  const result = await two.evaluate(
    async ({ account, room }) => {
      const client = await epode.connect(BOSH, account);
      const joined = await client.muc.join(room, "Juliet");
      const result = { subject: joined.subject };
      // Nobody listens for a while: what came with the join is still there, each kind for its own first listener.
      await client.request(epode.xml`<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>`);
      const heard = inbox("history");
      joined.on("message", heard.push);
      const within = heard.got.length;
      const subjects = inbox("the subject");
      joined.on("subject", subjects.push);
      const history = await heard.until(5);
      result.within = within;
      result.history = history.map(({ body, nick, delayed, own, time, receivedAt }) => ({
        body,
        nick,
        delayed,
        own,
        dated: time instanceof Date && receivedAt instanceof Date && Math.abs(receivedAt - time) < 600_000,
      }));
      result.told = (await subjects.until(1))[0];
      const late = inbox("late");
      joined.on("message", late.push);
      await joined.send("and now");
      await heard.until(6);
      result.live = late.got.map(({ body, delayed, own }) => ({ body, delayed, own }));
      await joined.leave();

      const again = await client.muc.join(room, "Juliet", { history: { maxstanzas: 2 } });
      const some = inbox("some history");
      again.on("message", some.push);
      await again.send("last");
      await some.untilAny(({ body }) => body === "last");
      result.some = some.got.map(({ body }) => body);
      await again.leave();

      const none = await client.muc.join(room, "Juliet", { history: { maxstanzas: 0 } });
      const nothing = inbox("no history");
      none.on("message", nothing.push);
      await none.send("really last");
      await nothing.until(1);
      result.none = nothing.got.map(({ body }) => body);
      await client.disconnect();
      return result;
    },
    { account: accounts[1], room },
  );
  assert.equal(result.subject, "Verona & <around> 😀");
  assert.equal(result.within, 0);
  assert.deepEqual(
    result.history,
    [1, 2, 3, 4, 5].map((number) => ({ body: `line ${number}`, nick: "Romeo", delayed: true, own: false, dated: true })),
  );
  assert.deepEqual(result.told, { subject: "Verona & <around> 😀", nick: "Romeo" });
  assert.deepEqual(result.live, [{ body: "and now", delayed: false, own: true }]);
  assert.deepEqual(result.some, ["line 5", "and now", "last"]);
  assert.deepEqual(result.none, ["really last"]);
});

test("a private message reaches one occupant only", async () => {
  const [one, two, three] = await env.pages(3);
  const accounts = await env.accounts(3);
  const room = `${env.name("room")}@${env.server.conference}`;
  for (const [index, page] of [one, two, three].entries()) await enter(page, accounts[index], room, ["Romeo", "Juliet", "Nurse"][index]);
  await one.evaluate(() => window.room.sendPrivate("Juliet", "psst"));
  const [whisper] = await two.evaluate(async () => {
    await heard.until(1);
    return heard.got.map(({ nick, body, private: whispered, own, stanza }) => ({ nick, body, whispered, own, type: stanza.type }));
  });
  assert.deepEqual(whisper, { nick: "Romeo", body: "psst", whispered: true, own: false, type: "chat" });
  await two.evaluate(() => window.room.send("aloud"));
  const heard = await three.evaluate(async () => {
    await heard.until(1);
    return heard.got.map(({ body }) => body);
  });
  assert.deepEqual(heard, ["aloud"]);

  // To who is not there, the room says so.
  await one.evaluate(() => window.room.sendPrivate("Nobody", "psst"));
  const { event } = await one.evaluate(() => log.untilAny(({ type }) => type === "error"));
  assert.equal(event.code, "stanza-error");
  assert.match(event.condition, /^(item-not-found|recipient-unavailable)$/);
});

test("kicked, banned, and the room destroyed: out, with the reason", async () => {
  const [one, two, three] = await env.pages(3);
  const accounts = await env.accounts(3);
  const room = `${env.name("room")}@${env.server.conference}`;
  for (const [index, page] of [one, two, three].entries()) await enter(page, accounts[index], room, ["Prince", "Tybalt", "Mercutio"][index]);

  await one.evaluate(async (room) => {
    await client.request(epode.xml`<iq type="set" to="${room}"><query xmlns="http://jabber.org/protocol/muc#admin">
      <item nick="Tybalt" role="none"><reason>For fighting</reason></item></query></iq>`);
  }, room);
  const kicked = (await two.evaluate(() => log.untilAny(({ type }) => type === "out"))).event;
  assert.equal(kicked.reason, "kicked");
  assert.equal(kicked.text, "For fighting");
  const seen = (await three.evaluate(() => log.untilAny(({ type }) => type === "leave"))).event;
  assert.equal(seen.occupant.nick, "Tybalt");
  assert.equal(seen.reason, "kicked");
  assert.equal(await two.evaluate(() => window.room.joined), false);

  // He may come back; banned he may not.
  await two.evaluate(async (room) => {
    window.room = await client.muc.join(room, "Tybalt");
    window.room.on("out", (event) => log.push({ type: "banned", event }));
  }, room);
  await one.evaluate(async ({ room, jid }) => {
    await client.request(epode.xml`<iq type="set" to="${room}"><query xmlns="http://jabber.org/protocol/muc#admin">
      <item jid="${jid}" affiliation="outcast"><reason>Again</reason></item></query></iq>`);
  }, { room, jid: accounts[1].jid });
  const banned = (await two.evaluate(() => log.untilAny(({ type }) => type === "banned"))).event;
  assert.equal(banned.reason, "banned");
  const refused = await two.evaluate((room) => failure(client.muc.join(room, "Tybalt")), room);
  assert.equal(refused.code, "stanza-error");
  assert.equal(refused.condition, "forbidden");

  await one.evaluate(async (room) => {
    await client.request(epode.xml`<iq type="set" to="${room}"><query xmlns="http://jabber.org/protocol/muc#owner">
      <destroy jid="tomb@conference.localhost"><reason>The end</reason></destroy></query></iq>`);
  }, room);
  const destroyed = (await three.evaluate(() => log.untilAny(({ type }) => type === "out"))).event;
  assert.equal(destroyed.reason, "destroyed");
  assert.equal(destroyed.text, "The end");
  assert.equal(destroyed.alternative, "tomb@conference.localhost");
});

test("a room with a password, a wrong address, and aborted joins", async () => {
  const [one, two] = await env.pages(2);
  const accounts = await env.accounts(2);
  const room = `${env.name("room")}@${env.server.conference}`;
  await enter(one, accounts[0], room, "Romeo");
  await one.evaluate(async (room) => {
    await client.request(epode.xml`<iq type="set" to="${room}"><query xmlns="http://jabber.org/protocol/muc#owner"><x xmlns="jabber:x:data" type="submit">
      <field var="FORM_TYPE"><value>http://jabber.org/protocol/muc#roomconfig</value></field>
      <field var="muc#roomconfig_passwordprotectedroom"><value>1</value></field>
      <field var="muc#roomconfig_roomsecret"><value>sesame</value></field></x></query></iq>`);
  }, room);
  const result = await two.evaluate(
    async ({ account, room, conference }) => {
      const client = new epode.Client(BOSH, account);
      const shown = [];
      client.on("sent", (text) => shown.push(text));
      await client.connect();
      const errors = {
        without: await failure(client.muc.join(room, "Juliet")),
        wrong: await failure(client.muc.join(room, "Juliet", { password: "open" })),
        nick: await failure(client.muc.join(room, "")),
        address: await failure(client.muc.join("not a jid", "Juliet")),
        service: await failure(client.muc.join("room@nowhere.localhost", "Juliet")),
        history: await failure(client.muc.join(room, "Juliet", { password: "sesame", history: { maxstanzas: -1 } })),
        since: await failure(client.muc.join(room, "Juliet", { password: "sesame", history: { since: "yesterday" } })),
        already: await failure(client.muc.join(room, "Juliet", { password: "sesame", signal: AbortSignal.abort() })),
      };
      const controller = new AbortController();
      const joining = client.muc.join(`given-up-${room}`, "Juliet", { signal: controller.signal });
      controller.abort(new Error("never mind"));
      errors.aborted = await failure(joining);
      const joined = await client.muc.join(room, "Juliet", { password: "sesame" });
      const leaked = shown.filter((text) => text.includes("sesame")).length;
      await client.disconnect();
      return { errors, joined: joined.nick, leaked };
    },
    { account: accounts[1], room, conference: env.server.conference },
  );
  const { errors } = result;
  assert.equal(errors.without.condition, "not-authorized");
  assert.equal(errors.wrong.condition, "not-authorized");
  assert.equal(errors.nick.code, "bad-jid");
  assert.equal(errors.address.code, "bad-jid");
  assert.equal(errors.service.code, "stanza-error");
  assert.equal(errors.history.code, "bad-argument");
  assert.equal(errors.since.code, "bad-argument");
  assert.equal(errors.already.code, "aborted");
  assert.equal(errors.aborted.code, "aborted");
  assert.equal(errors.aborted.cause, "never mind");
  assert.equal(result.joined, "Juliet");
  assert.equal(result.leaked, 0);
});
