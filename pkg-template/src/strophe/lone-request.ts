// What a page sends before it has ever connected: strophe.js posts it in a body without a session, which services refuse. Tests of
// applications look at such requests.

import type { Builder } from "./builder.js";
import type { Connection, Queued } from "./connection.js";
import { Request } from "./request.js";
import { fetchForPage } from "./xhr-fetch.js";

/** Posts elements in that body. `answered` gets the request once it has an answer, or none (status 0). */
export async function postAlone(connection: Connection, body: Builder, elements: Queued[], answered: (req: Request) => void): Promise<void> {
  for (const one of elements) if (one && one !== "restart") body.cnode(one).up();
  const tree = body.tree();
  const req = new Request(tree, answered, Number(tree.getAttribute("rid")), 1);
  const { contentType = "text/xml; charset=utf-8", withCredentials, customHeaders } = connection.options;
  const headers = { "Content-Type": contentType, ...customHeaders };
  const sent = postText(connection.service, { headers, body: req.data, ...(withCredentials && { credentials: "include" as const }) });
  connection.xmlOutput(tree);
  connection.rawOutput(req.data);
  req.xhr = { readyState: 4, ...(await sent) };
  answered(req);
}

async function postText(address: string, init: RequestInit): Promise<{ status: number; responseText: string }> {
  try {
    const response = await fetchForPage(address, { method: "POST", ...init });
    return { status: response.status, responseText: await response.text() };
  } catch {
    return { status: 0, responseText: "" };
  }
}
