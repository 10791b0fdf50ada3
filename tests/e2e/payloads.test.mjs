// What an item's payload becomes: its value and format, decoded when they are read, and once.

import assert from "node:assert/strict";
import { test } from "node:test";
import { environment } from "./support.mjs";

const env = environment();

test("an item's value and format are read lazily, once; a page's own decoder replaces epode's", async () => {
  const page = await env.page();
  const account = await env.account();
  const result = await page.evaluate(
    async ({ account, node }) => {
      const { connect, xml } = epode;
      const client = await connect(BOSH, account);
      await client.pubsub.createNode(node);
      const plain = inbox("an item");
      const own = inbox("an item for the decoder");
      const calls = [];
      const decode = (payload) => {
        calls.push(payload.name);
        if (payload.name === "bad") throw new Error("not mine");
      };
      const result = {};
      await client.pubsub.subscribe(node, plain.push);
      await client.pubsub.subscribe(node, own.push, { decode });
      await client.pubsub.publish(node, xml`<json xmlns="urn:xmpp:json:0">${'{"a":[1,"<&>😀"]}'}</json>`, { id: "1" });
      await client.pubsub.publish(node, xml`<bad xmlns="urn:example:feed"><x/></bad>`, { id: "2" });
      await plain.until(2);
      await own.until(2);
      const [json, other] = plain.got;
      result.kinds = [json, other].map(({ id, node: of, via, format }) => [id, of === node, via, format]);
      result.value = json.value;
      result.same = json.value === json.value && other.value === other.payload;
      result.fields = Object.keys(json);
      result.before = [...calls];
      result.own = [own.got[0].value, own.got[0].value, own.got[0].format];
      result.thrown = (await failure(async () => own.got[1].value)).message;
      result.calls = calls;
      const held = await client.pubsub.items(node, { decode: ({ name }) => name });
      result.held = held.map(({ id, value, via }) => [id, value, via]).sort();
      result.wrong = [];
      for (const call of ["subscribe", "items"]) {
        const { code, message } = await failure(client.pubsub[call](node, { decode: "json" }));
        result.wrong.push([code, message]);
      }
      await client.disconnect();
      return result;
    },
    { account, node: env.name("node") },
  );
  assert.deepEqual(result.kinds, [
    ["1", true, "live", "json"],
    ["2", true, "live", "stanza"],
  ]);
  assert.deepEqual(result.value, { a: [1, "<&>😀"] });
  assert.equal(result.same, true);
  assert.deepEqual(result.fields, ["id", "node", "payload", "publisher", "time", "receivedAt", "via"]);
  assert.deepEqual(result.before, [], "nothing is decoded that nobody reads");
  assert.deepEqual(result.own, [undefined, undefined, "json"]);
  assert.equal(result.thrown, "not mine");
  assert.deepEqual(result.calls, ["json", "bad"], "once for each item");
  assert.deepEqual(result.held, [
    ["1", "json", "items"],
    ["2", "bad", "items"],
  ]);
  const problem = ["bad-argument", "The option 'decode' is a function of the payload."];
  assert.deepEqual(result.wrong, [problem, problem]);
});

// ── decoding: what goes through a real service, read in Node ─────────────────────────────────────────────────────────

const ATOM = 'xmlns="http://www.w3.org/2005/Atom"';
const JSON_NS = 'xmlns="urn:xmpp:json:0"';
const OWN = 'xmlns="urn:example:feed"';

const field = (type, text) => `<field name="f" type="${type}">${text}</field>`;
const relation = (rel, inside) => `<field name="f" rel="${rel}" to="blog.tag">${inside}</field>`;
const object = (fields) => `<object model="blog.post" pk="17">${fields}</object>`;
const django = (inside, ns = "") => `<django-objects ${ns} version="1.0">${inside}</django-objects>`;
/** One field of one object, and what becomes of it. */
const one = (fieldXml, value) => [django(object(fieldXml), OWN), "django", { model: "blog.post", pk: "17", fields: { f: value } }];
const emptyEntry = {
  ...{ id: undefined, title: undefined, summary: undefined, content: undefined, updated: undefined, published: undefined },
  ...{ authors: [], links: [], categories: [] },
};

