// Addresses (RFC 7622), which the module parses and normalises.

import { problem } from "./errors.js";
import { isXmlText } from "./xml.js";

/** Normalises an address; throws the reason why there is none in a text. */
type Normalize = (text: string) => string;

let normalize: Normalize | undefined;

/** Sets what normalises addresses: the module that was loaded last. All of them do it alike. @internal */
export function normalizeBy(module: Normalize): void {
  normalize = module;
}

/** A normalised address. Text that XML cannot carry is not an address. @internal */
export function normalJid(text: string): string {
  try {
    return (normalize as Normalize)(isXmlText(text) ? text : "\0");
  } catch (reason) {
    if (typeof reason !== "string") throw reason;
    throw problem("bad-jid", JSON.stringify(text), reason);
  }
}

/** The address without its resource. @internal */
export const bareOf = (jid: string): string => jid.split("/", 1)[0] as string;

/** The part after the first slash. @internal */
export function resourceOf(jid: string): string | undefined {
  const slash = jid.indexOf("/");
  return slash < 0 ? undefined : jid.slice(slash + 1);
}

/** The part before the `@`. @internal */
export function localOf(jid: string): string | undefined {
  const bare = bareOf(jid);
  const at = bare.indexOf("@");
  return at < 0 ? undefined : bare.slice(0, at);
}

/** The domain. @internal */
export function domainOf(jid: string): string {
  const bare = bareOf(jid);
  return bare.slice(bare.indexOf("@") + 1);
}
