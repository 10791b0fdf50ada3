// The demo as `npm run demo` serves it: pages, publisher and server, in a browser.
//
//   npm test -- --only e2e        or: EPODE_SERVER=prosody node --test tests/e2e/demo.test.mjs
//
// EPODE_SERVER (prosody | ejabberd), EPODE_PACKAGE (the package's folder; default: pkg/), EPODE_CHROMIUM.

import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, afterEach, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { chromium } from "playwright-core";
import { startDemo, startServer } from "../../scripts/demo.mjs";
import { sleep } from "../servers/lifecycle.mjs";

const PUBLISHER = fileURLToPath(new URL("../../www/publisher.py", import.meta.url));
const SERVER = process.env.EPODE_SERVER || "prosody";
/** For what should happen at once: reached only when it does not happen at all. */
const LIMIT = 20_000;
const PASSWORD = "correct-horse-battery";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking", "--disable-dev-shm-usage"];

let server;
let demo;
let browser;
let folder;
/** What no page may do: throw, or break the policy it is served with. */
const problems = [];

before(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "epode-demo-test-"));
  [server, browser] = await Promise.all([
    SERVER === "ejabberd" ? import("../servers/ejabberd.mjs").then(({ startEjabberd }) => startEjabberd({ openPublish: true, maxItems: 60 })) : startServer(),
    chromium.launch({ executablePath: process.env.EPODE_CHROMIUM || "/usr/bin/chromium", args: FLAGS }),
  ]);
  await server.register("barista", PASSWORD);
  demo = await serve(server);
});

/** The demo's pages in front of a server. */
const serve = (server) => startDemo({ server, port: 0, ...(process.env.EPODE_PACKAGE && { pkg: path.resolve(process.env.EPODE_PACKAGE) }) });

/** After a kill: the kernel takes its time to close what a large process had open. */
async function startAgain() {
  for (const end = Date.now() + LIMIT; ; await sleep(50)) {
    try {
      return await server.start();
    } catch (error) {
      if (!/in use/.test(error.message) || Date.now() > end) throw error;
    }
  }
}

after(async () => {
  await browser?.close();
  await demo?.stop();
  await server?.stop();
  if (folder) fs.rmSync(folder, { recursive: true, force: true });
});

afterEach(() => assert.deepEqual(problems.splice(0), []));

/** A page of its own browser profile, its feed live. */
async function open(t, { hash = "", via, at = demo, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  context.setDefaultTimeout(LIMIT);
  t.after(() => context.close());
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", (event) => console.error(`CSP: ${event.effectiveDirective} ${event.blockedURI} ${event.sourceFile}`));
  });
  const page = await context.newPage();
  page.on("pageerror", (error) => problems.push(error.stack));
  page.on("console", (message) => {
    // A connection that fails is the browser's to log, and some tests make them fail.
    if (message.type() === "error" && !/^(Failed to load resource|WebSocket connection to )/.test(message.text())) problems.push(message.text());
  });
  await page.goto(`${at.url}/${via ? `?via=${via}` : ""}${hash}`);
  await live(page);
  return page;
}

const live = (page) => page.locator('body[data-feed="live"]').waitFor();

/** The card of an order, in the column of a state. */
const card = (page, id, state) => page.locator(`${state ? `[data-state="${state}"] ` : ""}.card[data-id="${id}"]:not(.gone)`);

/** Runs the publisher on this test's database; resolves to `{ code, stdout, stderr }`. */
function publisher(database, ...args) {
  const url = args[0]?.startsWith("http") ? args.shift() : demo.url;
  return new Promise((resolve) => {
    execFile("python3", [PUBLISHER, "--url", url, "--db", path.join(folder, `${database}.sqlite3`), ...args], { encoding: "utf8", timeout: 60_000 }, (error, stdout, stderr) =>
      resolve({ code: error ? error.code : 0, stdout, stderr }),
    );
  });
}

// COMPAT(ejabberd): whatever the publish model, an item is changed and deleted by its publisher or the node's owner
// only. So the publisher keeps to one account there, and a page to what it saved itself.
const OWN_ONLY = SERVER === "ejabberd";
const ACCOUNT = ["--user", "barista", "--password", PASSWORD];

