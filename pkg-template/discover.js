// XEP-0156 1.4: where a domain's services are, as its web server says: host-meta.json (JRD) and host-meta (XRD).
// Left out: DNS (no page can ask it), and everything that is not encrypted (§5).

/** Relations, in the order in which their services are tried. */
const RELATIONS = ["urn:xmpp:alt-connections:websocket", "urn:xmpp:alt-connections:xbosh"];
const XRD = "http://docs.oasis-open.org/ns/xri/xrd-1.0";
/** A file larger than this names more than services, in characters. */
const LARGEST = 65_536;
const TIMEOUT = 5_000;

/** What was found, by domain: it seldom changes, and a page that reconnects need not ask again. */
const found = new Map();

/** How often one file may be elsewhere. */
const MOST_REDIRECTS = 4;

/** Asks, and goes where a redirect leads (RFC 6415 §2), as long as that is encrypted: what it says decides who gets passwords. */
async function ask(address, options) {
  for (let left = MOST_REDIRECTS; left > 0; left -= 1) {
    const response = await fetch(address, { ...options, redirect: "manual" });
    if (response.type === "opaqueredirect") {
      // A browser does not show where. An https: page cannot be led to http: (mixed content); for others the end has to do.
      const followed = await fetch(address, { ...options, redirect: "follow" });
      if (!followed.url.startsWith("https://")) throw new Error("not encrypted");
      return followed;
    }
    const location = response.headers.get("Location");
    if (response.status < 300 || response.status >= 400 || !location) return response;
    address = new URL(location, address).href;
    if (!address.startsWith("https://")) break;
  }
  throw new Error("led elsewhere");
}

async function get(domain, name, signal) {
  const response = await ask(`https://${domain}/.well-known/${name}`, { signal, credentials: "omit" });
  const text = response.ok ? await response.text() : "";
  return text.length <= LARGEST ? text : "";
}

/** A list of `{ rel, href }`, from JSON. */
function readJrd(text) {
  return JSON.parse(text).links;
}

/** The same from XML; `parse` gives a stanza handle. */
function readXrd(text, parse) {
  const links = parse(text).children("Link", XRD);
  return links.map((link) => ({ rel: link.attr("rel"), href: link.attr("href") }));
}

/** The encrypted addresses among them, best first. */
function services(links) {
  return RELATIONS.flatMap((relation) =>
    links.filter(({ rel, href }) => rel === relation && /^(https|wss):\/\//.test(href)).map(({ href }) => href),
  );
}

/**
 * The domain's services, ready to be given to `connect`: `[]` when it names none, or cannot be asked. Both files are asked
 * for at once, since either may be missing; nothing of it is an error.
 */
export async function lookUp(domain, parse, { timeout = TIMEOUT, signal } = {}) {
  if (found.has(domain)) return found.get(domain);
  const controller = new AbortController();
  const stop = () => controller.abort();
  const timer = setTimeout(stop, timeout);
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop();
  const files = [
    get(domain, "host-meta.json", controller.signal).then(readJrd),
    get(domain, "host-meta", controller.signal).then((text) => readXrd(text, parse)),
  ];
  const quiet = await Promise.all(files.map((file) => file.then(services).catch(() => [])));
  clearTimeout(timer);
  signal?.removeEventListener("abort", stop);
  signal?.throwIfAborted();
  const all = [...new Set(quiet.flat())];
  // WebSocket first, whichever file told it.
  const sorted = [...all.filter((href) => href.startsWith("wss:")), ...all.filter((href) => !href.startsWith("wss:"))];
  if (sorted.length > 0) found.set(domain, sorted);
  return sorted;
}
