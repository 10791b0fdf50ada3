// The BOSH session that `restore()` continues, in `sessionStorage` under strophe.js's key and in its format.

import { getBareJidFromJid, getDomainFromJid, getNodeFromJid } from "./utils.js";

const KEY = "strophe-bosh-session";

/** A session that can be continued. */
export interface KeptSession {
  jid: string;
  sid: string;
  /** The rid of the next request. */
  rid: number;
}

/** Stores a session; `null` removes the stored one. */
export function keepSession(session: KeptSession | null): void {
  if (session) sessionStorage.setItem(KEY, JSON.stringify(session));
  else sessionStorage.removeItem(KEY);
}

/** The stored session, if it belongs to the account or domain. */
export function keptSession(jid: string | null | undefined): KeptSession | null {
  const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Partial<KeptSession> | null;
  return kept?.rid && kept.sid && kept.jid && isSameAccount(kept.jid, jid) ? (kept as KeptSession) : null;
}

/** Whether a stored session belongs to the account or domain `jid`. */
function isSameAccount(kept: string, jid: string | null | undefined): boolean {
  if (jid === undefined || jid === null) return true;
  return getBareJidFromJid(kept) === getBareJidFromJid(jid) || (getNodeFromJid(jid) === null && getDomainFromJid(kept) === jid);
}
