// How BOSH requests are sent: by `fetch` or the page's `XMLHttpRequest` (`xhr-fetch.ts`), or by what a page or a plugin has put in the place of
// `Request.prototype._newXHR`: pages of 2012 to 2015 set `withCredentials` there, read headers, or send through another domain.

import log from "./log.js";
import { Request, type RequestState } from "./request.js";
import { toElement } from "./utils.js";
import { fetchForPage, responseOf } from "./xhr-fetch.js";

const { _newXHR } = Request.prototype;

/** `fetch` for the stream. */
export const sendRequest: typeof fetch = (address, init = {}) => {
  // Only `fetch` completes a request after its page is gone.
  if (Request.prototype._newXHR !== _newXHR && !init.keepalive) {
    try {
      return sendByPage(String(address), init);
    } catch (error) {
      log.warn(`The page's _newXHR() threw, the request is sent without it: ${(error as Error).message}`);
    }
  }
  return fetchForPage(address, init);
};

/** Throws what `_newXHR()` throws. Redirects are followed, as `XMLHttpRequest` does. */
function sendByPage(address: string, { body, headers, credentials, signal }: RequestInit): Promise<Response> {
  const text = String(body);
  const elem = toElement(text);
  let settle: (xhr: RequestState) => void = () => {};
  const request = new Request(elem, ({ xhr }) => xhr.readyState === 4 && settle(xhr), Number(elem.getAttribute("rid")));
  const xhr = request.xhr as XMLHttpRequest;
  return new Promise((resolve, reject) => {
    settle = (answer) => resolve(responseOf(answer));
    signal?.addEventListener("abort", () => {
      settle = () => {};
      xhr.abort();
      reject(signal.reason as Error);
    });
    xhr.open("POST", address, true);
    // Objects for other domains have no such method.
    new Headers(headers).forEach((value, name) => (xhr as Partial<XMLHttpRequest>).setRequestHeader?.(name, value));
    if (credentials === "include") xhr.withCredentials = true;
    request.date = Date.now();
    xhr.send(text);
  });
}
