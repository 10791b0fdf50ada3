// examples/flask: a reply is with whoever reads the paste, and with its author, and the author's feed with nobody else.
//
//   npm test -- --only examples        or: EPODE_SERVER=prosody node --test tests/examples/flask.test.mjs

import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { SERVER, environment, until } from "./support.mjs";

const env = environment("flask");
const PASSWORD = "correct-horse-battery";
let unique = 0;

/** Waits until the page's feeds are subscribed. */
const live = (page, ...nodes) => until(`${nodes} are live`, async () => {
  const feeds = (await page.getAttribute("body", "data-feeds"))?.split(" ") ?? [];
  return nodes.every((node) => feeds.includes(node));
});

/** Somebody new, signed in, on the first page; `id` is the site's, `name` their name. */
async function user(t, prefix) {
  const page = await env.open(t, "/sign-up");
  const name = `${prefix}${(unique += 1)}`;
  await page.fill("#name", name);
  await page.fill("#password", PASSWORD);
  await page.getByRole("button", { name: "Sign up" }).click();
  await page.locator("#me", { hasText: name }).waitFor();
  const id = await page.getAttribute("body", "data-user");
  await live(page, `user-replies:${id}`);
  return { page, name, id };
}

/** Pastes something; resolves with its id. The author is left on its page. */
async function paste({ page }, title) {
  await page.goto(`${env.example.url}/`);
  await page.fill("#title", title);
  await page.fill("#text", "print('hello')");
  await page.getByRole("button", { name: "Paste" }).click();
  await page.waitForURL(/\/pastes\/\d+$/);
  return page.getAttribute("body", "data-paste");
}

/** Replies on a paste's page; resolves with the reply's id. */
async function reply(page, pasteId, text) {
  await page.goto(`${env.example.url}/pastes/${pasteId}`);
  await page.fill("#text", text);
  await page.getByRole("button", { name: "Reply" }).click();
  const id = await page.locator("#replies li", { hasText: text }).getAttribute("id");
  return id.slice("reply-".length);
}

const repliesOn = (page, text) => page.locator("#replies li", { hasText: text });

/** What a page's user gets when they try; the error's condition, or "done". Run with the page's own credentials, or as a guest. */
const attempt = (page, what, node, as = "user") =>
  page.evaluate(
    async ({ what, node, as }) => {
      const { connect, xml } = await import("/epode/index.js");
      const { bosh, domain, pubsub } = document.body.dataset;
      const login = as === "guest" ? { domain, anonymous: true } : await (await fetch("/me/xmpp")).json();
      const client = await connect(bosh, { ...login, presence: false });
      try {
        if (what === "subscribe") await client.pubsub.subscribe(node, () => {}, { service: pubsub });
        if (what === "items") await client.pubsub.items(node, { service: pubsub });
        if (what === "publish") await client.pubsub.publish(node, xml`<json xmlns="urn:xmpp:json:0">{}</json>`, { service: pubsub, id: "forged" });
        if (what === "create") await client.pubsub.createNode(node, { service: pubsub });
        return "done";
      } catch (error) {
        return error.condition;
      } finally {
        await client.disconnect();
      }
    },
    { what, node, as },
  );

const REFUSED = ["forbidden", "not-allowed", "not-authorized"];

