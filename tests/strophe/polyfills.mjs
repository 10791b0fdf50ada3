// What strophe.js 5.0.0 needs of a page and Node 20 lacks. It gives itself a DOM and a WebSocket there, but no XMLHttpRequest.

class Request {
  readyState = 0;
  status = 0;
  responseText = "";
  responseXML = null;
  withCredentials = false;
  onreadystatechange = null;
  #method;
  #url;
  #headers = {};
  #answered = {};
  #abort = new AbortController();

  open(method, url) {
    this.#method = method;
    this.#url = url;
    this.readyState = 1;
  }

  setRequestHeader(name, value) {
    this.#headers[name] = value;
  }

  getAllResponseHeaders() {
    return Object.entries(this.#answered).map(([name, value]) => `${name}: ${value}\r\n`).join("");
  }

  abort() {
    this.#abort.abort();
  }

  async send(body) {
    let isAborted = false;
    this.#abort.signal.addEventListener("abort", () => (isAborted = true));
    try {
      const response = await fetch(this.#url, { method: this.#method, headers: this.#headers, body, signal: this.#abort.signal });
      this.#answered = Object.fromEntries(response.headers);
      this.responseText = await response.text();
      this.status = response.status;
      if (/xml/.test(response.headers.get("Content-Type") ?? "") && this.responseText) {
        // Like a browser's: a document that holds the error, where the text is not well-formed.
        this.responseXML = new DOMParser().parseFromString(this.responseText, "text/xml");
      }
    } catch {
      this.status = 0;
    }
    if (isAborted) return;
    this.readyState = 4;
    this.onreadystatechange?.();
  }
}

class Storage {
  #kept = new Map();
  getItem = (key) => this.#kept.get(String(key)) ?? null;
  setItem = (key, value) => void this.#kept.set(String(key), String(value));
  removeItem = (key) => void this.#kept.delete(String(key));
  clear = () => this.#kept.clear();
}

/** Sets what is missing. epode uses Node's own `fetch`, unless there is an `XMLHttpRequest`. */
export function completeNode(name) {
  if (name === "npm") globalThis.XMLHttpRequest ??= Request;
  globalThis.sessionStorage ??= new Storage();
}
