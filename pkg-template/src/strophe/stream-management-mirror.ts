// The read-only stream management of strophe.js 5.0.0's shared worker. Exported only for pages that use the name: here connections with
// the option `worker` have their own stream management.

import { fresh, type SMState, type StanzaView, type StreamManagementController } from "./stream-management.js";

/** Holds a copy of a state; counts and sends nothing. */
export class StreamManagementMirror implements StreamManagementController {
  serverSupported = false;
  #state = fresh();

  get state(): SMState {
    return this.#state;
  }

  get enabled(): boolean {
    return this.#state.enabled;
  }

  get resumed(): boolean {
    return this.#state.resumed;
  }

  get boundJid(): string | null {
    return this.#state.boundJid;
  }

  get resumePending(): boolean {
    return false;
  }

  initialize(_jid: string): void {}

  hasResumableState(): boolean {
    return false;
  }

  reset(): void {
    this.#state = fresh();
    this.serverSupported = false;
  }

  sendResume(): void {}

  sendEnable(_boundJid: string): void {}

  isTracking(): boolean {
    return false;
  }

  trackOutbound(_view: StanzaView): void {}

  onInbound(_view: StanzaView): void {}

  onInboundStanza(_name: string): void {}

  onGracefulClose(): void {}

  onEnabled(): void {}

  onResumed(): void {}

  onFailed(_view?: StanzaView, _resumeFailed?: boolean): void {}

  _onEnabled(id: string, max: number | null, boundJid: string): void {
    Object.assign(this.#state, { enabled: true, id, max, boundJid });
    this.onEnabled();
  }

  _onResumed(boundJid: string, id?: string, max?: number): void {
    Object.assign(this.#state, { enabled: true, resumed: true, boundJid });
    if (id !== undefined) this.#state.id = id;
    if (max !== undefined) this.#state.max = max;
    this.onResumed();
  }

  _onFailed(): void {
    this.#state = fresh();
    this.onFailed(undefined, true);
  }
}
