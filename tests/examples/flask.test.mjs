// examples/flask: a reply is with whoever reads the paste, and with its author, and the author's feed with nobody else.
//
//   npm test -- --only examples        or: EPODE_SERVER=prosody node --test tests/examples/flask.test.mjs

import assert from "node:assert/strict";
import path from "node:path";
import { describe, test } from "node:test";
import { pathToFileURL } from "node:url";
import { PKG } from "../../scripts/lib/project.mjs";
import { registerAccount } from "../servers/register.mjs";
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

/** A session outside of any page: `{ client, received }`. */
async function session({ jid, password }) {
  const { connect } = await import(pathToFileURL(path.join(process.env.EPODE_PACKAGE ?? PKG, "node.js")));
  return { client: await connect(env.example.xmpp.bosh, { jid, password, reconnect: false }), received: [], jid, password };
}

/** A session is ended, and its password opens no other one. */
async function cannotRead({ client, jid, password, received }, node) {
  await until("the session is ended", async () => {
    const service = env.example.xmpp.pubsub;
    await client.pubsub.subscribe(node, ({ id }) => received.push(id), { service }).catch(() => {});
    return client.status === "offline";
  });
  await assert.rejects(session({ jid, password }), (error) => error.code === "auth-failed");
}

/** Makes an account outside of the site, and a user for whom the site has drawn its name. */
const OCCUPY = `
import os, sqlite3, sys
sys.path.insert(0, "../python")
from werkzeug.security import generate_password_hash
from outlet import Connection
jid, known, name, password = sys.argv[1:]
address = {"host": os.environ["XMPP_HOST"], "port": int(os.environ["XMPP_PORT"]), "tls": False}
connection = Connection(os.environ["XMPP_JID"], os.environ["XMPP_PASSWORD"], **address)
connection.create_account(jid, known)
connection.close()
with sqlite3.connect(os.environ["DATABASE"]) as database:
    values = (name, generate_password_hash(password), jid.partition("@")[0], "drawn by the site")
    database.execute("INSERT INTO users (name, password_hash, xmpp_name, xmpp_password) VALUES (?, ?, ?, ?)", values)
`;

/** Saves a reply above the limit of the server and then another one, in a process of its own that is told some limit. */
const PAST_THE_FORM = `
import os, sys
paste, author, os.environ["XMPP_MAX_STANZA"] = sys.argv[1:]
from pastebin import create_app, database, push
with create_app().app_context():
    owner = database.one("SELECT users.id, xmpp_name FROM pastes JOIN users ON users.id = user_id WHERE pastes.id = ?", paste)
    ids = []
    for text in ("x" * 270_000, "small"):
        with database.get() as db:
            ids.append(db.execute("INSERT INTO replies (paste_id, user_id, text) VALUES (?, ?, ?)", (paste, author, text)).lastrowid)
    jobs = [push.reply_changed(reply, int(paste), owner["id"], owner["xmpp_name"]) for reply in ids]
    jobs[1].result(60)
    print("large", ids[0], "small", ids[1])
`;

const REFUSED = ["forbidden", "not-allowed", "not-authorized"];

