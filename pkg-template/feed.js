// What is said of a `Feed` more easily in JavaScript: the loop over its items, and its changes in batches.
import { xmppError } from "./markup.js";

/** How many live items a loop over a feed keeps while it is busy. What a feed holds or has missed is bounded by itself. */
const LOOP = 10_000;
/** How many changes wait for their batch. */
const BATCH = 10_000;
/** The pace of batches that no frame sets, and for how long a frame is waited for: that of a page which was hidden never comes. */
const PACE = 50;
const FRAME_LIMIT = 1_000;

/** Items from now on, and those kept because nobody listened yet; ends with the feed. */
export function iterate() {
  let items = [];
  let at = 0;
  let live = 0;
  let wake;
  let over = false;
  let overflow;
  const notify = () => {
    wake?.();
    wake = undefined;
  };
  const onItem = this.on("item", (item) => {
    if (item.via === "live") live += 1;
    if (live <= LOOP) items.push(item);
    else {
      onItem.remove();
      overflow = xmppError("too-large", `More than ${LOOP} items wait for this loop: it is too slow for the feed.`);
    }
    notify();
  });
  const onEnd = this.on("end", () => {
    over = true;
    notify();
  });
  const stop = (value) => {
    onItem.remove();
    onEnd.remove();
    over = true;
    notify();
    return { done: true, value };
  };
  /** The next one. An array whose first one is taken moves all others, which many thousands would feel. */
  const take = () => {
    const value = items[at];
    items[at] = undefined;
    at += 1;
    if (at * 2 > items.length) {
      items = items.slice(at);
      at = 0;
    }
    if (value.via === "live") live -= 1;
    return { done: false, value };
  };
  return {
    async next() {
      for (;;) {
        if (items.length > at) return take();
        if (overflow) {
          stop();
          const error = overflow;
          overflow = undefined;
          throw error;
        }
        if (over) return stop();
        await new Promise((resolve) => {
          wake = resolve;
        });
      }
    },
    async return(value) {
      items = [];
      return stop(value);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** Collects changes, and hands them over once per animation frame. What it returns takes one; `undefined` is the end. */
function collector(tell) {
  let changes = [];
  let frame;
  let timer;
  const rest = () => {
    if (frame !== undefined) cancelAnimationFrame(frame);
    clearTimeout(timer);
    frame = timer = undefined;
  };
  const flush = () => {
    rest();
    if (changes.length > 0) tell(changes.splice(0));
  };
  const take = (change) => {
    if (change) changes.push(change);
    if (!change || changes.length >= BATCH) flush();
    else if (timer === undefined) {
      // Frames are drawn where there is a page, and somebody who sees it.
      const seen = globalThis.document?.visibilityState === "visible";
      if (seen) frame = requestAnimationFrame(flush);
      timer = setTimeout(flush, seen ? FRAME_LIMIT : PACE);
    }
  };
  const drop = () => {
    rest();
    changes = [];
  };
  return { take, drop };
}

/** `on` that knows `batch`: `on` is the module's, and `disposeBy` makes a registration disposable. */
export function withBatches(on, disposeBy) {
  return function (kind, listener) {
    if (kind !== "batch" || typeof listener !== "function") return on.call(this, kind, listener);
    const { take, drop } = collector((changes) => listener(changes));
    const registration = on.call(this, "_change", take);
    const remove = () => {
      registration.remove();
      drop();
    };
    const handle = { remove };
    disposeBy(handle, remove);
    return handle;
  };
}