/** A payload, its format, its value; `handle` stands for the payload itself, or for a handle of that XML. */
const handle = (has) => ({ handle: has });
const TABLE = [
  // XEP-0335
  [`<json ${JSON_NS}>{"a": [1, 2.5, null, true, "ü &lt;"]}</json>`, "json", { a: [1, 2.5, null, true, "ü <"] }],
  [`<json ${JSON_NS}>"text"</json>`, "json", "text"],
  [`<json ${JSON_NS}> 42 </json>`, "json", 42],
  [`<json ${JSON_NS}>null</json>`, "json", null],
  [`<json ${JSON_NS}><![CDATA[["<&>"]]]></json>`, "json", ["<&>"]],
  [`<json ${JSON_NS}>{"a":</json>`, "stanza", handle()],
  [`<json ${JSON_NS}>alert(1)</json>`, "stanza", handle()],
  [`<json ${JSON_NS}>{a: 1}</json>`, "stanza", handle()],
  [`<json ${JSON_NS}/>`, "stanza", handle()],
  [`<json ${JSON_NS}>{"a":1}<x/></json>`, "stanza", handle()],
  [`<json ${OWN}>{"a":1}</json>`, "text", '{"a":1}'],
  [`<JSON ${JSON_NS}>{"a":1}</JSON>`, "text", '{"a":1}'],
  [`<json ${JSON_NS}>${"[".repeat(20_000)}</json>`, "stanza", handle()],

  // text, and JSON as text in an entry
  [`<entry ${ATOM}>  {"user": "romeo", "n": 1} </entry>`, "json", { user: "romeo", n: 1 }],
  [`<entry ${ATOM}>[1,2]</entry>`, "json", [1, 2]],
  [`<entry ${ATOM}>{"a": alert(1)}</entry>`, "text", '{"a": alert(1)}'],
  [`<entry ${ATOM}>42</entry>`, "text", "42"],
  [`<entry ${ATOM}>true</entry>`, "text", "true"],
  [`<entry ${ATOM}>&lt;img src=x onerror=alert(1)&gt;</entry>`, "text", "<img src=x onerror=alert(1)>"],
  [`<entry ${ATOM}/>`, "stanza", handle()],
  [`<entry ${OWN}>{"a":1}</entry>`, "text", '{"a":1}'],
  [`<note ${OWN} unit="C"> 21 </note>`, "text", " 21 "],
  [`<note ${OWN} unit="C"/>`, "stanza", handle()],
  [`<note ${OWN}>a<b/>c</note>`, "stanza", handle()],

  // Atom
  [
    `<entry ${ATOM}>
       <id>tag:example.org,2026:1</id><title>Soliloquy</title><summary>To be, or not</summary>
       <content>Whether 'tis &lt;nobler&gt;</content>
       <updated>2026-12-13T18:30:02Z</updated><published>2026-12-13T19:30:02.25+01:00</published>
       <author><name>Hamlet</name><uri>http://example.org/</uri><email>h@example.org</email></author><author><name>Anon</name></author>
       <link href="/1"/><link rel="edit" href="/1/edit" type="text/html" title="Edit"/>
       <category term="plays" scheme="urn:s" label="Plays"/>
     </entry>`,
    "atom",
    {
      id: "tag:example.org,2026:1",
      title: "Soliloquy",
      summary: "To be, or not",
      content: "Whether 'tis <nobler>",
      updated: new Date("2026-12-13T18:30:02Z"),
      published: new Date("2026-12-13T18:30:02.250Z"),
      authors: [
        { name: "Hamlet", uri: "http://example.org/", email: "h@example.org" },
        { name: "Anon", uri: undefined, email: undefined },
      ],
      links: [
        { rel: "alternate", href: "/1" },
        { rel: "edit", href: "/1/edit", type: "text/html", title: "Edit" },
      ],
      categories: [{ term: "plays", scheme: "urn:s", label: "Plays" }],
    },
  ],
  [`<entry ${ATOM}><title/></entry>`, "atom", { ...emptyEntry, title: "" }],
  [`<entry ${ATOM}><title type="html">&lt;b&gt;bold&lt;/b&gt;</title></entry>`, "atom", { ...emptyEntry, title: "<b>bold</b>" }],
  [
    `<entry ${ATOM}><title type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">a <b title="x>y">&lt;b&gt; &amp;amp;</b> c</div></title></entry>`,
    "atom",
    { ...emptyEntry, title: "a <b> &amp; c" },
  ],
  [
    `<entry ${ATOM}><content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml">a <b>b</b></div></content></entry>`,
    "atom",
    { ...emptyEntry, content: handle("<b>b</b>") },
  ],
  [`<entry ${ATOM}><content src="/1.png" type="image/png"/></entry>`, "atom", { ...emptyEntry, content: handle("/1.png") }],
  [`<entry ${ATOM}><updated>yesterday</updated><published>2026-13-45T99:99:99Z</published></entry>`, "atom", emptyEntry],
  [`<entry ${ATOM}><updated>2026-12-13</updated><published>2026-12-13T18:30:02</published></entry>`, "atom", emptyEntry],
  [`<entry ${ATOM}><updated>2026-12-13T18:30:02.123456789Z</updated></entry>`, "atom", { ...emptyEntry, updated: new Date("2026-12-13T18:30:02.123Z") }],
  [`<entry ${ATOM}><title xmlns="urn:other">not Atom's</title><id>1</id></entry>`, "atom", { ...emptyEntry, id: "1" }],
  [`<entry ${ATOM}><title xmlns="urn:other">not Atom's</title></entry>`, "stanza", handle()],
  [`<entry ${OWN}><title>not Atom</title></entry>`, "stanza", handle()],
  [`<feed ${ATOM}><entry><id>1</id></entry></feed>`, "stanza", handle()],

  // Django
  [
    `<entry ${ATOM}>${django(object('<field name="title" type="CharField">Ü &amp; &lt;b&gt;</field>\n    <field name="views" type="PositiveIntegerField">3</field>'), 'xmlns=""')}</entry>`,
    "django",
    { model: "blog.post", pk: "17", fields: { title: "Ü & <b>", views: 3 } },
  ],
  [`<entry ${ATOM}>${django(object(""))}</entry>`, "django", { model: "blog.post", pk: "17", fields: {} }],
  [django("", OWN), "django", []],
  [
    django('\n  <object model="a.b" pk="1"/>\n  <object model="a.b"><field name="n" type="IntegerField">2</field></object>\n', OWN),
    "django",
    [
      { model: "a.b", pk: "1", fields: {} },
      { model: "a.b", pk: undefined, fields: { n: 2 } },
    ],
  ],
  [`<entry ${ATOM}>${django(object(""))}<title>and more</title></entry>`, "atom", { ...emptyEntry, title: "and more" }],
  [`<entry ${ATOM}>${django(object(""))}${django(object(""))}</entry>`, "atom", emptyEntry],
  [django("<thing/>", OWN), "stanza", handle()],
  [django('<object pk="1"/>', OWN), "stanza", handle()],
  [django('<object model="a.b"><field type="CharField">nameless</field></object>', OWN), "stanza", handle()],
  [django('<object model="a.b"><thing name="f"/></object>', OWN), "stanza", handle()],
  one(field("AutoField", "7"), 7),
  one(field("BigIntegerField", "-9007199254740991"), -9007199254740991),
  one(field("BigIntegerField", "9007199254740992"), "9007199254740992"),
  one(field("IntegerField", ""), ""),
  one(field("IntegerField", "0x10"), "0x10"),
  one(field("IntegerField", "1.5"), "1.5"),
  one(field("SmallIntegerField", " 12\n"), 12),
  one(field("FloatField", "-1.5e-07"), -1.5e-7),
  one(field("FloatField", "-inf"), -Infinity),
  one(field("FloatField", "nan"), NaN),
  one(field("FloatField", "much"), "much"),
  one(field("FloatField", ""), ""),
  one(field("BooleanField", "True"), true),
  one(field("NullBooleanField", "False"), false),
  one(field("BooleanField", "maybe"), "maybe"),
  one(field("DecimalField", "12.50"), "12.50"),
  one(field("DateTimeField", "2026-05-01T10:00:00.123456+02:00"), new Date("2026-05-01T08:00:00.123Z")),
  one(field("DateTimeField", "2026-05-01T10:00:00"), "2026-05-01T10:00:00"),
  one(field("DateField", "2026-05-01"), "2026-05-01"),
  one(field("TimeField", "10:00:00"), "10:00:00"),
  one(field("CharField", "<None/>"), null),
  one(field("IntegerField", "<None></None>"), null),
  one(field("CharField", "None"), "None"),
  one(field("TextField", ""), ""),
  one(field("TextField", "a\n b"), "a\n b"),
  one(field("UUIDField", "6b1f"), "6b1f"),
  one(field("JSONField", '{"a": [1, {"__proto__": 1}]}'), JSON.parse('{"a": [1, {"__proto__": 1}]}')),
  one(field("JSONField", "{broken"), "{broken"),
  one(field("ArrayField", '["1", "2"]'), ["1", "2"]),
  one(field("constructor", "1"), "1"),
  one('<field name="f">untyped</field>', "untyped"),
  one(field("CharField", "<b>what</b>"), handle("<b>what</b>")),
  one(relation("ManyToOneRel", "3"), "3"),
  one(relation("OneToOneRel", "3"), "3"),
  one(relation("ManyToOneRel", "<None/>"), null),
  one(relation("ManyToOneRel", "<natural>Hamlet</natural><natural>1600</natural>"), ["Hamlet", "1600"]),
  one(relation("ManyToManyRel", '<object pk="1"/><object pk="2"></object>'), ["1", "2"]),
  one(relation("ManyToManyRel", ""), []),
  one(relation("ManyToManyRel", "<object><natural>a</natural><natural>b</natural></object><object><natural>c</natural></object>"), [["a", "b"], ["c"]]),
  one(relation("ManyToManyRel", '<object pk="1"/><other/>'), handle("<other")),
];

