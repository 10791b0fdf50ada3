// The pages of examples/strophe/ on `strophe.global.js`, in Chromium against a real server.

import assert from "node:assert/strict";
import path from "node:path";
import { after, afterEach, before, test } from "node:test";
import { chromium } from "playwright-core";
import { startStrophePages } from "../../scripts/strophe-pages.mjs";
import { sleep } from "../servers/lifecycle.mjs";

const SERVER = process.env.EPODE_SERVER || "prosody";
const LIMIT = 20_000;
let pages;
let browser;
const problems = [];

before(async () => {
  const pkg = process.env.EPODE_PACKAGE && path.resolve(process.env.EPODE_PACKAGE);
  const executablePath = process.env.EPODE_CHROMIUM || "/usr/bin/chromium";
  [pages, browser] = await Promise.all([
    startStrophePages({ server: SERVER, ...(pkg && { pkg }) }),
    chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"] }),
  ]);
});
after(async () => {
  await browser?.close();
  await pages?.stop();
});
afterEach(() => assert.deepEqual(problems.splice(0), [], "errors in pages"));

async function open(t, file) {
  const context = await browser.newContext();
  context.setDefaultTimeout(LIMIT);
  t.after(() => context.close());
  const page = await context.newPage();
  page.on("pageerror", (error) => problems.push(error.stack));
  await page.goto(`${pages.url}/${file}`);
  return page;
}

/** Fills the form and presses a button. */
async function enter(page, name, button, room) {
  await page.fill("#name", name);
  await page.fill("#password", `pencil of ${name}`);
  await page.fill("#room", room);
  await page.click(button);
}

const says = (page, text) => page.locator("#log", { hasText: text }).waitFor();
const person = (page, name) => page.locator("#people li", { hasText: new RegExp(`^${name}$`) });

test("register, log in, join, chat, stop", async (t) => {
  const [ann, ben] = [await open(t, "chat.html"), await open(t, "chat.html")];
  await enter(ann, "ann", "#register", "lounge");
  await says(ann, "Registered.");
  await says(ann, "Connected as ann@localhost/");
  await says(ann, "You are in lounge.");
  await says(ann, "Contacts: 0.");

  await enter(ben, "ben", "#register", "lounge");
  await person(ann, "ben").waitFor();
  await person(ben, "ann").waitFor();
  await ben.fill("#text", "fish & <chips>");
  await ben.press("#text", "Enter");
  for (const page of [ann, ben]) await page.locator(".message", { hasText: "ben: fish & <chips>" }).waitFor();

  // Disconnecting and reloading in one turn reaches the server.
  await ben.click("#stop");
  await person(ann, "ben").waitFor({ state: "detached" });

  await enter(ben, "ben", "#connect", "lounge");
  await says(ben, "You are in lounge.");
  await person(ann, "ben").waitFor();
  // The page's own `unload` handler disconnects.
  await ben.goto("about:blank");
  await person(ann, "ben").waitFor({ state: "detached" });
});

test("a name that is taken, a wrong password", async (t) => {
  const page = await open(t, "chat.html");
  await enter(page, "eve", "#register", "attic");
  await says(page, "You are in attic.");
  const other = await open(t, "chat.html");
  await enter(other, "eve", "#register", "attic");
  await says(other, "That name is taken.");
  await says(other, "Disconnected.");
  await other.fill("#password", "no");
  await other.click("#connect");
  await says(other, "Wrong name or password.");
});

