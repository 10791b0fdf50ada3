// examples/django: what is saved through the web site is on every open page, and nothing else is.
//
//   npm test -- --only examples        or: EPODE_SERVER=prosody node --test tests/examples/django.test.mjs

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SERVER, environment, until } from "./support.mjs";

const env = environment("django");

/** The board, live. */
async function board(t, address = "/") {
  const page = await env.open(t, address);
  await live(page);
  return page;
}

const live = async (page) => {
  await page.locator('#orders[data-live="true"]').waitFor({ state: "attached" });
  await page.locator('#menu[data-live="true"]').waitFor({ state: "attached" });
};

const card = (page, id) => page.locator(`#orders [data-id="${id}"]`);
const dish = (page, name) => page.locator("#menu .card", { has: page.locator("h3", { hasText: name }) });

/** Orders by the form; resolves with the ids. */
async function order(page, what, whom = "") {
  await page.fill("#what", what);
  await page.fill("#whom", whom);
  await page.getByRole("button", { name: "Order", exact: true }).click();
  await page.locator("#outcome", { hasText: "saved" }).waitFor();
  const ids = (await page.textContent("#outcome")).match(/\d+/g);
  // The next outcome is told from this one.
  await page.evaluate(() => (document.getElementById("outcome").textContent = ""));
  return ids;
}

