// What the entries for pages of older systems share.

/** An error that nobody has asked to be told of. */
export function report(error) {
  if (globalThis.reportError) globalThis.reportError(error);
  else console.error(error);
}

/** Subscribes to what is published from now on. */
export async function follow(pubsub, node, options, listener) {
  const now = new Date();
  const feed = await pubsub.subscribe(node, { ...options, snapshot: false });
  let isFirst = true;
  feed.on("item", (item) => {
    // Some services send the last item to whoever subscribes (XEP-0060, `pubsub#send_last_published_item`), with its date.
    const isPast = isFirst && item.via === "live" && item.time < now;
    isFirst = false;
    if (!isPast) listener(item);
  });
  return feed;
}
