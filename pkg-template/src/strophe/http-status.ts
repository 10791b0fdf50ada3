// What HTTP answered, told to strophe.js's error handlers and kept for `lastResponseHeaders`.

/** `fetch`, each answer told. Status 0 stands for a request that got none. */
export function observedFetch(fetch: typeof globalThis.fetch, tell: (status: number, headers: Headers | null) => void): typeof fetch {
  return async (address, init) => {
    let response: Response;
    try {
      response = await fetch(address, init);
    } catch (error) {
      // The stream itself gives up requests: such an end is no failure of the service.
      if (!init?.signal?.aborted) tell(0, null);
      throw error;
    }
    // Redirects are not followed, and their status is hidden from the page.
    if (response.type !== "opaqueredirect") tell(response.status, response.headers);
    return response;
  };
}

/** Headers in the form of `XMLHttpRequest.getAllResponseHeaders()`. */
export function headersAsText(headers: Headers | string | null): string | null {
  if (headers === null || typeof headers === "string") return headers;
  let text = "";
  headers.forEach((value, name) => (text += `${name}: ${value}\r\n`));
  return text;
}
