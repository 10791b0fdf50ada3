// The loop over a feed's items, and the batches of a feed's changes.

import { XmppError } from "./errors.js";
import { type Registration, registrationOf } from "./events.js";
import type { PubsubItem } from "./item.js";

/**
 * The largest number of live items that a loop keeps while it is busy. Items of the node's listing or of catching up
 * are limited elsewhere.
 */
const LOOP = 10_000;
/** The largest number of changes that wait for their batch. */
const BATCH = 10_000;
/** The pace of batches without animation frames, and the longest wait for a frame: a hidden page never gets one. */
const PACE = 50;
const FRAME_LIMIT = 1_000;

/** Items from now on, and those kept because there was no listener yet; ends with the feed. @internal */
export function iterate<T>(
  onEachItem: (listener: (item: PubsubItem<T>) => void) => Registration,
  onceOver: (listener: () => void) => Registration,
): AsyncIterableIterator<PubsubItem<T>> {
  let items: (PubsubItem<T> | undefined)[] = [];
  let at = 0;
  let live = 0;
  let wake: (() => void) | undefined;
  let isOver = false;
  let overflow: XmppError | undefined;
  const notify = (): void => {
    wake?.();
    wake = undefined;
  };
  const onItem = onEachItem((item) => {
    if (item.via === "live") live += 1;
    if (live <= LOOP) items.push(item);
    else {
      onItem.remove();
      overflow = new XmppError("too-large", `More than ${LOOP} items wait for this loop: it is too slow for the feed.`);
    }
    notify();
  });
  const onEnd = onceOver(() => {
    isOver = true;
    notify();
  });
  const stop = (value?: unknown): IteratorReturnResult<unknown> => {
    onItem.remove();
    onEnd.remove();
    isOver = true;
    notify();
    return { done: true, value };
  };
  /** The next item. Removing the first element of an array moves all others, which is slow for many thousands. */
  const take = (): IteratorYieldResult<PubsubItem<T>> => {
    const value = items[at] as PubsubItem<T>;
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
        if (isOver) return stop();
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
    async return(value?: unknown) {
      items = [];
      return stop(value);
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}

/** Collects changes and delivers them once per animation frame. `undefined` is the end. @internal */
export function batching<C>(listen: (take: (change: C | undefined) => void) => Registration, deliver: (changes: C[]) => void): Registration {
  let changes: C[] = [];
  let frame: number | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  const rest = (): void => {
    if (frame !== undefined) cancelAnimationFrame(frame);
    clearTimeout(timer);
    frame = timer = undefined;
  };
  const flush = (): void => {
    rest();
    if (changes.length > 0) deliver(changes.splice(0));
  };
  const take = (change: C | undefined): void => {
    if (change) changes.push(change);
    if (!change || changes.length >= BATCH) flush();
    else if (timer === undefined) {
      // Only visible pages have frames.
      const isSeen = globalThis.document?.visibilityState === "visible";
      if (isSeen) frame = requestAnimationFrame(flush);
      timer = setTimeout(flush, isSeen ? FRAME_LIMIT : PACE);
    }
  };
  const registration = listen(take);
  return registrationOf(() => {
    registration.remove();
    rest();
    changes = [];
  });
}
