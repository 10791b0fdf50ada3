// The default SASL mechanisms of a connection.

import type { MechanismClass } from "./login.js";
import { SASLSHA1, SASLSHA256, SASLSHA384, SASLSHA512 } from "./sasl-scram.js";
import { SASLAnonymous, SASLExternal, SASLOAuthBearer, SASLPlain, SASLXOAuth2 } from "./sasl.js";

/** The mechanisms that strophe.js 5.0.0 registers. */
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
