// Text there and back through a real server: every kind of character arrives as it left, and what cannot be written never leaves.

import assert from "node:assert/strict";
import { test } from "node:test";
import { SERVER, environment } from "./support.mjs";

const env = environment();

const TEXTS = {
  emoji: "😀 👩🏽‍💻 🏳️‍🌈 🇪🇺 ❤️",
  "right to left": "שלום עולם — مرحبا بالعالم ‏(123)‏ \u202eabc\u202c \u2066x\u2069",
  combining: "e\u0301 n\u0303 a\u0300\u0316\u0301 Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘ \uac00\u1100\u1161",
  "like CDATA": "<![CDATA[ not <b>markup</b> ]]>",
  "]]>": "a ]]> b ]] > c ]]&gt; d",
  "special to XML": `<>&"' &amp; &lt; &#65; &#x41; &unknown; <!-- no --> <?no no?> <!DOCTYPE no>`,
  "looks like a stanza": `</body></message><message to="mallory@localhost"><body>x`,
  "next line and separators": "a\u0085b\u2028c\u2029d\u00a0e\ufefff\u200bg",
  "tabs and newlines": "\tone\n\ntwo\n three\t\tfour\n",
  "carriage returns": "a\rb\r\nc",
  spaces: "  leading, trailing  ",
  "edges of XML": "\u0009\u000a\u0020\ud7ff\ue000\ufffd\u{10000}\u{10ffff}\u007f\u0080\u009f",
  "non-characters that XML carries": "\ufdd0 \u{1fffe} \u{1ffff}",
  quotes: `"double" 'single' \`back\` “typographic”`,
  long: "0123456789abcdef ".repeat(6024).concat("ü😀<&>\n".repeat(20)),
};

// The servers write white space as it is, ejabberd only that of texts: whoever reads it next normalises it (XML 1.0
// §2.11, §3.3.3).
const inText = (text) => text.replace(/\r\n?/g, "\n");
const inAttribute = {
  prosody: (text) => text.replace(/\r\n|[\r\n\t]/g, " "),
  ejabberd: (text) => text,
}[SERVER];

test("a message with every kind of character, in both directions", async (t) => {
  const page = await env.page();
  const [romeo, juliet] = await env.accounts(2);
  const { there, back, attribute } = await page.evaluate(
    async ({ romeo, juliet, texts }) => {
      const { connect, xml } = epode;
      const [one, two] = await Promise.all([connect(BOSH, romeo), connect(BOSH, juliet)]);
      // The second reads, and sends back what it read.
      const heard = inbox("a message at the second client");
      two.addHandler(
        (message) => {
          const body = message.text("body");
          heard.push({ body, note: message.child("note", "urn:example:note").attr("kind") });
          two.send(xml`<message to="${message.from}" type="chat"><body>${body}</body></message>`);
        },
        { name: "message", type: "chat", from: one.jid },
      );
      const returned = inbox("a message that came back");
      one.addHandler((message) => returned.push(message.text("body")), { name: "message", type: "chat", from: two.jid });
      const sent = texts.map((text) => {
        // An attribute carries text too, as far as attributes go: the long one is not for it.
        const kind = text.slice(0, 200);
        return one.send(
          xml`<message to="${two.jid}" type="chat"><body>${text}</body><note xmlns="urn:example:note" kind="${kind}"/></message>`,
        );
      });
      const back = await returned.until(texts.length);
      await Promise.all(sent);
      await Promise.all([one.disconnect(), two.disconnect()]);
      return { there: heard.got.map(({ body }) => body), back, attribute: heard.got.map(({ note }) => note) };
    },
    { romeo, juliet, texts: Object.values(TEXTS) },
  );
  for (const [index, [kind, text]] of Object.entries(TEXTS).entries()) {
    await t.test(kind, () => {
      assert.equal(there[index], inText(text));
      assert.equal(back[index], inText(text));
      assert.equal(attribute[index], inAttribute(text.slice(0, 200)));
    });
  }
});

test("characters outside of XML are refused before anything is sent, and the connection continues", async () => {
  const page = await env.page();
  const account = await env.account();
  const { errors, sent, pong } = await page.evaluate(async (account) => {
    const { connect, xml } = epode;
    const client = await connect(BOSH, { ...account, presence: false });
    const sent = [];
    client.on("sent", (stanza) => sent.push(stanza));
    const room = await failure(() => client.muc.join("room@conference.localhost", "nick\u0007"));
    sent.length = 0;
    const bad = ["\u0000", "\u0001", "\u0008", "\u000b", "\u000c", "\u001f", "\ufffe", "\uffff", "\ud800", "\udfff", "\udc00\ud800"];
    const errors = [];
    for (const character of bad) {
      const text = `a${character}b`;
      errors.push(
        await failure(() => client.send(xml`<message to="${client.jid}"><body>${text}</body></message>`)),
        await failure(() => client.send(xml`<message to="${client.jid}" id="${text}"/>`)),
        await failure(client.send(`<message to="${client.jid}"><body>${text}</body></message>`)),
        await failure(client.request(`<iq type="get" to="${client.jid}"><query xmlns="urn:example:x">${text}</query></iq>`)),
        await failure(client.pubsub.publish("node", `<entry xmlns="urn:example:x">${text}</entry>`)),
        await failure(client.pubsub.createNode(text)),
      );
    }
    // Also by reference, which the page's own text may hold.
    for (const reference of ["&#0;", "&#x1;", "&#xFFFE;", "&#xD800;"]) {
      errors.push(await failure(client.send(`<message to="${client.jid}"><body>${reference}</body></message>`)));
    }
    const quiet = [...sent];
    const pong = await client.request(xml`<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>`);
    await client.disconnect();
    return { errors: [...errors, room], sent: quiet, pong: pong.type };
  }, account);
  const room = errors.pop();
  assert.equal(room.code, "bad-jid");
  for (const error of errors) assert.equal(error.code, "bad-stanza", JSON.stringify(error));
  assert.deepEqual(sent, []);
  assert.equal(pong, "result");
});