test("an anonymous page shows publications", async (t) => {
  const writer = await open(t, "chat.html");
  await enter(writer, "max", "#register", "press");
  await says(writer, "You are in press.");
  const publish = (id, title) =>
    writer.evaluate(
      ([item, text]) =>
        new Promise((resolve, reject) => {
          const iq = $iq({ type: "set", to: "pubsub.localhost" }).c("pubsub", { xmlns: "http://jabber.org/protocol/pubsub" });
          iq.c("publish", { node: "headlines" }).c("item", { id: item }).c("entry", { xmlns: "urn:headline" }).c("title").t(text);
          connection.sendIQ(iq, () => resolve(), (error) => reject(new Error(Strophe.serialize(error))));
        }),
      [id, title],
    );
  await publish("1", "Tea & cake");
  const reader = await open(t, "feed.html");
  await reader.locator("#state", { hasText: "Subscribed" }).waitFor();
  await reader.locator("#item-1", { hasText: "Tea & cake" }).waitFor();
  await publish("2", "Rain expected");
  await reader.locator("#item-2", { hasText: "Rain expected" }).waitFor();
  assert.deepEqual(await reader.locator("#headlines li").allTextContents(), ["Rain expected", "Tea & cake"]);
});

test("by keyboard alone: register, chat, stop", async (t) => {
  const page = await open(t, "chat.html");
  const { keyboard } = page;
  const isFocused = (id) => page.waitForFunction((name) => document.activeElement?.id === name, id);
  await isFocused("name");
  await keyboard.type("kim");
  await keyboard.press("Tab");
  await keyboard.type("pencil of kim");
  await keyboard.press("Tab");
  await keyboard.type("kitchen");
  await keyboard.press("Tab");
  await keyboard.press("Tab");
  await isFocused("register");
  await keyboard.press("Space");
  await says(page, "You are in kitchen.");
  await isFocused("text");
  await keyboard.press("Enter");
  await keyboard.type("typed");
  await keyboard.press("Enter");
  await page.locator(".message", { hasText: "kim: typed" }).waitFor();
  assert.equal(await page.locator(".message").count(), 1, "nothing is sent for an empty field");
  await keyboard.press("Tab");
  await keyboard.press("Tab");
  await isFocused("stop");
  await Promise.all([page.waitForEvent("framenavigated"), keyboard.press("Enter")]);
  await isFocused("name");
});

test("the server is killed and comes back: the feed is subscribed again, the chat page says that it is disconnected", async (t) => {
  const writer = await open(t, "chat.html");
  await enter(writer, "pat", "#register", "desk");
  await says(writer, "You are in desk.");
  const publish = (id, title) =>
    writer.evaluate(
      ([item, text]) =>
        new Promise((resolve, reject) => {
          const iq = $iq({ type: "set", to: "pubsub.localhost" }).c("pubsub", { xmlns: "http://jabber.org/protocol/pubsub" });
          iq.c("publish", { node: "late" }).c("item", { id: item }).c("entry", { xmlns: "urn:headline" }).c("title").t(text);
          connection.sendIQ(iq, () => resolve(), (error) => reject(new Error(Strophe.serialize(error))));
        }),
      [id, title],
    );
  await publish("1", "Before");
  const reader = await open(t, "feed.html?node=late");
  await reader.locator("#item-1", { hasText: "Before" }).waitFor();
  // COMPAT(ejabberd): an account and a node are on its disk some seconds after they were made.
  if (SERVER === "ejabberd") await sleep(5_000);
  const states = reader.evaluate(
    () =>
      new Promise((resolve) => {
        const seen = [];
        new MutationObserver(() => {
          seen.push(document.getElementById("state").textContent);
          if (seen.at(-1) === "Subscribed") resolve(seen);
        }).observe(document.getElementById("state"), { childList: true });
      }),
  );
  await pages.crash();
  assert.deepEqual(new Set(await states), new Set(["Reconnecting", "Connected", "Subscribed"]));
  // The page of 2010 does not connect again by itself. It shows its form, and the user does.
  await says(writer, "Disconnected.");
  await writer.click("#connect");
  await writer.locator("#chat").waitFor();
  await publish("2", "After");
  await reader.locator("#item-2", { hasText: "After" }).waitFor();
  assert.deepEqual(await reader.locator("#headlines li").allTextContents(), ["After", "Before"]);
});
