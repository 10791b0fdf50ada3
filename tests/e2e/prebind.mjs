// A BOSH session that a web server makes for a page, by hand.

import assert from "node:assert/strict";

/** A BOSH session, bound by plain HTTP, as a web server does it. */
export async function prebind(env) {
  const { anonymousDomain: domain } = env.names;
  let rid = 1_000_000 + Math.floor(Math.random() * 1e9);
  let sid = "";
  const post = async (attributes, payload = "") => {
    const body = `<body xmlns='http://jabber.org/protocol/httpbind' rid='${rid++}'${sid} ${attributes}>${payload}</body>`;
    const response = await fetch(`${env.origin.url}/http-bind`, { method: "POST", body, headers: { "Content-Type": "text/xml" } });
    return response.text();
  };
  const until = async (answer, wanted) => {
    for (let turn = 0; !wanted.test(answer); turn += 1) {
      assert.ok(turn < 5, answer);
      answer = await post("");
    }
    return answer;
  };
  const xmpp = "xmlns:xmpp='urn:xmpp:xbosh'";
  const created = await post(`to='${domain}' content='text/xml' ver='1.11' wait='60' hold='1' ${xmpp} xmpp:version='1.0'`);
  sid = ` sid='${/ sid=["']([^"']+)/.exec(created)[1]}'`;
  await until(created, /mechanisms/);
  await until(await post("", "<auth xmlns='urn:ietf:params:xml:ns:xmpp-sasl' mechanism='ANONYMOUS'/>"), /success/);
  await until(await post(`to='${domain}' ${xmpp} xmpp:restart='true'`), /xmpp-bind/);
  const bind = "<iq xmlns='jabber:client' type='set' id='b'><bind xmlns='urn:ietf:params:xml:ns:xmpp-bind'/></iq>";
  const bound = await until(await post("", bind), /<jid>/);
  return { jid: /<jid>([^<]+)/.exec(bound)[1], sid: /'(.*)'/.exec(sid)[1], rid };
}