test("a room refuses characters outside of XML, and continues", async () => {
  const page = await env.page();
  const account = await env.account();
  const { errors, said } = await page.evaluate(
    async ({ account, room }) => {
      const client = await epode.connect(BOSH, account);
      const joined = await client.muc.join(room, "nick");
      const heard = inbox("a message in the room");
      joined.on("message", ({ body }) => heard.push(body));
      const errors = [await failure(joined.send("\u0007")), await failure(joined.setSubject("\u0000")), await failure(joined.sendPrivate("nick", "\ufffe"))];
      await joined.send("still here");
      await heard.until(1);
      await client.disconnect();
      return { errors, said: heard.got };
    },
    { account, room: `${env.name("room")}@${env.server.conference}` },
  );
  for (const error of errors) assert.equal(error.code, "bad-stanza", JSON.stringify(error));
  assert.deepEqual(said, ["still here"]);
});

test("input other than one well-formed stanza is refused with the reason, and the connection continues", async () => {
  const page = await env.page();
  const account = await env.account();
  const { errors, pong } = await page.evaluate(async (account) => {
    const client = await epode.connect(BOSH, { ...account, presence: false });
    const bad = [
      "",
      "text",
      "<message",
      "<message><body></message>",
      "<message/><message/>",
      "<message/>trailing",
      "<message a='1' a='2'/>",
      "<message><x:y/></message>",
      "<message>&nbsp;</message>",
      "<!DOCTYPE message><message/>",
      "<message><!-- comment --></message>",
      "<?xml version='1.0'?><?pi x?><message/>",
      "<body xmlns='http://jabber.org/protocol/httpbind' type='terminate'/>",
      "<message xmlns='jabber:server'/>",
      "<stream:error xmlns:stream='http://etherx.jabber.org/streams'/>",
      42,
      null,
      undefined,
      {},
      ["<message/>"],
    ];
    const errors = [];
    for (const stanza of bad) errors.push([String(stanza), await failure(client.send(stanza))]);
    for (const iq of ["<message/>", "<iq/>", "<iq type='result' id='x'/>", "<iq type='get'/>", "<iq type='set'><a xmlns='a'/><b xmlns='b'/></iq>"]) {
      errors.push([iq, await failure(client.request(iq))]);
    }
    errors.push(["tag", await failure(() => epode.xml`<message ${"to"}="x"/>`)]);
    errors.push(["attribute", await failure(() => epode.xml`<message to="${epode.xml`<b/>`}"/>`)]);
    const pong = await client.request(epode.xml`<iq type="get"><ping xmlns="urn:xmpp:ping"/></iq>`);
    await client.disconnect();
    return { errors, pong: pong.type };
  }, account);
  for (const [stanza, error] of errors) {
    assert.equal(error.name, "XmppError", `${stanza}: ${JSON.stringify(error)}`);
    assert.equal(error.code, "bad-stanza", `${stanza}: ${JSON.stringify(error)}`);
    assert.ok(error.message.length > 20);
  }
  assert.equal(pong, "result");
});

test("xml`…`: values are escaped, markup and stanzas are inserted unchanged", async () => {
  const page = await env.page();
  const account = await env.account();
  const { texts, resent } = await page.evaluate(async (account) => {
    const { xml } = epode;
    const texts = [
      xml`<a b="${`"'<>&`}">${"<b/>&amp;"}</a>`,
      xml`<a>${xml`<b/>`}${[xml`<c/>`, "<d/>", 5]}</a>`,
      xml`<a b="${undefined}" c='${null}' d="${false}" e="${0}" f="${""}" g="x${undefined}y">${null}${undefined}${false}${0}</a>`,
      xml`<a b = "${undefined}"/>`,
      xml`<a b="${"\t\r\n"}">${"\t\r\n"}</a>`,
    ].map(String);
    const client = await epode.connect(BOSH, account);
    const got = inbox("a message");
    client.addHandler(got.push, { name: "message" });
    await client.send(xml`<message to="${client.jid}" id="1"><x xmlns="urn:example:x" a="1"><y/>text<z xmlns="urn:example:z"/></x></message>`);
    const [first] = await got.until(1);
    // An element that was received is put into another stanza, and sent on.
    await client.send(xml`<message to="${client.jid}" id="2"><forwarded xmlns="urn:example:f">${first.child("x")}</forwarded></message>`);
    const second = (await got.until(2))[1];
    const x = second.child("forwarded", "urn:example:f").child("x", "urn:example:x");
    const resent = { a: x.attr("a"), text: x.text(), children: x.children().map(({ name, ns }) => [name, ns]) };
    await client.disconnect();
    return { texts, resent };
  }, account);
  assert.deepEqual(texts, [
    '<a b="&quot;&apos;&lt;&gt;&amp;">&lt;b/&gt;&amp;amp;</a>',
    "<a><b/><c/>&lt;d/&gt;5</a>",
    '<a e="0" f="" g="xy">0</a>',
    "<a/>",
    '<a b="&#9;&#13;&#10;">\t&#13;\n</a>',
  ]);
  assert.deepEqual(resent, {
    a: "1",
    text: "text",
    children: [
      ["y", "urn:example:x"],
      ["z", "urn:example:z"],
    ],
  });
});
