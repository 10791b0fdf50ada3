// The loop over a feed's items, and its changes in batches.

import { XmppError } from "./errors.js";
import { type Registration, registrationOf } from "./events.js";
import type { PubsubItem } from "./item.js";

/** How many live items a loop over a feed keeps while it is busy. What a feed holds or has missed is bounded by itself. */
const LOOP = 10_000;
/** How many changes wait for their batch. */
const BATCH = 10_000;
/** The pace of batches that no frame sets, and for how long a frame is waited for: that of a page which was hidden never comes. */
const PACE = 50;
const FRAME_LIMIT = 1_000;

/** Items from now on, and those kept because nobody listened yet; ends with the feed. @internal */
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
  /** The next one. An array whose first one is taken moves all others, which many thousands would feel. */
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

/** Collects changes, and hands them over once per animation frame. `undefined` is the end. @internal */
export function batching<C>(listen: (take: (change: C | undefined) => void) => Registration, tell: (changes: C[]) => void): Registration {
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
    if (changes.length > 0) tell(changes.splice(0));
  };
  const take = (change: C | undefined): void => {
    if (change) changes.push(change);
    if (!change || changes.length >= BATCH) flush();
    else if (timer === undefined) {
      // Frames are drawn where there is a page, and somebody who sees it.
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
