// `Request`: one BOSH request as strophe.js shows it to pages and plugins. The stream makes the real requests; these carry what is to
// be sent (built by a plugin) or what was answered.

import type { Stanza } from "../stanza.js";
import { BodyFrame } from "./arrival.js";
import { Builder } from "./builder.js";
import { ErrorCondition } from "./constants.js";
import { getParserError, xmlHtmlNode } from "./utils.js";

/** The part of `XMLHttpRequest` that plugins look at. No request is made with it. */
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

/** One BOSH request: the body, and the function that the answer goes to. */
export class Request {
  id = (lastId += 1);
  xmlData: Element;
  origFunc: Answered;
  func: Answered;
  rid: number;
  /** When it was sent, in milliseconds since 1970. */
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

  /** Seconds since it was sent. */
  age(): number {
    return this.date ? (Date.now() - this.date) / 1000 : 0;
  }

  /** Seconds since it was given up. */
  timeDead(): number {
    return this.dead ? (Date.now() - this.dead.getTime()) / 1000 : 0;
  }

  /** The body that was answered. Throws the error `bad-format` for one that is not XML. */
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

/** The body that the stream has received, as the answer to a request. */
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
