// Says in an error which call failed and what it was about: a page may have many of them under way.

const prefixOf = (operation, object) => `${operation}(${object === undefined ? "" : JSON.stringify(object)}): `;

/**
 * The error with `operation`, the method's name, and `object`, what it was called for (a node, a room, an address) where that is
 * known; both stand at the beginning of its message, too, unless that is about an argument. Errors of others, and faults of epode itself, stay as they are. One that
 * belongs to another call already, as the end of a connection ends them all, is copied.
 */
export function located(error, operation, object) {
  if (!(error instanceof Error) || error.name !== "XmppError" || error.code === "internal") return error;
  if (error.operation === operation && error.object === object) return error;
  const { message, stack } = error;
  const isShared = error.operation !== undefined;
  const before = isShared ? prefixOf(error.operation, error.object) : "";
  const own = message.startsWith(before) ? message.slice(before.length) : message;
  const named = isShared ? Object.assign(new Error(), error) : error;
  // What is wrong with an argument is said of the argument by name; the stack leads to the call.
  named.message = error.code === "bad-argument" ? own : prefixOf(operation, object) + own;
  // A stack begins with the message where the engine writes it so (V8), and consoles show the stack.
  if (typeof stack === "string") named.stack = stack.replace(message, () => named.message);
  return Object.assign(named, { name: "XmppError", operation, object });
}

/** Whom a stanza is for, as far as its XML shows it in the first tag. */
export function addressee(xml) {
  return /^\s*<[^>]*?\sto\s*=\s*(["'])([^>]*?)\1/.exec(xml)?.[2];
}
