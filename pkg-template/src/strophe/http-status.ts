// Reports the statuses of HTTP responses to strophe.js's error handlers, and their headers to `lastResponseHeaders`.

/** `send`; `report` is called for each response. Status 0 means that there was no response. */
export function observedFetch(send: typeof fetch, report: (status: number, headers: Headers | null) => void): typeof fetch {
  return async (address, init) => {
    let response: Response;
    try {
      response = await send(address, init);
    } catch (error) {
      // A request that the stream aborts is not a failure of the service.
      if (!init?.signal?.aborted) report(0, null);
      throw error;
    }
    // Redirects are not followed, and their status is hidden from the page.
    if (response.type !== "opaqueredirect") report(response.status, response.headers);
    return response;
  };
}

/** The headers in the form of `XMLHttpRequest.getAllResponseHeaders()`. */
export function headersAsText(headers: Headers | string | null): string | null {
  if (headers === null || typeof headers === "string") return headers;
  let text = "";
  headers.forEach((value, name) => (text += `${name}: ${value}\r\n`));
  return text;
}

/** Names and values in such a text. */
export function headerPairs(text: string | null): [string, string][] {
  const found = (text ?? "").matchAll(/^([^:\r\n]+):[ \t]*([^\r\n]*)$/gm);
  return Array.from(found, ([, name, value]) => [name as string, value as string]);
}
