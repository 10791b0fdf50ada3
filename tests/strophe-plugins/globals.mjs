// What a plugin that is a module imports as "strophe.js".
export const { Strophe, $build, $iq, $msg, $pres, stx, toStanza } = globalThis;
