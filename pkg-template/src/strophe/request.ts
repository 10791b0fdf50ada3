// `Request`: one BOSH request in the form that pages and plugins of strophe.js use. The stream makes the real requests. A `Request` holds
// a body that a plugin has built, or a received body.

import type { Stanza } from "../stanza.js";
import { BodyFrame } from "./arrival.js";
import { Builder } from "./builder.js";
import { ErrorCondition } from "./constants.js";
import { getParserError, xmlHtmlNode } from "./utils.js";

/** The members of `XMLHttpRequest` that plugins read. It makes no request. */
export interface RequestState {
  readyState: number;
  status: number;
  responseText?: string;
  responseXML?: { documentElement: Element } | null;
  onreadystatechange?: (() => void) | null;
  getAllResponseHeaders?(): string | null;
  abort?(): void;
}

const idle = (): RequestState => ({
  readyState: 0,
  status: 0,
  responseText: "",
  responseXML: null,
  onreadystatechange: null,
  getAllResponseHeaders: () => "",
  abort: () => {},
});

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
  xhr: RequestState = idle();
  #data: string | undefined;

  constructor(elem: Element, func: Answered, rid: number, sends = 0) {
    this.xmlData = elem;
    this.origFunc = func;
    this.func = func;
    this.rid = rid;
    this.sends = sends;
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
    if (getParserError(parsed as Document) === null) return parsed.documentElement;
    const error = new Error("The answer is not XML.");
    error.name = ErrorCondition.BAD_FORMAT;
    throw error;
  }
}

/** A body that the stream has received, as the response to a request. */
export class AnsweredRequest extends Request {
  readonly frame: BodyFrame;

  constructor(body: Stanza, func: Answered, rid: number) {
    super(undefined as unknown as Element, func, rid, 1);
    this.frame = new BodyFrame(body);
    this.xhr = { ...idle(), readyState: 4, status: 200 };
  }

  override getResponse(): Element {
    return this.frame.element();
  }
}