/** Compares values; where a handle is expected, its XML. */
function same(actual, expected, payload, what) {
  if (expected && typeof expected === "object" && "handle" in expected) {
    assert.equal(typeof actual?.children, "function", `${what}: a handle`);
    if (expected.handle) assert.ok(actual.toString().includes(expected.handle), `${what}: ${actual}`);
    else assert.equal(actual, payload, what);
  } else if (expected && typeof expected === "object" && !Array.isArray(expected) && Object.getPrototypeOf(expected) === Object.prototype) {
    assert.deepEqual(Object.keys(actual), Object.keys(expected), what);
    assert.equal(Object.getPrototypeOf(actual), Object.prototype, what);
    for (const name of Object.keys(expected)) same(actual[name], expected[name], payload, what);
  } else {
    assert.deepStrictEqual(actual, expected, what);
  }
}

/** Publishes all, and hands back the items in the same order. */
async function throughService(payloads) {
  const { connect } = await env.node();
  const client = await connect(env.server.bosh, await env.account());
  const node = env.name("payloads");
  await client.pubsub.createNode(node);
  await Promise.all(payloads.map((payload, index) => client.pubsub.publish(node, payload, { id: `${index}` })));
  const held = new Map((await client.pubsub.items(node)).map((item) => [item.id, item]));
  await client.disconnect();
  assert.equal(held.size, payloads.length);
  return payloads.map((_, index) => held.get(`${index}`));
}

