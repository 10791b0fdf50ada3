// Addresses (RFC 7622), which the module reads and normalises.

import { Core } from "./core.js";
import { problem } from "./errors.js";
import { isXmlText } from "./xml.js";

/** An address in its normal form. What cannot be sent is no address either. @internal */
export function normalJid(text: string): string {
  try {
    return Core.normalizeJid(isXmlText(text) ? text : "\0");
  } catch (reason) {
    if (typeof reason !== "string") throw reason;
    throw problem("bad-jid", JSON.stringify(text), reason);
  }
}

/** Without the resource. @internal */
export const bareOf = (jid: string): string => jid.split("/", 1)[0] as string;

/** What follows the first slash. @internal */
export function resourceOf(jid: string): string | undefined {
  const slash = jid.indexOf("/");
  return slash < 0 ? undefined : jid.slice(slash + 1);
}

/** What stands before the `@`. @internal */
export function localOf(jid: string): string | undefined {
  const bare = bareOf(jid);
  const at = bare.indexOf("@");
  return at < 0 ? undefined : bare.slice(0, at);
}

/** The server's name. @internal */
export function domainOf(jid: string): string {
  const bare = bareOf(jid);
  return bare.slice(bare.indexOf("@") + 1);
}
