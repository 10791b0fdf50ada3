// The mechanisms that a connection has unless the page chooses others.

import type { MechanismClass } from "./login.js";
import { SASLSHA1, SASLSHA256, SASLSHA384, SASLSHA512 } from "./sasl-scram.js";
import { SASLAnonymous, SASLExternal, SASLOAuthBearer, SASLPlain, SASLXOAuth2 } from "./sasl.js";

/** All that strophe.js 5.0.0 registers. */
export const defaultMechanisms = (): MechanismClass[] => [
  SASLAnonymous,
  SASLExternal,
  SASLOAuthBearer,
  SASLXOAuth2,
  SASLPlain,
  SASLSHA1,
  SASLSHA256,
  SASLSHA384,
  SASLSHA512,
];
