// A page that has no right but its own origin's and WebAssembly's. What comes of it is posted, since nothing else may
// come in: not even what a test would evaluate.
import * as epode from "/epode/index.js";
import { flow } from "/flow.js";

const { report, options } = JSON.parse(decodeURIComponent(location.hash.slice(1)));
const violations = [];
let provoked;
const told = new Promise((resolve) => (provoked = resolve));
document.addEventListener("securitypolicyviolation", ({ violatedDirective, blockedURI }) => {
  violations.push(`${violatedDirective} ${blockedURI}`);
  if (violations.length === 3) provoked();
});

// The policy is in force: each of these must be refused.
const refused = [
  () => eval("1"),
  () => new Function("return 1")(),
  () => {
    document.createElement("div").innerHTML = "<b>no</b>";
  },
].map((act) => {
  try {
    act();
    return "allowed";
  } catch (error) {
    return error.name;
  }
});
// Violations are told later than they happen.
await told;

const result = await flow(epode, options).catch((error) => ({ failed: String(error) }));
await fetch(report, { method: "POST", body: JSON.stringify({ result, refused, violations: violations.slice(3) }) });
