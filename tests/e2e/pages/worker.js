// A worker: no window, no document.
import * as epode from "/epode/index.js";
import { flow } from "/flow.js";

addEventListener("message", async ({ data, ports }) => {
  const dom = [typeof window, typeof document, typeof DOMParser];
  const result = await flow(epode, data).catch((error) => ({ failed: String(error) }));
  (ports[0] ?? self).postMessage({ result, dom });
});
