// An account by in-band registration (XEP-0077) over BOSH (XEP-0124), in as few requests as it takes:
// tests need accounts before the client under test exists, on whatever server answers the address.

import http from "node:http";
import { randomInt } from "node:crypto";

const escape = (text) =>
  text.replace(/[<>&"']/g, (char) => ({ "<": "&lt;", ">": "&gt;", "&": "&amp;", '"': "&quot;", "'": "&apos;" })[char]);

function post(url, body, agent) {
  return new Promise((resolve, reject) => {
    const headers = { "Content-Type": "text/xml; charset=utf-8", "Content-Length": Buffer.byteLength(body) };
    const request = http.request(url, { method: "POST", agent, headers, timeout: 15_000 }, (response) => {
      const chunks = [];
      response.on("data", (chunk) => chunks.push(chunk));
      response.on("end", () => {
        const text = Buffer.concat(chunks).toString("utf8");
        if (response.statusCode === 200) resolve(text);
        else reject(new Error(`registration: HTTP ${response.statusCode} from ${url}`));
      });
    });
    request.on("timeout", () => request.destroy(new Error(`registration: no answer from ${url}`)));
    request.on("error", reject);
    request.end(body);
  });
}

export async function registerAccount(url, { domain, user, password }) {
  const agent = new http.Agent({ keepAlive: true });
  let rid = randomInt(1_000_000, 1_000_000_000);
  let sid;
  const send = (payload, attributes = "") => {
    const session = sid === undefined ? "" : ` sid='${escape(sid)}'`;
    const body = `<body xmlns='http://jabber.org/protocol/httpbind' rid='${(rid += 1)}'${session}${attributes}>${payload}</body>`;
    return post(url, body, agent);
  };
  try {
    const opened = await send(
      "",
      ` to='${escape(domain)}' ver='1.6' hold='1' wait='10' xml:lang='en' xmpp:version='1.0' xmlns:xmpp='urn:xmpp:xbosh'`,
    );
    sid = /\ssid=["']([^"']+)["']/.exec(opened)?.[1];
    if (sid === undefined) throw new Error(`registration: no session from ${url}: ${opened}`);

    let answer = await send(
      `<iq xmlns='jabber:client' type='set' id='register' to='${escape(domain)}'><query xmlns='jabber:iq:register'>` +
        `<username>${escape(user)}</username><password>${escape(password)}</password></query></iq>`,
    );
    // The features of the stream may come first.
    for (let tries = 0; tries < 3 && !/<iq\b/.test(answer); tries += 1) answer = await send("");
    const type = /<iq\b[^>]*\stype=["'](\w+)["']/.exec(answer)?.[1];
    if (type !== "result") {
      const condition = /<error\b[^>]*>\s*<([\w-]+)/.exec(answer)?.[1] ?? "no reply";
      throw Object.assign(new Error(`registration of ${user}@${domain}: ${condition}`), { condition });
    }
    await send("", " type='terminate'");
  } finally {
    agent.destroy();
  }
}
