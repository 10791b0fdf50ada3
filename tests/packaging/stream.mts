// A login by hand, and a page of Strophe's, as the compiler sees them.
import { SaslClient, type ScramKeys, Stream, type StreamEvents, XmppError, init, xml } from "epode/stream";
import * as inline from "epode/stream/inline";
import * as main from "epode";
import { $msg, Strophe } from "epode/strophe";

const stream = new Stream("/http-bind", { domain: "example.org", route: "xmpp:host:5222", wait: 59 });
const sasl = new SaslClient("SCRAM-SHA-1", { username: "romeo", password: "pencil" });
stream.on("element", async (element) => {
  const answer: string = await sasl.respond(atob(element.text()));
  stream.send(xml`<response xmlns="urn:ietf:params:xml:ns:xmpp-sasl">${btoa(answer)}</response>`, "<presence/>");
});
stream.on("close", ({ error }) => void error?.condition);
void init("/assets/epode_stream_bg.wasm");
// What both entries have is the same, for the compiler, too.
const error: main.XmppError = new XmppError("bad-argument", "The title is missing. Give one.");
void error;
const again: Stream = new inline.Stream("/http-bind", { domain: "example.org" });
void again;
// @ts-expect-error: a stream by hand has an entry of its own.
void main.Stream;
// @ts-expect-error: not an event of a stream.
stream.on("stanza", () => {});
// @ts-expect-error: the domain is missing.
new Stream("/http-bind", {});
const rid: number | undefined = stream.rid;
void rid;
const keys: ScramKeys | undefined = sasl.keys;
void new SaslClient("SCRAM-SHA-1", { username: "romeo", keys });
const text: StreamEvents["sent"] = "<body/>";
void text;

const connection = new Strophe.Connection("/http-bind");
connection.connect("romeo@example.org", "pencil", (status) => {
  if (status === Strophe.Status.CONNECTED) connection.send($msg({ to: "juliet@example.org" }).c("body").t("But, soft!"));
});