async function publish(...args) {
  const { code, stdout, stderr } = await publisher("orders", ...(OWN_ONLY ? ACCOUNT : []), ...args);
  assert.equal(code, 0, stderr);
  return /order (\d+)/.exec(stdout)?.[1];
}

/** Saves an order by the form; resolves with its id. */
async function save(page, title, whom = "") {
  await page.fill("#order-what", title);
  await page.fill("#order-for", whom);
  await page.click("#save");
  await page.locator("#outcome", { hasText: "is saved" }).waitFor();
  return /Order (\w+) is saved/.exec(await page.textContent("#outcome"))[1];
}

async function signIn(page, username, button = "Sign in") {
  await page.click("#sign-in");
  await page.fill("#username", username);
  await page.fill("#password", PASSWORD);
  await page.locator("#account").getByRole("button", { name: button, exact: true }).click();
  await page.locator("#state", { hasText: `Online as ${username}` }).waitFor();
  await live(page);
}

async function join(page, nick) {
  await page.click("#to-room");
  await page.fill("#nick", nick);
  await page.click("#enter");
}

describe(`the demo on ${SERVER}`, () => {
  test("is served with a content security policy that its pages obey", async () => {
    const { headers } = await fetch(demo.url);
    const policy = headers.get("content-security-policy");
    for (const part of ["default-src 'self'", "script-src 'self' 'wasm-unsafe-eval'", "require-trusted-types-for 'script'"]) {
      assert.ok(policy.includes(part), policy);
    }
    // That they keep it is checked after every test.
  });

  test("a row that the publisher commits appears on every open page", async (t) => {
    const pages = [await open(t), await open(t)];
    const id = await publish("add", "Flat white <b>&amp;</b>", "--for", "Table 4", "--note", "to go");
    for (const page of pages) {
      await card(page, id, "new").waitFor();
      assert.equal(await card(page, id).locator("h3").textContent(), "Flat white <b>&amp;</b>");
      assert.equal(await card(page, id).locator(".whom").textContent(), "Table 4");
      assert.equal(await card(page, id).locator(".note").textContent(), "to go");
      assert.match(await card(page, id).locator(".meta").textContent(), /^\d\d:\d\d:\d\d .*from SQLite$/);
      assert.match(await card(page, id).locator(".delay").textContent(), /^[\d.]+ m?s$/);
      await card(page, id).locator("summary").click();
      assert.match(await card(page, id).locator(".rows").textContent(), new RegExp(`Item${id}.*Saved\\d\\d:.*Received\\d\\d:`));
    }
  });

  test("a row saved by one page appears, changes and disappears on the other", async (t) => {
    const [one, two] = [await open(t), await open(t)];
    const id = await save(one, "Cortado", "Mina");
    assert.match(await one.textContent("#outcome"), /confirmed it after [\d.]+ m?s/);
    await card(one, id, "new").waitFor();
    await card(two, id, "new").waitFor();
    assert.match(await card(one, id).locator(".delay").textContent(), /^[\d.]+ m?s$/);

    if (OWN_ONLY) {
      await card(two, id).getByRole("button", { name: "Start" }).click();
      await two.locator("#outcome.bad", { hasText: "leaves it to whoever published it" }).waitFor();
    }
    await card(OWN_ONLY ? one : two, id).getByRole("button", { name: "Start" }).click();
    await card(one, id, "making").waitFor();
    await card(one, id).getByRole("button", { name: "Edit" }).click();
    await one.fill("#order-what", "Double cortado");
    await one.click("#save");
    await card(two, id, "making").locator("h3", { hasText: "Double cortado" }).waitFor();
    assert.equal(await card(two, id).locator(".whom").textContent(), "Mina");

    if (!OWN_ONLY) await card(two, id).getByRole("button", { name: "Edit" }).click();
    await card(one, id).getByRole("button", { name: "Delete" }).click();
    if (!OWN_ONLY) {
      // What somebody is writing is not lost.
      await two.locator("#outcome", { hasText: `Order ${id} was deleted meanwhile` }).waitFor();
      assert.equal(await two.inputValue("#order-what"), "Double cortado");
      assert.equal(await two.textContent("#order-title"), "New order");
    }
    await card(two, id).waitFor({ state: "detached" });
    await card(one, id).waitFor({ state: "detached" });
  });

  test("the publisher updates and deletes; Atom entries are orders too", async (t) => {
    const [one, two] = [await open(t), await open(t)];
    const id = await publish("--format", "atom", "add", "Lemonade", "--for", "Ute", "--note", "no ice");
    for (const page of [one, two]) await card(page, id, "new").locator("h3", { hasText: "Lemonade" }).waitFor();
    assert.equal(await card(one, id).locator(".whom").textContent(), "Ute");
    assert.equal(await card(one, id).locator(".note").textContent(), "no ice");
    await publish("--format", "atom", "update", id, "--status", "ready", "--title", "Ginger lemonade");
    for (const page of [one, two]) await card(page, id, "ready").locator("h3", { hasText: "Ginger lemonade" }).waitFor();
    await publish("delete", id);
    for (const page of [one, two]) await card(page, id).waitFor({ state: "detached" });
  });

  test("a page that is opened later shows the existing rows, unmarked", async (t) => {
    const id = await publish("add", "Granola");
    const page = await open(t);
    await card(page, id, "new").waitFor();
    assert.equal(await page.locator(".arrived").count(), 0);
    assert.equal(await page.textContent("#stat-arrived"), "0");
    assert.equal(await page.textContent("#order-count"), String(await page.locator(".card").count()));
  });

  test("the publisher reports an error and publishes later", async (t) => {
    const nowhere = await publisher("later", "http://127.0.0.1:9", "add", "Chai");
    assert.equal(nowhere.code, 1);
    assert.match(nowhere.stderr, /cannot be read/);
    assert.doesNotMatch(nowhere.stderr, /Traceback/);

    const refused = await publisher("later", "--node", "/cafe/Order", "--pubsub", "nobody.localhost", "add", "Chai");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /nobody\.localhost refuses/);
    assert.match(refused.stderr, /published with the next call/);
    assert.doesNotMatch(refused.stderr, /Traceback/);
    assert.match((await publisher("later", "list")).stdout, /1 orders, 1 changes not yet published/);

    const page = await open(t);
    assert.match((await publisher("later", ...(OWN_ONLY ? ACCOUNT : []), "flush")).stdout, /published: Chai/);
    await page.locator(".card h3", { hasText: "Chai" }).waitFor();
    assert.match((await publisher("later", "list")).stdout, /^1 orders$/m);

    assert.match((await publisher("later", "delete", "99")).stderr, /no order 99/);
  });

  test("changes of another program in the database are published", async (t) => {
    const page = await open(t);
    const file = path.join(folder, "watched.sqlite3");
    const args = [PUBLISHER, "--url", demo.url, "--db", file, ...(OWN_ONLY ? ACCOUNT : []), "watch"];
    const watching = spawn("python3", args, { stdio: ["ignore", "pipe", "inherit"] });
    t.after(() => watching.kill("SIGKILL"));
    const ended = new Promise((resolve) => watching.once("exit", resolve));
    await new Promise((resolve) => watching.stdout.once("data", resolve));
    const sql = (text) => promisify(execFile)("python3", ["-c", "import sqlite3, sys; d = sqlite3.connect(sys.argv[1], timeout=10); d.execute(sys.argv[2]); d.commit()", file, text]);
    // An id that no other test's database gives out.
    await sql("INSERT INTO orders (id, title) VALUES (7001, 'Carrot cake')");
    await card(page, "7001", "new").locator("h3", { hasText: "Carrot cake" }).waitFor();
    await sql("UPDATE orders SET status = 'ready' WHERE id = 7001");
    await card(page, "7001", "ready").waitFor();
    await sql("DELETE FROM orders WHERE id = 7001");
    await card(page, "7001").waitFor({ state: "detached" });
    watching.kill("SIGINT");
    assert.equal(await ended, 0);
  });

  test("the publisher logs in with an account, and is named", async (t) => {
    const wrong = await publisher("orders", "--user", "barista", "--password", "guessed", "flush");
    assert.equal(wrong.code, 0, "with nothing to publish nobody logs in");
    const page = await open(t);
    const id = await publish(...ACCOUNT, "add", "Mocha");
    await card(page, id).locator(".meta", { hasText: "by barista from SQLite" }).waitFor();
    const refused = await publisher("orders", "--user", "barista", "--password", "guessed", "update", id, "--note", "hot");
    assert.equal(refused.code, 1);
    assert.match(refused.stderr, /login was refused: not-authorized/);
    await publish("flush");
    await card(page, id).locator(".note", { hasText: "hot" }).waitFor();
  });

  test("two pages meet in the room", async (t) => {
    const [one, two] = [await open(t), await open(t)];
    await join(one, "Ada");
    await one.locator("#talk").waitFor();
    await join(two, "Ada");
    await two.locator("#join-problem", { hasText: "How about Ada 2?" }).waitFor();
    assert.equal(await two.inputValue("#nick"), "Ada 2");
    await two.click("#enter");
    await two.locator("#talk").waitFor();
    await one.locator(".event", { hasText: "Ada 2 came in." }).waitFor();
    assert.deepEqual(await one.locator("#people .name").allTextContents(), ["Ada", "Ada 2"]);

    await one.fill("#message", "Oat milk is <i>low</i> & so am I");
    await one.keyboard.press("Enter");
    await two.locator(".said .body", { hasText: "Oat milk is <i>low</i> & so am I" }).waitFor();
    await one.locator(".said.own .body", { hasText: "Oat milk" }).waitFor();
    await one.click("#to-orders");
    await two.fill("#message", "I have some");
    await two.keyboard.press("Enter");
    await one.locator("#unread", { hasText: "1" }).waitFor();
    await one.click("#to-room");
    await one.locator(".said .body", { hasText: "I have some" }).waitFor();
    assert.ok(await one.locator("#unread").isHidden());

    await one.click("#change-subject");
    await one.fill("#new-subject", "Morning shift");
    await one.keyboard.press("Enter");
    await two.locator("#subject", { hasText: "Morning shift" }).waitFor();

    await two.click("#leave");
    await two.locator("#join").waitFor();
    await one.locator(".event", { hasText: "Ada 2 left." }).waitFor();
    assert.deepEqual(await one.locator("#people .name").allTextContents(), ["Ada"]);
  });

  test("the inspector shows the traffic without secrets", async (t) => {
    const page = await open(t, { via: "bosh" });
    await page.click("#inspect");
    await signIn(page, "inspected", "Create the account");
    const id = await save(page, "Espresso");
    await card(page, id).locator(".meta", { hasText: "by you" }).waitFor();

    const all = await page.locator("#trace").evaluate((trace) => {
      for (const details of trace.querySelectorAll("details")) details.open = true;
      return new Promise((resolve) => setTimeout(() => resolve(trace.textContent), 200));
    });
    for (const part of ["mechanism='SCRAM-SHA-", "<publish ", "pubsub#event", "Espresso"]) assert.ok(all.includes(part), `${part} in ${all}`);
    const base64 = Buffer.from(PASSWORD).toString("base64").replace(/=+$/, "");
    for (const secret of [PASSWORD, base64, "c=biws", "p=", Buffer.from("c=biws").toString("base64").slice(0, 8)]) assert.ok(!all.includes(secret), secret);
    assert.ok((await page.locator(".stanza.in").count()) > 0 && (await page.locator(".stanza.out").count()) > 0);

    await page.selectOption("#direction", "out");
    assert.equal(await page.locator(".stanza.in").count(), 0);
    await page.fill("#filter", "<publish ");
    assert.equal(await page.locator(".stanza").count(), 1);
    await page.fill("#filter", "");
    await page.selectOption("#direction", "");

    await page.click("#pause");
    const before = await page.locator(".stanza").count();
    await save(page, "Ristretto");
    await page.locator("#tally", { hasText: "more" }).waitFor();
    assert.equal(await page.locator(".stanza").count(), before);
    await page.click("#pause");
    await page.locator(".stanza", { hasText: "Ristretto" }).first().waitFor();

    // Closed, nothing is listened to.
    await page.click("#close-inspector");
    const closed = await page.locator(".stanza").count();
    await card(page, await save(page, "Lungo")).waitFor();
    await page.click("#inspect");
    assert.equal(await page.locator(".stanza").count(), closed);
  });

  test("everything can be done with the keyboard", async (t) => {
    const page = await open(t);
    const press = async (...keys) => {
      for (const key of keys) await page.keyboard.press(key);
    };
    /** Tabs on until the focus is on what is asked for. */
    const tabTo = async (selector) => {
      for (let i = 0; i < 60; i += 1) {
        if (await page.evaluate((wanted) => document.activeElement.matches(wanted), selector)) return;
        await press("Tab");
      }
      assert.fail(`the focus does not reach ${selector}`);
    };
    await press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.className), "skip");
    await tabTo("#order-what");
    await page.keyboard.type("Tea");
    await press("Enter");
    await page.locator("#outcome", { hasText: "is saved" }).waitFor();
    const id = /Order (\w+)/.exec(await page.textContent("#outcome"))[1];
    await card(page, id).waitFor();
    await tabTo(`[data-id="${id}"] [data-act="next"]`);
    const ring = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.equal(ring, "solid");
    for (const state of ["making", "ready"]) {
      await press("Enter");
      await card(page, id, state).waitFor();
      // The card has moved, and the focus with it.
      assert.ok(await page.evaluate((wanted) => document.activeElement.matches(wanted), `[data-id="${id}"] [data-act="next"]`));
    }
    await press("Enter");
    await card(page, id).waitFor({ state: "detached" });
    assert.notEqual(await page.evaluate(() => document.activeElement), "BODY");
  });

  test("a narrow page scrolls one way", async (t) => {
    const page = await open(t, { viewport: { width: 360, height: 740 }, hasTouch: true, isMobile: true });
    const id = await save(page, "An-order-with-a-very-long-name-".repeat(4).slice(0, 118), "somebody with a long name, too long for a line");
    await card(page, id).locator("summary").click();
    const fits = async (what) => {
      const [content, width] = await page.evaluate(() => [document.documentElement.scrollWidth, innerWidth]);
      assert.ok(content <= 360 && width <= 360, `${what}: ${content} px wide in ${width}`);
    };
    await fits("orders");
    await page.click("#inspect");
    await save(page, "Water");
    await fits("with the inspector");
    await page.click("#close-inspector");
    await join(page, "Bartholomew-the-second");
    await page.locator("#talk").waitFor();
    await page.fill("#message", "unbreakable".repeat(30));
    await page.keyboard.press("Enter");
    await page.locator(".said.own").waitFor();
    await fits("the room");
    await page.click("#sign-in");
    await fits("signing in");
  });

  test("a page shows that it was disconnected, and reconnects", async (t) => {
    const page = await open(t);
    await page.click("#toggle");
    await page.locator("#state", { hasText: "Offline" }).waitFor();
    await page.fill("#order-what", "Too late");
    await page.click("#save");
    await page.locator("#outcome.bad", { hasText: "There is no connection" }).waitFor();
    assert.equal(await page.inputValue("#order-what"), "Too late", "what was written is still there");
    await page.click("#toggle");
    await live(page);
    assert.equal(await page.locator("#trouble .message").count(), 0);
    await page.click("#save");
    await page.locator(".card h3", { hasText: "Too late" }).waitFor();
  });

  test("the header shows the transport and links to the other one", async (t) => {
    const page = await open(t);
    const way = page.locator("#way a");
    assert.equal(await way.textContent(), "WebSocket");
    for (const other of ["BOSH", "WebSocket"]) {
      await way.click();
      await page.locator("#way", { hasText: other }).waitFor();
      await live(page);
      assert.equal(new URL(page.url()).searchParams.get("via"), other === "BOSH" ? "bosh" : "ws");
    }
  });

  test("without a working WebSocket the page connects by BOSH", async (t) => {
    const walled = await serve({ ...server, bosh: server.bosh, ws: "ws://127.0.0.1:9/" });
    t.after(() => walled.stop());
    const page = await open(t, { at: walled });
    assert.equal(await page.textContent("#way"), "BOSH");
    const id = await save(page, "Behind a wall");
    await card(page, id, "new").waitFor();
  });

  test("a session survives its WebSocket", async (t) => {
    const narrow = await serve(server);
    t.after(() => narrow.stop());
    const [cut, other] = [await open(t, { at: narrow, via: "ws" }), await open(t)];
    // A guest who logs in once more is another guest: only an account finds its session again.
    await signIn(cut, "barista");
    await cut.evaluate(() => {
      window.statuses = [];
      new MutationObserver(() => statuses.push(document.body.dataset.status)).observe(document.body, { attributeFilter: ["data-status"] });
    });
    const jid = await cut.getAttribute("#state", "title");
    for (const socket of narrow.origin.sockets) socket.destroy();
    const id = await save(other, "While nobody looked");
    await card(cut, id, "new").waitFor();
    await cut.waitForFunction(() => statuses.at(-1) === "online");
    assert.ok((await cut.evaluate(() => statuses)).includes("reconnecting"));
    assert.equal(await cut.getAttribute("#state", "title"), jid, "it is the same session");
    await card(cut, await save(cut, "And on it goes")).waitFor();
  });

  for (const via of ["ws", "bosh"]) {
    test(`a page notices a killed server, and reconnects to it (${via})`, async (t) => {
      const [one, two] = [await open(t, { via }), await open(t, { via })];
      await join(two, "Kit");
      await two.locator("#talk").waitFor();
      // COMPAT(ejabberd): what was saved in the seconds before a crash it may have forgotten.
      const before = await save(one, "Before the crash");
      await server.kill();
      for (const page of [one, two]) {
        await page.locator("#trouble", { hasText: /The connection is lost: trying again( in \d+ s|…| \(attempt)/ }).waitFor();
        assert.equal(await page.textContent("#state"), "Reconnecting");
        // It is tried by itself; the button is for the impatient, and harmless.
        await page.locator("#trouble").getByRole("button", { name: "Try now" }).click();
      }
      await one.fill("#order-what", `Saved in between, ${via}`);
      await one.click("#save");
      await one.locator("#outcome", { hasText: /^Order \w+: waiting for the server/ }).waitFor();
      const [, id] = /Order (\w+)/.exec(await one.textContent("#outcome"));
      assert.equal(await one.inputValue("#order-what"), "", "the next one may be written");
      await two.fill("#message", "Anybody there?");
      await two.keyboard.press("Enter");
      await two.locator("#say-problem", { hasText: "Waiting for the server" }).waitFor();

      await startAgain();
      // Each page has its own time to try, and says for a while only that it is back.
      await Promise.all(
        [one, two].map((page) => page.locator("#trouble .calm", { hasText: "The connection is back. It is a new session. The board was fetched again" }).waitFor({ timeout: 3 * LIMIT })),
      );
      for (const page of [one, two]) {
        await page.locator("#state", { hasText: "Online" }).waitFor();
        await live(page);
      }
      // Not lost, and not twice.
      await one.locator("#outcome", { hasText: `Order ${id} is saved` }).waitFor();
      for (const page of [one, two]) {
        await card(page, id, "new").waitFor({ state: "attached" });
        assert.equal(await page.locator(".card h3", { hasText: `Saved in between, ${via}` }).count(), 1);
        if (SERVER === "prosody") assert.equal(await card(page, before).count(), 1);
      }
      // It came by the feed, which was there before what had waited left.
      await card(one, id).locator(".delay").waitFor({ state: "attached" });
      await two.locator(".event", { hasText: "You are in again, as Kit" }).waitFor();
      // What left before the session was known to be lost may have been heard, or not: that is said, and the text is kept.
      const said = two.locator(".said.own .body", { hasText: "Anybody there?" });
      await said.or(two.locator("#say-problem", { hasText: /it may not have been heard|Not sent/ })).waitFor();
      if (via === "ws") await said.waitFor();
      else if ((await said.count()) === 0) assert.equal(await two.inputValue("#message"), "Anybody there?");
      // The feed is one again: what comes now arrives by itself.
      await card(two, await save(one, "After the crash")).waitFor({ state: "attached" });
      await two.locator("#trouble:empty").waitFor({ state: "attached" });
    });
  }
});
