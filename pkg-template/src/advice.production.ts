// In place of advice.ts for the export condition `production`: what errors say to people, without what to do about it. Code, condition,
// operation and details stay.

import type * as long from "./advice.js";

/** Where the long form stands. */
const SEE = 'See "Errors" in epode/README.md.';

/** @internal */
export const sayProblem: typeof long.sayProblem = (kind, ...details) => {
  const known = details.filter((detail) => detail !== "").join(" ");
  return `${kind}${known && ` (${known})`}. ${SEE}`;
};

/** @internal */
export const sayRefusal: typeof long.sayRefusal = () => SEE;

/** @internal */
export const sayEnd: typeof long.sayEnd = (name, text, { condition, detail, httpStatus }) => {
  const known = [condition, detail, httpStatus || "", text ?? ""].filter((fact) => fact !== "").join(" ");
  return `${name}${known && ` (${known})`}. ${SEE}`;
};
