// What the samples of the documentation find in place when the test runs them, by file and heading, and what must hold afterwards.
//
// `before` and `after` are TypeScript around the sample: they are compiled with it, and run with it in a page whose origin passes
// /http-bind on to an XMPP server. In all three, `example.org` is the domain of that server. `runs: false`: only compiled, and why.

/** A client that is online, as most samples have it. */
const CLIENT = `const client = await connect("/http-bind", { jid: "romeo@example.org", password: "pencil" });`;
const LEAVE = `await client.disconnect();`;
/** Another account, which does what the sample waits for. */
const JULIET = `const juliet = await connect("/http-bind", { jid: "juliet@example.org", password: "pencil" });`;
const BYE = `await juliet.disconnect(); ${LEAVE}`;
const BLOG = `await client.pubsub.createNode("/blog/Post").catch(() => {}); await client.pubsub.purge("/blog/Post");`;

const publish = (title) => `await client.pubsub.publish("/blog/Post", json({ title: ${JSON.stringify(title)} }), { id: "1" });`;

export const SETTING = {
  "README.md#A first example": { runs: false, why: "run in Node, as it stands: see readme.test.mjs" },
  "README.md#Live feeds": {
    before: `${CLIENT} ${BLOG} ${publish("First")} delete sessionStorage.position;`,
    after: `await until(() => list.has("1")); ${publish("Second")}
      await until(() => (list.get("1") as { title: string }).title === "Second" && sessionStorage.position);
      await client.pubsub.retract("/blog/Post", "1"); await until(() => list.size === 0); ${LEAVE}`,
  },
  "README.md#Messages": {
    before: `${CLIENT} ${JULIET} let got: string | undefined; juliet.addHandler((stanza) => { got = stanza.text("body"); }, { name: "message" });`,
    after: `await until(() => got === "1 < 2");
      await juliet.send(xml\`<message to="\${client.jid}" type="chat"><body>received</body></message>\`); await logged("received"); ${BYE}`,
  },
  "README.md#Rooms": {
    before: `${CLIENT} ${JULIET}`,
    after: `await logged("now", "romeo", "Good evening"); await juliet.muc.join("lobby@conference.example.org", "juliet"); await logged("juliet came"); ${BYE}`,
  },
  "README.md#Errors": { before: CLIENT, after: `await logged("subscribe", "/no/such/node"); ${LEAVE}` },
  "README.md#When the network goes": {
    before: `const client = new Client("/http-bind", { jid: "romeo@example.org", password: "pencil" });`,
    after: `await client.connect(); await logged("a new session"); ${LEAVE}`,
  },
  "README.md#TypeScript": { before: `${CLIENT} ${BLOG}`, after: `${publish("Long")} await logged("4"); ${LEAVE}` },
  "README.md#Bundlers": { runs: false, why: "a file of configuration" },

  "docs/connecting.md#Logging in": {
    1: { runs: false, why: "the test's server is not on this address" },
    2: { after: `const made = await connect("/http-bind", { jid: username + "@example.org", password: "pencil" }); await made.disconnect();` },
  },
  "docs/connecting.md#Before the first stanza": { after: `await logged("online"); ${LEAVE}` },
  "docs/connecting.md#Reloads": { runs: false, why: "a web server makes the session" },

  "docs/connecting.md#A login of your own": {
    after: `await until(() => lines.some((line) => line.startsWith("romeo@"))); stream.close(); await logged("closed");`,
  },

  "docs/connecting.md#Ids of messages": {
    before: CLIENT,
    after: `await until(() => lines.some((line) => /^Good evening (?!undefined|no id)./.test(line))); ${LEAVE}`,
  },

  ...Object.fromEntries(
    Object.entries({
      Connect: "",
      "Send, and wait for an answer": `import { connect } from "epode"; ${CLIENT} const to = "juliet@example.org"; const text = "Good evening";`,
      Handlers: `${CLIENT} const show = console.log;`,
      Rooms: `${CLIENT} const room = "lobby@conference.example.org"; const nick = "romeo"; const text = "Good evening"; const show = console.log; const add = console.log;`,
      Pubsub: `${CLIENT} const node = "/blog/Post"; const title = "First"; const service = "pubsub.example.org"; const show = console.log;`,
      "Register an account": "",
      "A login step by step": "",
    }).map(([heading, before]) => [`docs/from-strophe.md#${heading}`, { before, runs: false, why: "the other pages run each of these calls" }]),
  ),

  "docs/feeds.md#What a feed delivers": {
    before: `${CLIENT} ${BLOG} ${publish("First")}`,
    after: `await logged("snapshot", "1"); await logged("complete"); ${publish("Second")} await logged("live", "1");
      await client.pubsub.retract("/blog/Post", "1"); await logged("gone", "1"); ${LEAVE}`,
  },
  "docs/feeds.md#Payloads": {
    before: `${CLIENT} ${BLOG}`,
    after: `await client.pubsub.publish("/blog/Post", xml\`<post xmlns="urn:blog"><title>Seven…</title></post>\`); await logged("6"); ${LEAVE}`,
  },
  "docs/feeds.md#Publishing": {
    before: `${CLIENT} await client.pubsub.deleteNode("/blog/Post").catch(() => {});`,
    after: `const left = await client.pubsub.items("/blog/Post"); const ids = left.map(({ id }) => id).sort().join();
      if (ids !== "18,19") throw new Error("left: " + ids); ${LEAVE}`,
  },

  "docs/deploying.md#Bundlers": {
    1: { runs: false, why: "a file of configuration" },
    2: { after: `const made = new Client("/http-bind", { domain: "example.org", anonymous: true }); if (made.status !== "offline") throw new Error(made.status);` },
  },
  "docs/deploying.md#Node and workers": { runs: false, why: "for Node" },

  "docs/moving.md#From django-pubsub": {
    before: `${CLIENT} ${BLOG}`,
    after: `await client.pubsub.publish("/blog/Post", xml\`<entry xmlns="http://www.w3.org/2005/Atom"><title>First</title></entry>\`, { id: "1" });
      await logged("create", "First"); await pubsub.disconnect(); ${LEAVE}`,
  },
  "docs/moving.md#From Juggernaut": { after: `await logged("create"); await until(() => lines.includes("1")); await jug.disconnect();` },
  "docs/moving.md#A page that creates an account and listens to a room": { after: `await until(() => list.textContent === "hello"); await leave();` },
};

/** The setting of the block in that file and section; `index` counts the blocks of a section from 1. */
export function settingOf(file, heading, index) {
  const found = SETTING[`${file}#${heading}`] ?? {};
  return found[index] ?? found;
}

/** What `before` and `after` may call, in TypeScript: a condition that comes true, a line of the console with all of these in it. */
export const HELPERS = `
const lines: string[] = [];
for (const level of ["log", "warn", "error"] as const) {
  const write = console[level];
  console[level] = (...values: unknown[]) => {
    lines.push(values.map((value) => (typeof value === "object" ? JSON.stringify(value) : String(value))).join(" "));
    write.apply(console, values);
  };
}
const until = async (holds: () => unknown) => {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 10));
};
const logged = (...parts: string[]) => until(() => lines.some((line) => parts.every((part) => line.includes(part))));
void [until, logged];
`;
