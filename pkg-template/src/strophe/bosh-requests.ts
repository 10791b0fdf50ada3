// The requests that the page or a plugin sees. The stream makes its own; there are some here only if a plugin has built them, or if the page
// has replaced the methods that make or send requests. Then each request is made as strophe.js makes it, and given to those methods: tests and tools
// replace them to look at requests, or to keep them from being sent.

import { BoshTerms } from "./bosh-terms.js";
import type { Builder } from "./builder.js";
import { NS } from "./constants.js";
import { Request } from "./request.js";

type Answered = (req: Request) => void;

let original: BoshRequests;

/** Takes the prototype whose methods are those without a change of the page's. @internal */
export function noteOriginal({ _processRequest, _buildBody, _throttledRequestHandler }: BoshRequests): void {
  original = { _processRequest, _buildBody, _throttledRequestHandler } as BoshRequests;
}

/** The queue of requests, and what is made for it. */
export abstract class BoshRequests extends BoshTerms {
  _requests: Request[] = [];

  abstract _buildBody(): Builder;
  abstract _processRequest(index: number): void;
  abstract _onRequestStateChange(func: Answered, req: Request): void;

  /** Whether the page has replaced what makes or sends requests. @internal */
  _isByPage(): boolean {
    const { _processRequest, _buildBody, _throttledRequestHandler } = original;
    return this._processRequest !== _processRequest || this._throttledRequestHandler !== _throttledRequestHandler || this._buildBody !== _buildBody;
  }

  /** Gives a request to the page's methods. @internal */
  _hand(body: Builder, answered: Answered): void {
    const tree = body.tree();
    this._requests.push(new Request(tree, (req) => this._onRequestStateChange(answered, req), Number(tree.getAttribute("rid"))));
    this._throttledRequestHandler();
  }

  /** The request for a session. @internal */
  _handOpening(answered: Answered, route: string | undefined): void {
    const { wait, hold } = this;
    const body = this._buildBody().attrs({
      to: this._conn.domain as string,
      "xml:lang": "en",
      wait: String(wait),
      hold: String(hold),
      content: "text/xml; charset=utf-8",
      ver: "1.6",
      "xmpp:version": "1.0",
      "xmlns:xmpp": NS.BOSH,
      ...(route && { route }),
    });
    this._hand(body, answered);
  }

  /** What waits, in one request. strophe.js has two under way at most. @internal */
  _handQueued(): void {
    const { _conn } = this;
    const { _data: waiting, domain } = _conn;
    if (!waiting.length || this._requests.length > 1) return;
    _conn._data = [];
    const body = this._buildBody();
    for (const one of waiting) {
      if (one === "restart") body.attrs({ to: domain as string, "xml:lang": "en", "xmpp:restart": "true", "xmlns:xmpp": NS.BOSH });
      else if (one !== null) body.cnode(one).up();
    }
    this._hand(body, (req) => _conn._dataRecv(req));
  }

  /** Sends the requests that are here. What a page has put in the place of `_processRequest()` may leave them. */
  _throttledRequestHandler(): void {
    for (const req of [...this._requests]) {
      const at = this._requests.indexOf(req);
      if (at >= 0) this._processRequest(at);
    }
  }

  _removeRequest(req: Request): void {
    const at = this._requests.indexOf(req);
    if (at >= 0) this._requests.splice(at, 1);
  }

  /** Same as `_processRequest()`: the stream repeats requests by itself. */
  _restartRequest(index: number): void {
    this._processRequest(index);
  }
}
