// What the entries for pages of older systems share.

/** An error that no callback of the page receives. @internal */
export function report(error: unknown): void {
  // COMPAT(Node 20, Safari < 15.4): no reportError.
  if (typeof globalThis.reportError === "function") globalThis.reportError(error);
  else console.error(error);
}
