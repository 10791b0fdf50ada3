// Discovers a domain's services at its web server: host-meta.json (JRD) and host-meta (XRD).
// Specification: XEP-0156 1.4.0.
// Left out: DNS (not available to pages), and services without encryption (§5).

import type { Stanza } from "./stanza.js";
import type { Waiting } from "./waiting.js";

/** Parses XML. @internal */
export type ParseXml = (text: string) => Stanza;

interface Link {
  rel?: unknown;
  href?: unknown;
}

/** The relations in the order in which their services are tried, each with the scheme of its addresses. */
const RELATIONS = [
  ["urn:xmpp:alt-connections:websocket", "wss:"],
  ["urn:xmpp:alt-connections:xbosh", "https:"],
] as const;
const XRD = "http://docs.oasis-open.org/ns/xri/xrd-1.0";
/** The largest accepted file, in bytes: reading stops there. */
const LARGEST = 65_536;
/** The largest number of services of one domain; the others are left out. */
const MOST_SERVICES = 16;
const TIMEOUT = 5_000;
/** How long a result is reused, in milliseconds. An empty result is never reused. */
const MAX_AGE = 3_600_000;
/** The largest number of remembered domains; the oldest is forgotten first. */
const MOST_DOMAINS = 100;

/** The results by domain in lower case: `{ at, services }`. A page that reconnects need not request the files again. */
const found = new Map<string, { at: number; services: string[] }>();

/** The largest number of redirects of one file. */
const MOST_REDIRECTS = 4;

/**
 * Requests a file and follows redirects (RFC 6415 §2) as long as they are encrypted: the file decides where passwords
 * are sent.
 */
async function ask(address: string, options: RequestInit): Promise<Response> {
  for (let left = MOST_REDIRECTS; left > 0; left -= 1) {
    const response = await fetch(address, { ...options, redirect: "manual" });
    if (response.type === "opaqueredirect") {
      // A browser does not show the target. A redirect of an https: page cannot lead to http: (mixed content); for
      // other pages only the final address can be checked.
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

/** The text of a response, or "" if it is too long. */
async function textOf(response: Response): Promise<string> {
  if (Number(response.headers?.get("content-length")) > LARGEST) return "";
  const reader = response.body?.getReader();
  if (!reader) {
    const text = await response.text();
    return text.length <= LARGEST ? text : "";
  }
  const decoder = new TextDecoder();
  let text = "";
  for (let read = 0; ; ) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    read += value.byteLength;
    if (read > LARGEST) {
      await reader.cancel();
      return "";
    }
    text += decoder.decode(value, { stream: true });
  }
}

async function get(domain: string, name: string, signal: AbortSignal): Promise<string> {
  const response = await ask(`https://${domain}/.well-known/${name}`, { signal, credentials: "omit" });
  return response.ok ? textOf(response) : "";
}

/** A list of `{ rel, href }` from JSON, whose content is not trusted. */
function readJrd(text: string): (Link | null)[] {
  const links = (JSON.parse(text) as { links?: unknown } | null)?.links;
  return Array.isArray(links) ? (links as (Link | null)[]) : [];
}

/** The same list from XML. */
function readXrd(text: string, parse: ParseXml): Link[] {
  const links = parse(text).children("Link", XRD);
  return links.map((link) => ({ rel: link.attr("rel"), href: link.attr("href") }));
}

/**
 * An absolute address of that scheme, normalised; `undefined` for any other text. Neither fetch nor WebSocket accepts a
 * user name.
 */
function address(href: unknown, scheme: string): string | undefined {
  if (typeof href !== "string") return undefined;
  let url: URL;
  try {
    url = new URL(href);
  } catch {
    return undefined;
  }
  if (url.protocol !== scheme || url.username || url.password) return undefined;
  url.hash = "";
  return url.href;
}

/** The encrypted addresses among the links, by relation. */
function services(links: (Link | null)[]): string[][] {
  return RELATIONS.map(([relation, scheme]) =>
    links.flatMap((link) => (link?.rel === relation ? (address(link.href, scheme) ?? []) : [])),
  );
}

function remembered(domain: string): string[] | undefined {
  const known = found.get(domain);
  if (!known) return undefined;
  const age = Date.now() - known.at;
  // If the clock was set back, the age is unknown.
  return age >= 0 && age < MAX_AGE ? known.services : undefined;
}

function remember(domain: string, services: string[]): void {
  found.delete(domain);
  found.set(domain, { at: Date.now(), services });
  if (found.size > MOST_DOMAINS) found.delete(found.keys().next().value as string);
}

/**
 * The domain's services, ready for `connect`: `[]` if the domain names none or cannot be reached. Both files are
 * requested at once, since either may be missing; no failure is an error. The caller owns the array. @internal
 */
export async function lookUp(domain: string, parse: ParseXml, options?: Waiting): Promise<string[]> {
  const { timeout = TIMEOUT, signal } = options ?? {};
  const name = domain.toLowerCase();
  const known = remembered(name);
  if (known) return [...known];
  const controller = new AbortController();
  const stop = (): void => controller.abort();
  const timer = setTimeout(stop, timeout);
  signal?.addEventListener("abort", stop);
  if (signal?.aborted) stop();
  const files = [
    get(domain, "host-meta.json", controller.signal).then(readJrd),
    get(domain, "host-meta", controller.signal).then((text) => readXrd(text, parse)),
  ];
  const quiet = await Promise.all(files.map((file) => file.then(services).catch((): string[][] => [])));
  clearTimeout(timer);
  signal?.removeEventListener("abort", stop);
  signal?.throwIfAborted();
  // WebSocket first, from either file.
  const all = RELATIONS.flatMap((_, at) => quiet.flatMap((file) => file[at] ?? []));
  const unique = [...new Set(all)].slice(0, MOST_SERVICES);
  if (unique.length > 0) remember(name, unique);
  return [...unique];
}
