// The options that open a BOSH session, read from strophe.js's members or from a body that a page or plugin has built.

import type { XmppError } from "../errors.js";
import type { StreamOptions } from "../xmpp-stream.js";

/** An attribute as a number. */
export function numberOf(body: Element, name: string): number | undefined {
  const value = body.getAttribute(name);
  return value ? Number.parseInt(value, 10) : undefined;
}

/** Whether the error may be temporary: the service could not be reached and may be reachable later. */
export const mayPass = ({ code, httpStatus = 0 }: XmppError): boolean =>
  code === "unreachable" || code === "blocked-by-cors" || code === "timeout" || (code === "http-error" && httpStatus >= 500);

const clamp = (value: number, most: number): number => Math.min(most, Math.max(1, Number(value) || 1));

/** strophe.js sends any `wait` and `hold`; the stream refuses those that no server grants. */
export function withinLimits({ wait, hold, ...others }: Partial<StreamOptions>): Partial<StreamOptions> {
  return { ...others, ...(wait !== undefined && { wait: clamp(wait, 3600) }), ...(hold !== undefined && { hold: clamp(hold, 4) }) };
}

/** The options in a first body that a page or plugin has built. */
export function openingOptions(body: Element): Partial<StreamOptions> {
  const text = (name: string): string | undefined => body.getAttribute(name) ?? undefined;
  const options: Partial<StreamOptions> = { wait: numberOf(body, "wait"), hold: numberOf(body, "hold") };
  const [domain, route, lang] = [text("to"), text("route"), text("xml:lang")];
  return { ...options, ...(domain && { domain }), ...(route && { route }), ...(lang && { lang }) };
}