test("payloads are decoded: JSON, Atom, Django's objects, text, or the element", async () => {
  const items = await throughService(TABLE.map(([xml]) => xml));
  for (const [index, [xml, format, value]] of TABLE.entries()) {
    const item = items[index];
    assert.equal(item.format, format, xml);
    same(item.value, value, item.payload, xml);
  }
});

test("no field's name reaches a prototype", async () => {
  const names = ["__proto__", "constructor", "prototype", "toString", "hasOwnProperty"];
  const items = await throughService([
    `<json ${JSON_NS}>{"__proto__": {"polluted": 1}, "constructor": {"prototype": {"polluted": 1}}}</json>`,
    django(`<object model="__proto__" pk="__proto__">${names.map((name) => `<field name="${name}" type="JSONField">{"polluted": 1}</field>`).join("")}</object>`, OWN),
    `<entry ${ATOM}><link __proto__="x" href="/"/><category __proto__="x" term="t"/></entry>`,
  ]);
  const [parsed, { fields }, entry] = items.map(({ value }) => value);
  assert.deepEqual(Object.keys(fields), names);
  for (const value of [parsed, fields, entry.links[0], entry.categories[0]]) {
    assert.equal(Object.getPrototypeOf(value), Object.prototype);
    assert.equal(value.polluted, undefined);
  }
  assert.deepEqual(Object.getOwnPropertyDescriptor(fields, "__proto__").value, { polluted: 1 });
  assert.equal({}.polluted, undefined);
});

