// The server's side of SCRAM (RFC 5802), for one account.

import { createHash, createHmac, pbkdf2Sync } from "node:crypto";

const SALT = Buffer.from("parity salt");
const ROUNDS = 4096;

/** An exchange: `first(message)` is the challenge, `final(message)` the server's last word, or undefined for a wrong proof. */
export function scram(mechanism, password) {
  const hash = mechanism.replace("SCRAM-", "").replace("-PLUS", "").replace("SHA-", "sha");
  const hmac = (key, data) => createHmac(hash, key).update(data).digest();
  let exchanged = "";
  return {
    first(message) {
      const bare = message.replace(/^[^,]*,[^,]*,/, "");
      const nonce = `${/r=([^,]*)/.exec(bare)[1]}server`;
      const challenge = `r=${nonce},s=${SALT.toString("base64")},i=${ROUNDS}`;
      exchanged = `${bare},${challenge}`;
      return challenge;
    },
    final(message) {
      const salted = pbkdf2Sync(password, SALT, ROUNDS, createHash(hash).digest().length, hash);
      const auth = `${exchanged},${message.replace(/,p=.*/, "")}`;
      const clientKey = hmac(salted, "Client Key");
      const signature = hmac(createHash(hash).update(clientKey).digest(), auth);
      const proof = Buffer.from(/p=(.*)$/.exec(message)[1], "base64");
      if (!Buffer.from(clientKey.map((byte, index) => byte ^ signature[index])).equals(proof)) return undefined;
      return `v=${hmac(hmac(salted, "Server Key"), auth).toString("base64")}`;
    },
  };
}
