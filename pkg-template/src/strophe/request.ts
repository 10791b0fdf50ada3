// `Request`: one BOSH request in the form that pages and plugins of strophe.js use. The stream makes the real requests. A `Request` holds
// a body that a plugin has built, or a received body.

import type { Stanza } from "../stanza.js";
import { BodyFrame } from "./arrival.js";
import { Builder } from "./builder.js";
import { ErrorCondition } from "./constants.js";
import { headerPairs } from "./http-status.js";
import { getParserError, xmlHtmlNode } from "./utils.js";

/** The members of `XMLHttpRequest` that plugins read. It makes no request. */
export interface RequestState {
  readyState: number;
  status: number;
  responseText?: string;
  responseXML?: Document | null;
  onreadystatechange?: ((event: never) => void) | null;
  getResponseHeader?(name: string): string | null;
  getAllResponseHeaders?(): string | null;
  abort?(): void;
}

const idle = (): RequestState => ({
  readyState: 0,
  status: 0,
  responseText: "",
  responseXML: null,
  onreadystatechange: null,
  getResponseHeader: () => null,
  getAllResponseHeaders: () => "",
  abort: () => {},
});

const UNUSED = idle();

type Answered = (request: Request) => void;

let lastId = 0;

/** One BOSH request: the body, and the function that gets the response. */
export class Request {
  id = (lastId += 1);
  xmlData: Element;
  origFunc: Answered;
  func: Answered;
  rid: number;
  /** When the request was sent, in milliseconds since 1970. */
  date = NaN;
  sends: number;
  abort = false;
  dead: Date | null = null;
  xhr: RequestState;
  #data: string | undefined;

  constructor(elem: Element, func: Answered, rid: number, sends = 0) {
    this.xmlData = elem;
    this.origFunc = func;
    this.func = func;
    this.rid = rid;
    this.sends = sends;
    this.xhr = this._newXHR();
  }

  /** What the request is sent with. Where a page or a plugin replaces this method, the stream's requests are sent with it too. */
  _newXHR(): RequestState {
    if (typeof XMLHttpRequest === "undefined") return idle();
    const xhr = new XMLHttpRequest();
    xhr.overrideMimeType?.("text/xml; charset=utf-8");
    xhr.onreadystatechange = () => this.func(this);
    return xhr;
  }

  /** The body as text. */
  get data(): string {
    return (this.#data ??= this.xmlData ? Builder.serialize(this.xmlData) : "");
  }

  /** Seconds since the request was sent. */
  age(): number {
    return this.date ? (Date.now() - this.date) / 1000 : 0;
  }

  /** Seconds since the request was aborted. */
  timeDead(): number {
    return this.dead ? (Date.now() - this.dead.getTime()) / 1000 : 0;
  }

  /** The body of the response. Throws the error `bad-format` if it is not XML. */
  getResponse(): Element | null {
    const { responseXML, responseText } = this.xhr;
    const parsed = responseXML ?? (responseText ? xmlHtmlNode(responseText) : null);
    if (!parsed) return null;
    if (getParserError(parsed) === null) return parsed.documentElement;
    const error = new Error("The answer is not XML.");
    error.name = ErrorCondition.BAD_FORMAT;
    throw error;
  }
}

const { getResponse } = Request.prototype;

/** Whether the page has replaced what reads answers. */
export const isReadByPage = (): boolean => Request.prototype.getResponse !== getResponse;

/** An answer as pages read it: text and document are made when they are asked for. */
class AnsweredState implements RequestState {
  readonly readyState = 4;
  status = 200;
  onreadystatechange = null;
  readonly #frame: BodyFrame | undefined;
  readonly #headers: () => string | null;
  #document: Document | undefined;

  constructor(frame: BodyFrame | undefined, headers: () => string | null) {
    this.#frame = frame;
    this.#headers = headers;
  }

  get responseText(): string {
    return this.#frame?.text() ?? "";
  }

  get responseXML(): Document | null {
    return this.#frame ? (this.#document ??= xmlHtmlNode(this.responseText)) : null;
  }

  getAllResponseHeaders(): string | null {
    return this.#headers();
  }

  getResponseHeader(name: string): string | null {
    return new Headers(headerPairs(this.#headers())).get(name);
  }

  abort(): void {}
}

/** A body that the stream has received, as the response to a request; without one, only a status. */
export class AnsweredRequest extends Request {
  readonly frame: BodyFrame;
  declare readonly xhr: AnsweredState;

  constructor(body: Stanza | undefined, func: Answered, rid: number, headers: () => string | null) {
    super(undefined as unknown as Element, func, rid, 1);
    this.frame = new BodyFrame(body as Stanza);
    this.xhr = new AnsweredState(body && this.frame, headers);
  }

  /** Already sent: `xhr` is replaced by the answer. */
  override _newXHR(): RequestState {
    return UNUSED;
  }

  override getResponse(): Element | null {
    return isReadByPage() ? super.getResponse() : this.frame.element();
  }
}