describe(`the Flask example on ${SERVER}`, () => {
  test("a reply is with the readers of the paste, and with its author wherever they are", async (t) => {
    const [ada, bob] = [await user(t, "Ada"), await user(t, "Bob")];
    const id = await paste(ada, "A <b>bold</b> title");
    const reader = await env.open(t, `/pastes/${id}`);
    await live(reader, `paste-replies:${id}`);
    await ada.page.goto(`${env.example.url}/`);
    await live(ada.page, `user-replies:${ada.id}`);
    const replyId = await reply(bob.page, id, "Nice <i>work</i>");
    await repliesOn(reader, "Nice <i>work</i>").waitFor();
    assert.equal(await repliesOn(reader, "Nice").locator("strong").textContent(), bob.name);
    const flash = ada.page.locator(".flash");
    await flash.waitFor();
    assert.equal(await flash.textContent(), `${bob.name} has replied to A <b>bold</b> title`);
    assert.equal(await flash.locator("a").getAttribute("href"), `/pastes/${id}#reply-${replyId}`);
    // Bob's own reply is no news to him, and is shown once.
    assert.equal(await bob.page.locator(".flash").count(), 0);
    assert.equal(await repliesOn(bob.page, "Nice").count(), 1);
    // Taken back, it is gone before the reader's eyes.
    await repliesOn(bob.page, "Nice").getByRole("button", { name: "Delete" }).click();
    await repliesOn(reader, "Nice").waitFor({ state: "detached" });
  });

  test("an author who reads the paste is told once", async (t) => {
    const [ada, bob] = [await user(t, "Ada"), await user(t, "Bob")];
    const id = await paste(ada, "Two feeds");
    await live(ada.page, `paste-replies:${id}`, `user-replies:${ada.id}`);
    await reply(bob.page, id, "First");
    await reply(bob.page, id, "Second");
    await repliesOn(ada.page, "Second").waitFor();
    await until("both are told", async () => (await ada.page.locator(".flash").count()) === 2);
    assert.equal(await ada.page.locator("#replies li").count(), 2);
  });

  test("what came while an author was not there is news on the next visit, and no longer on the one after", async (t) => {
    const [ada, bob] = [await user(t, "Ada"), await user(t, "Bob")];
    const id = await paste(ada, "Left alone");
    await ada.page.goto("about:blank");
    await reply(bob.page, id, "Anybody there?");
    await ada.page.goto(`${env.example.url}/`);
    await ada.page.locator(".flash", { hasText: bob.name }).waitFor();
    await ada.page.reload();
    await live(ada.page, `user-replies:${ada.id}`);
    await reply(bob.page, id, "Hello?");
    await ada.page.locator(".flash").first().waitFor();
    assert.equal(await ada.page.locator(".flash").count(), 1);
  });

  test("the author's feed is the author's alone", async (t) => {
    const [ada, mallory] = [await user(t, "Ada"), await user(t, "Mallory")];
    const node = `user-replies:${ada.id}`;
    assert.equal(await attempt(ada.page, "subscribe", node), "done");
    for (const as of ["user", "guest"]) {
      for (const what of ["subscribe", "items", "publish"]) {
        const condition = await attempt(mallory.page, what, node, as);
        assert.ok(REFUSED.includes(condition), `${as} ${what}: ${condition}`);
      }
    }
    // Nor may users speak in the site's name, where they may read.
    const id = await paste(ada, "Mine");
    assert.ok(REFUSED.includes(await attempt(mallory.page, "publish", `paste-replies:${id}`)));
    assert.ok(REFUSED.includes(await attempt(mallory.page, "create", "user-replies:999")));
    assert.ok(REFUSED.includes(await attempt(ada.page, "publish", node)));
  });

  test("credentials are for who is signed in, and worth nothing after signing out", async (t) => {
    const { page } = await user(t, "Ada");
    const credentials = await page.evaluate(async () => (await fetch("/me/xmpp")).json());
    assert.match(credentials.jid, /^u\d+@localhost$/);
    const from = env.example.log().length;
    await page.getByRole("button", { name: "Sign out" }).click();
    await page.getByRole("link", { name: "Sign in" }).waitFor();
    assert.equal(await page.evaluate(async () => (await fetch("/me/xmpp")).status), 403);
    await until("the password is another", async () => env.logged(/user \d+: sent/, from).length > 0);
    const code = await page.evaluate(async (credentials) => {
      const { connect } = await import("/epode/index.js");
      return connect(document.body.dataset.bosh, credentials).then(() => "done", (error) => error.code);
    }, credentials);
    assert.equal(code, "auth-failed");
    for (const secret of [credentials.password, env.example.password, PASSWORD]) assert.ok(!env.example.log().includes(secret));
  });

  test("another site's page cannot send our forms", async () => {
    const answer = await fetch(`${env.example.url}/sign-out`, { method: "POST", headers: { Origin: "https://elsewhere.example" } });
    assert.equal(answer.status, 403);
  });

  test("a reply that is saved while the XMPP server is away arrives when it is back", async (t) => {
    const [ada, bob] = [await user(t, "Ada"), await user(t, "Bob")];
    const id = await paste(ada, "Stormy");
    const reader = await env.open(t, `/pastes/${id}`);
    await live(reader, `paste-replies:${id}`);
    await live(ada.page, `user-replies:${ada.id}`);
    const from = env.example.log().length;
    await env.crash();
    await reply(bob.page, id, "Through the storm");
    await until("it is tried again", () => env.logged(/not sent yet/, from).length >= 2);
    await env.startAgain();
    await repliesOn(reader, "Through the storm").waitFor();
    await ada.page.locator(".flash", { hasText: bob.name }).waitFor();
    assert.deepEqual(env.logged(/ERROR/, from), []);
  });
});
