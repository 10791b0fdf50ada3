// The interface of a transport: the members of strophe.js's `Bosh` and `Websocket` that pages, plugins and `Connection` use.

import type { StreamOptions } from "../xmpp-stream.js";
import { Stream } from "../xmpp-stream.js";
import { RetryTimer, type RetryPauses } from "../retry-timer.js";
import type { Request } from "./request.js";

/** A transport of strophe.js 5.0.0. */
export interface Transport {
  /** The name of the wrapping element, which `xmlInput` and `xmlOutput` do not get. */
  strip: string | boolean;
  _reset(): void;
  _connect(wait?: number, hold?: number, route?: string): void;
  _connect_cb(body: Element): number | void;
  _disconnect(pres: Element | null): void;
  _doDisconnect(): void;
  _abortAllRequests(): void;
  _send(): void;
  _sendRestart(): void;
  _onIdle(): void;
  _onDisconnectTimeout(): void;
  _emptyQueue(): boolean;
  _no_auth_received(callback?: unknown): void;
  /** The body of a request's response; an element is returned unchanged. */
  _reqToData(req: Request | Element): Element | null | undefined;
  /** Whether the page has not replaced the methods that read responses. @internal */
  _readsPlainly(req: Request): boolean;
}

/** Why no stream can be created: the platform or the page's policy has no WebAssembly, or the module is damaged. */
export function moduleFault(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === "string" && code.startsWith("module-") ? code : undefined;
}

type MakeStream = (service: string, options: StreamOptions) => Stream;

/** Creates a stream of the public API. @internal */
export let makeStream: MakeStream = (service, options) => new Stream(service, options);

/** Replaces the source of streams, for tests. @internal */
export function makeStreamsWith(make: MakeStream): void {
  makeStream = make;
}

type MakeRetryTimer = (attempt: () => void, pauses: RetryPauses) => Pick<RetryTimer, "online" | "lost" | "refused" | "stop">;

/** Makes a timer of the public API. @internal */
export let makeRetryTimer: MakeRetryTimer = (attempt, pauses) => new RetryTimer(attempt, pauses);

/** Another source of timers, for tests. @internal */
export function makeRetryTimersWith(make: MakeRetryTimer): void {
  makeRetryTimer = make;
}
