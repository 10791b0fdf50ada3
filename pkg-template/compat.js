// What the entries for pages of older systems share.

/** An error that nobody has asked to be told of. */
export function report(error) {
  if (globalThis.reportError) globalThis.reportError(error);
  else console.error(error);
}