describe(`the Django example on ${SERVER}`, () => {
  test("a saved order appears on another page at once; so do its changes", async (t) => {
    const [here, there] = [await board(t), await board(t, "/?via=bosh")];
    const [id] = await order(here, "Flat white <b>&amp;</b>", "Table 4");
    for (const page of [here, there]) {
      assert.equal(await card(page, id).locator("h3").textContent(), "Flat white <b>&amp;</b>");
      assert.equal(await card(page, id).locator("p").first().textContent(), "Table 4");
    }
    await card(here, id).getByRole("button", { name: "Start" }).click();
    await there.locator(`#orders [data-id="${id}"][data-status="making"]`).waitFor();
    // Changed, not added once more.
    assert.equal(await card(there, id).count(), 1);
    await card(there, id).getByRole("button", { name: "Delete" }).click();
    for (const page of [here, there]) await card(page, id).waitFor({ state: "detached" });
  });

  test("a new or reloaded page shows the existing orders, and later ones", async (t) => {
    const first = await board(t);
    const [old, gone] = await order(first, "Croissant\nPot of tea");
    await card(first, gone).getByRole("button", { name: "Delete" }).click();
    await card(first, gone).waitFor({ state: "detached" });
    const second = await board(t);
    await card(second, old).waitFor();
    assert.equal(await card(second, gone).count(), 0);
    await second.reload();
    await live(second);
    await card(second, old).waitFor();
    const [next] = await order(first, "Water");
    await card(second, next).waitFor();
    // The newest first.
    assert.equal(await second.locator("#orders .card").first().getAttribute("data-id"), next);
  });

  test("the menu is Django's XML, and changes on every open page", async (t) => {
    const [here, there] = [await board(t), await board(t)];
    assert.deepEqual(await there.locator("#menu h3").allTextContents(), ["Flat white", "Pot of tea", "Croissant", "Cake of the day"]);
    assert.equal(await dish(there, "Croissant").locator("p").textContent(), "2.20");
    await dish(here, "Croissant").getByRole("button", { name: "Sold out" }).click();
    await dish(there, "Croissant").locator("p", { hasText: "sold out" }).waitFor();
    await dish(there, "Croissant").getByRole("button", { name: "Back" }).click();
    await dish(here, "Croissant").locator("p", { hasText: "2.20" }).waitFor();
  });

  test("changes that are rolled back are never sent", async (t) => {
    const [here, there] = [await board(t), await board(t)];
    await dish(here, "Cake of the day").getByRole("button", { name: "Sold out" }).click();
    await dish(there, "Cake of the day").locator("p", { hasText: "sold out" }).waitFor();
    const from = env.example.log().length;
    await here.fill("#what", "Espresso that never was\nCake of the day");
    await here.getByRole("button", { name: "Order", exact: true }).click();
    await here.locator("#outcome", { hasText: "sold out" }).waitFor();
    const [id] = await order(here, "Water");
    await card(there, id).locator("h3", { hasText: "Water" }).waitFor();
    await until("the order is logged as sent", () => env.logged(/\/cafe\/Order \d+: sent/, from).length > 0);
    // One thing was published, and one announced; the first of the two orders had been saved when the second was refused.
    assert.equal(env.logged(/\/cafe\/Order/, from).length, 1);
    await until("the order is announced", () => env.logged(/room kitchen: sent/, from).length === 1);
    for (const page of [here, there]) assert.equal(await page.getByText("Espresso that never was").count(), 0);
  });

  test("an unpublishable order is refused before it is saved", async (t) => {
    const here = await board(t);
    const from = env.example.log().length;
    const title = "Tea\u0007";
    await here.fill("#what", title);
    await here.getByRole("button", { name: "Order", exact: true }).click();
    await here.locator("#outcome", { hasText: "This cannot be published: it has a character that XML cannot carry." }).waitFor();
    const [id] = await order(here, "Tea");
    await card(here, id).waitFor();
    await until("the order is announced", () => env.logged(/room kitchen: sent/, from).length === 1);
    assert.deepEqual(env.logged(/ERROR/, from), []);
  });

  test("an invalid row that no form has checked is skipped, named in the log, and blocks nothing", async (t) => {
    const here = await board(t);
    for (const limit of [262_144, 10_000_000]) {
      const save = `
from django.conf import settings
settings.XMPP_MAX_STANZA = ${limit}
from cafe.models import Order
large, small = Order.objects.create(what="x" * 270_000), Order.objects.create(what="small")
print("large", large.pk, "small", small.pk)
`;
      const { output } = await env.example.python("manage.py", "shell", "-c", save);
      const [, large, small] = /large (\d+) small (\d+)/.exec(output);
      await card(here, small).waitFor();
      assert.match(output, new RegExp(`ERROR .*/cafe/Order ${large}: not sent, set aside`), `limit ${limit}`);
      assert.equal(await card(here, large).count(), 0);
    }
  });

  test("many saves share one connection", async (t) => {
    const [here, there] = [await board(t), await board(t)];
    const ids = await order(here, Array.from({ length: 40 }, (_, index) => `Order ${index}`).join("\n"));
    assert.equal(ids.length, 40);
    for (const id of ids) await card(there, id).waitFor();
    assert.equal(env.logged(/online as/).length, 1);
  });

  test("rows saved while the XMPP server is down arrive when it is back", async (t) => {
    const [here, there] = [await board(t), await board(t)];
    const [changed, deleted] = await order(here, "Flat white\nWater");
    for (const id of [changed, deleted]) await card(there, id).waitFor();
    const from = env.example.log().length;
    await env.crash();
    // The site goes on by itself.
    const [saved] = await order(here, "Saved meanwhile");
    await card(here, changed).getByRole("button", { name: "Start" }).click();
    await card(here, deleted).getByRole("button", { name: "Delete" }).click();
    await until("it is tried again", () => env.logged(/not sent yet/, from).length >= 2);
    await env.startAgain();
    for (const page of [here, there]) {
      await card(page, saved).locator("h3", { hasText: "Saved meanwhile" }).waitFor();
      await page.locator(`#orders [data-id="${changed}"][data-status="making"]`).waitFor();
      await card(page, deleted).waitFor({ state: "detached" });
    }
    assert.ok(!env.example.log().includes(env.example.password), "the password is in the log");
  });

  test("a site that stops sends its queue first", async (t) => {
    const page = await board(t);
    const from = env.example.log().length;
    await env.crash();
    const [id] = await order(page, "Just before closing time");
    // By then the next attempt is some way off.
    await until("it was tried a few times", () => env.logged(/not sent yet/, from).length >= 3);
    await env.startAgain();
    await env.example.site.halt();
    await card(page, id).waitFor();
    assert.deepEqual(env.logged(/ERROR/, from), []);
    await env.example.site.start();
  });

  test("saved orders are announced in the room, by the site; a guest may answer", async (t) => {
    const [kitchen, other, counter] = [await env.open(t, "/room/"), await env.open(t, "/room/?via=bosh"), await board(t)];
    for (const page of [kitchen, other]) await page.locator('#log[data-live="true"]').waitFor({ state: "attached" });
    const [id] = await order(counter, "Pot of tea <i>", "Ada");
    for (const page of [kitchen, other]) {
      await page.locator(".announcement", { hasText: `Order ${id}, Pot of tea <i> for Ada, is new` }).waitFor();
    }
    await kitchen.fill("#text", "On its way");
    await kitchen.getByRole("button", { name: "Send" }).click();
    const said = other.locator("#log li", { hasText: "On its way" });
    await said.waitFor();
    // A guest is no announcer.
    assert.equal(await said.getAttribute("class"), null);
    await card(counter, id).getByRole("button", { name: "Start" }).click();
    await other.locator(".announcement", { hasText: `Order ${id}, Pot of tea <i> for Ada, has changed` }).waitFor();
  });
});
