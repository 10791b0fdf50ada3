// The options that a client and a stream by hand have in common, read and validated.

import type { Settings } from "./core.js";
import { badArgument } from "./errors.js";
import type { Service } from "./options.js";
import type { Reader } from "./reader.js";

/** The default limit of a response. */
const MAX_BYTES = 16 * 1024 * 1024;

/** The services' addresses: one, or several that are tried in order. @internal */
export function addressesOf(service: Service): string[] {
  const all: readonly unknown[] = Array.isArray(service) ? service : [service];
  if (all.every((one) => typeof one === "string" || one instanceof URL)) return all.map(String);
  throw badArgument('The service is missing: the address of the server\'s BOSH service, such as "/http-bind".');
}

function headersOption(read: Reader): string[] {
  const headers = read.record("headers");
  headers.push(["Content-Type", read.text("contentType") ?? "text/xml; charset=utf-8"]);
  try {
    const checked = new Headers();
    for (const [name, value] of headers) checked.set(name, value);
  } catch {
    read.refuse("headers", "holds a name or value that HTTP does not allow");
  }
  return headers.flat();
}

/** The option `rid`: a number that XEP-0124 §14.1 allows, at most 2^53 - 1, also as digits; `undefined` for anything else. @internal */
export function ridOption(read: Reader): number | undefined {
  const given = read.given("rid");
  const rid = typeof given === "string" && /^\d{1,16}$/.test(given) ? Number(given) : given;
  return typeof rid === "number" && Number.isSafeInteger(rid) && rid > 0 ? rid : undefined;
}

/** The settings of a transport. @internal */
export function transportSettings(read: Reader): Pick<Settings, "wait" | "hold" | "maxBytes" | "headers" | "timeout" | "lang" | "withCredentials"> {
  return {
    wait: read.number("wait", 1, 3_600, "is a number of seconds, 1 to 3600") ?? 60,
    hold: read.number("hold", 1, 4, "is a number of requests, 1 to 4") ?? 1,
    maxBytes: read.number("maxBytes", 1, 0xffff_ffff, "is a number of bytes, 1 or more") ?? MAX_BYTES,
    headers: headersOption(read),
    timeout: read.millis("timeout") ?? 30_000,
    lang: read.text("lang"),
    withCredentials: read.flag("withCredentials", false),
  };
}

/** What replaces the platform's own, by its name. @internal */
export function replacementsOf(read: Reader): ReadonlyMap<string, unknown> {
  return new Map<string, unknown>([
    ["WebSocket", read.callable("WebSocket", "is a class with the interface of the browser's WebSocket")],
    ["fetch", read.callable("fetch", "is a function with the interface of the browser's fetch")],
  ]);
}