describe(`the Flask example on ${SERVER}`, () => {
  test("a reply reaches the readers of the paste, and its author on any page", async (t) => {
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

  test("an author who reads the paste is notified once", async (t) => {
    const [ada, bob] = [await user(t, "Ada"), await user(t, "Bob")];
    const id = await paste(ada, "Two feeds");
    await live(ada.page, `paste-replies:${id}`, `user-replies:${ada.id}`);
    await reply(bob.page, id, "First");
    await reply(bob.page, id, "Second");
    await repliesOn(ada.page, "Second").waitFor();
    await until("both are told", async () => (await ada.page.locator(".flash").count()) === 2);
    assert.equal(await ada.page.locator("#replies li").count(), 2);
  });

  test("replies during an author's absence are news on the next visit only", async (t) => {
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

  test("only the author can read the author's feed", async (t) => {
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

  test("credentials are given to signed-in users only, and are invalid after signing out", async (t) => {
    const { page } = await user(t, "Ada");
    const credentials = await page.evaluate(async () => (await fetch("/me/xmpp")).json());
    // Nobody can guess it, and take it before the site does.
    assert.match(credentials.jid, /^u[0-9a-f]{32}@localhost$/);
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

  test("only the site creates accounts", async () => {
    const { xmpp } = env.example;
    const refused = registerAccount(xmpp.bosh, { domain: xmpp.domain, user: "u8", password: PASSWORD });
    await assert.rejects(refused, (error) => [...REFUSED, "service-unavailable"].includes(error.condition));
  });

  test("an account that exists before the site creates it is taken over: its old session cannot read", async (t) => {
    // As if somebody had it beforehand, and stays online.
    const jid = `u${"8".repeat(32)}@${env.example.xmpp.domain}`;
    await env.example.python("-c", OCCUPY, jid, "known to mallory", "Squatted", PASSWORD);
    const mallory = await session({ jid, password: "known to mallory" });
    t.after(() => mallory.client.disconnect());
    const page = await env.open(t, "/sign-in");
    await page.fill("#name", "Squatted");
    await page.fill("#password", PASSWORD);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.locator("#me", { hasText: "Squatted" }).waitFor();
    const id = await page.getAttribute("body", "data-user");
    await live(page, `user-replies:${id}`);
    await cannotRead(mallory, `user-replies:${id}`);
    const bob = await user(t, "Bob");
    await reply(bob.page, await paste({ page }, "Mine alone"), "For the author's eyes");
    await page.locator(".flash").waitFor();
    assert.deepEqual(mallory.received, []);
  });

  test("signing out ends the sessions of the account: a page that stays open cannot read", async (t) => {
    const [ada, bob] = [await user(t, "Ada"), await user(t, "Bob")];
    const node = `user-replies:${ada.id}`;
    const id = await paste(ada, "Signed out");
    const kept = await session(await ada.page.evaluate(async () => (await fetch("/me/xmpp")).json()));
    t.after(() => kept.client.disconnect());
    await kept.client.pubsub.subscribe(node, ({ id }) => kept.received.push(id), { service: env.example.xmpp.pubsub });
    await reply(bob.page, id, "Heard");
    await until("the session receives", () => kept.received.length === 1);
    await ada.page.getByRole("button", { name: "Sign out" }).click();
    await ada.page.getByRole("link", { name: "Sign in" }).waitFor();
    await cannotRead(kept, node);
    const reader = await env.open(t, `/pastes/${id}`);
    await live(reader, `paste-replies:${id}`);
    await reply(bob.page, id, "Not heard");
    await repliesOn(reader, "Not heard").waitFor();
    assert.equal(kept.received.length, 1);
    // Another browser of the user begins anew.
    await ada.page.goto(`${env.example.url}/sign-in`);
    await ada.page.fill("#name", ada.name);
    await ada.page.fill("#password", PASSWORD);
    await ada.page.getByRole("button", { name: "Sign in" }).click();
    await live(ada.page, node);
  });

  test("a restarted site keeps the sessions of its users", async (t) => {
    const ada = await user(t, "Ada");
    await env.example.site.restart();
    const other = await ada.page.context().newPage();
    await other.goto(`${env.example.url}/`);
    await live(other, `user-replies:${ada.id}`);
    await until("the account is looked after", () => env.logged(/user \d+: sent/, env.example.log().lastIndexOf("Starting gunicorn")).length > 0);
    assert.equal(await ada.page.getAttribute("#state", "data-status"), "online");
    assert.equal(await other.getAttribute("#state", "data-status"), "online");
  });

  test("a reply that is too long to be published is refused by the form, without other effects", async (t) => {
    const [ada, bob] = [await user(t, "Ada"), await user(t, "Bob")];
    const id = await paste(ada, "Long");
    const reader = await env.open(t, `/pastes/${id}`);
    await live(reader, `paste-replies:${id}`);
    const from = env.example.log().length;
    await bob.page.goto(`${env.example.url}/pastes/${id}`);
    await bob.page.fill("#text", "é".repeat(240_000));
    await bob.page.getByRole("button", { name: "Reply" }).click();
    const alert = bob.page.getByRole("alert");
    await alert.waitFor();
    assert.match(await alert.textContent(), /too long to be published: it takes [\d,]+ bytes, and [\d,]+ are possible/);
    // What was written is not lost.
    assert.equal((await bob.page.inputValue("#text")).length, 240_000);
    assert.equal(await bob.page.locator("#replies li").count(), 0);
    await reply(bob.page, id, "In short");
    await repliesOn(reader, "In short").waitFor();
    assert.deepEqual(env.logged(/ERROR|not sent/, from), []);
    // What no form can say, either.
    const tooMuch = await bob.page.evaluate(async (id) => {
      const answer = await fetch(`/pastes/${id}/replies`, { method: "POST", body: new URLSearchParams({ text: "x".repeat(5_000_000) }) });
      return [answer.status, /role="alert"/.test(await answer.text())];
    }, id);
    assert.deepEqual(tooMuch, [413, true]);
  });

  test("an invalid row that was saved is skipped, named in the log, and blocks nothing", async (t) => {
    const [ada, bob] = [await user(t, "Ada"), await user(t, "Bob")];
    const id = await paste(ada, "Past the form");
    const reader = await env.open(t, `/pastes/${id}`);
    await live(reader, `paste-replies:${id}`);
    for (const limit of [262_144, 10_000_000]) {
      const { output } = await env.example.python("-c", PAST_THE_FORM, id, bob.id, String(limit));
      const [, large, small] = /large (\d+) small (\d+)/.exec(output);
      await reader.locator(`#reply-${small}`).waitFor();
      assert.match(output, new RegExp(`ERROR .*reply ${large}: not sent, set aside`), `limit ${limit}`);
      assert.equal(await reader.locator(`#reply-${large}`).count(), 0);
    }
  });

  test("another site's page cannot send our forms", async () => {
    const answer = await fetch(`${env.example.url}/sign-out`, { method: "POST", headers: { Origin: "https://elsewhere.example" } });
    assert.equal(answer.status, 403);
  });

  test("a reply saved while the XMPP server is down arrives when it is back", async (t) => {
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
