// What `restore()` needs of a BOSH session, in the storage of the tab: under the key and in the form of strophe.js.

import { getBareJidFromJid, getDomainFromJid, getNodeFromJid } from "./utils.js";

const KEY = "strophe-bosh-session";

/** A session that can be taken up. */
export interface KeptSession {
  jid: string;
  sid: string;
  /** Of the next request. */
  rid: number;
}

/** Keeps a session; with `null` none. */
export function keepSession(session: KeptSession | null): void {
  if (session) sessionStorage.setItem(KEY, JSON.stringify(session));
  else sessionStorage.removeItem(KEY);
}

/** The session that is kept, if it is of that account or domain. */
export function keptSession(jid: string | null | undefined): KeptSession | null {
  const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Partial<KeptSession> | null;
  return kept?.rid && kept.sid && kept.jid && isSameAccount(kept.jid, jid) ? (kept as KeptSession) : null;
}

/** Whether a kept session is of the account, or of the domain, that the page asks for. */
function isSameAccount(kept: string, jid: string | null | undefined): boolean {
  if (jid === undefined || jid === null) return true;
  return getBareJidFromJid(kept) === getBareJidFromJid(jid) || (getNodeFromJid(jid) === null && getDomainFromJid(kept) === jid);
}