test("any payload is read without an error, as one of the formats", async () => {
  // A generator of elements from the words that the decoders know, in places where they do not belong.
  let state = 20_261_121;
  const random = (below) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) >>> 0;
    return (state >>> 8) % below;
  };
  const pick = (list) => list[random(list.length)];
  const NAMES = ["entry", "json", "django-objects", "object", "field", "None", "natural", "content", "title", "author", "link", "updated", "x"];
  const ATTRIBUTES = ["name", "type", "rel", "to", "pk", "model", "href", "src", "version", "__proto__"];
  const VALUES = ["", "f", "__proto__", "JSONField", "FloatField", "DateTimeField", "ManyToManyRel", "xhtml", "constructor", "17"];
  const TEXTS = ["", " ", "{", "[1]", '{"__proto__":{"a":1}}', "nan", "-", "2026-05-01T10:00:00Z", "9".repeat(400), "&lt;/json>&amp;#0;", "😀"];
  const SPACES = ["", ` ${ATOM}`, ` ${JSON_NS}`, ` ${OWN}`];
  const element = (depth) => {
    const name = pick(NAMES);
    const attributes = ATTRIBUTES.filter(() => random(4) === 0).map((attribute) => ` ${attribute}="${pick(VALUES)}"`);
    const inside = depth > 3 ? [] : Array.from({ length: random(4) }, () => element(depth + 1));
    const own = { entry: ` ${ATOM}`, json: ` ${JSON_NS}` };
    const space = random(2) ? (own[name] ?? "") : pick(SPACES);
    return `<${name}${space}${attributes.join("")}>${pick(TEXTS)}${inside.join(pick(TEXTS))}</${name}>`;
  };
  const payloads = Array.from({ length: 600 }, () => element(0));
  const seen = {};
  for (const [index, item] of (await throughService(payloads)).entries()) {
    const { format, value, payload } = item;
    seen[format] = (seen[format] ?? 0) + 1;
    assert.equal(value === payload, format === "stanza", payloads[index]);
    assert.ok(["json", "atom", "django", "text", "stanza"].includes(format), payloads[index]);
  }
  assert.equal(Object.keys(seen).length, 5, JSON.stringify(seen));
  assert.deepEqual(Object.keys(Object.prototype), []);
});

test("the payloads of json() and atom() are decoded to the same values", async () => {
  const { json, atom } = await env.node();
  const value = { text: "<&>\"' ]]> \0\u001f\ufffe\uffff\ud800 😀\r\n", list: [1.5, null, true], nested: { "": 0 } };
  const entry = {
    id: "tag:1",
    title: "a <b> & \"c\"",
    summary: "s",
    content: "<img src=x>",
    updated: new Date("2026-12-13T18:30:02.500Z"),
    published: new Date(0),
    authors: [{ name: "A & B", uri: undefined, email: "a@b" }],
    links: [{ rel: "edit", href: "/?a=1&b=2" }],
    categories: [{ term: '"', label: "'" }],
  };
  const items = await throughService([json(value), json(null), atom(entry), atom({ title: "" })]);
  assert.deepEqual(
    items.map(({ format }) => format),
    ["json", "json", "atom", "atom"],
  );
  assert.deepStrictEqual(items[0].value, value);
  assert.equal(items[1].value, null);
  assert.deepStrictEqual(items[2].value, entry);
  assert.deepStrictEqual(items[3].value, { ...emptyEntry, title: "" });
  for (const none of [undefined, () => {}, Symbol("s")]) assert.throws(() => json(none), { name: "XmppError", code: "bad-argument" });
});

test("a notification without a payload has no value", async () => {
  const { connect } = await env.node();
  const client = await connect(env.server.bosh, await env.account());
  const node = env.name("payloads");
  await client.pubsub.createNode(node, { config: { deliver_payloads: false } });
  const arrived = new Promise((resolve) => client.pubsub.subscribe(node, resolve, { snapshot: false }));
  await client.pubsub.items(node);
  await client.pubsub.publish(node, `<note ${OWN}>text</note>`, { id: "1" });
  const { payload, format, value } = await arrived;
  await client.disconnect();
  // Prosody delivers the payload all the same; one that does not, tells so.
  assert.deepEqual([format, value], payload ? ["text", "text"] : ["none", undefined]);
});
