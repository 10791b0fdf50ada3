// `fetch` over `XMLHttpRequest`, which strophe.js uses: for pages that have replaced or wrapped the platform's, to watch requests or to
// answer them (sinon's fake server, xhr2 in Node, a bridge of a native application). Others get the platform's `fetch`.
//
// Left out: what `XMLHttpRequest` cannot do. Requests without the page's cookies go by `fetch`, as do those that outlive the page where
// only methods are wrapped. Redirects are followed, as strophe.js's are: `fetch` refuses them, since a body may hold a password.

import { headerPairs } from "./http-status.js";
import type { RequestState } from "./request.js";

/** Statuses whose responses have no body (Fetch §2.2.3): `Response` refuses one. */
const BODILESS: readonly number[] = [204, 205, 304];

const isNative = (value: unknown): boolean => typeof value === "function" && /\[native code\]\s*\}$/.test(Function.prototype.toString.call(value));

/** Whether the request has to be made with `XMLHttpRequest`. */
function isForXhr({ keepalive, credentials, mode }: RequestInit): boolean {
  if (typeof XMLHttpRequest === "undefined" || credentials === "omit" || mode === "no-cors") return false;
  // One that is not the platform's may have no network behind it: it gets every request.
  if (!isNative(XMLHttpRequest)) return true;
  const { open, send, setRequestHeader } = XMLHttpRequest.prototype;
  return !keepalive && ![open, send, setRequestHeader].every(isNative);
}

/** One request, by what the page wants requests to be made with. */
export const fetchForPage: typeof fetch = (address, init = {}) => (isForXhr(init) ? fetchByXhr(String(address), init) : globalThis.fetch(address, init));

function fetchByXhr(address: string, { method = "GET", headers, credentials, body, signal }: RequestInit): Promise<Response> {
  return new Promise((resolve, reject) => {
    const xhr = new XMLHttpRequest();
    xhr.overrideMimeType?.("text/xml; charset=utf-8");
    xhr.onreadystatechange = () => {
      if (xhr.readyState === 4) resolve(responseOf(xhr));
    };
    xhr.open(method, address, true);
    new Headers(headers).forEach((value, name) => xhr.setRequestHeader(capitalised(name), value));
    if (credentials === "include") xhr.withCredentials = true;
    signal?.addEventListener("abort", () => {
      xhr.onreadystatechange = null;
      xhr.abort();
      reject(signal.reason as Error);
    });
    xhr.send(body as string);
  });
}

/** As strophe.js, and so those who watch requests, write the names of headers. */
const capitalised = (name: string): string => name.replace(/\b[a-z]/g, (letter) => letter.toUpperCase());

/** What such an object has received. Rejects without an answer, and with one that no `Response` can be. */
export async function responseOf(xhr: RequestState): Promise<Response> {
  const { status, responseText = "" } = xhr;
  if (!status) throw new TypeError("The request has got no answer.");
  // The text is decoded already: its length is another.
  const headers = headerPairs(xhr.getAllResponseHeaders?.() ?? null).filter(([name]) => !/^content-(length|encoding)$/i.test(name));
  return new Response(BODILESS.includes(status) ? null : responseText, { status, headers });
}
