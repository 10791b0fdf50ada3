// The xml`…` tag: one well-formed element out of a template, whatever is put into it.

/** Characters that XML 1.0 cannot carry (§2.2); lone surrogates are among them. */
const ILLEGAL = /[\0-\x08\x0b\x0c\x0e-\x1f\p{Cs}\ufffe\uffff]/u;

// White space is written by number where a reader would make something else of it (XML 1.0 §2.11, §3.3.3).
const ESCAPES = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&apos;",
  "\r": "&#13;",
  "\n": "&#10;",
  "\t": "&#9;",
};

/** Every error epode raises: see `XmppError` in the types. */
export function xmppError(code, message, extra) {
  return Object.assign(new Error(message), { name: "XmppError", code }, extra);
}

/** Finished markup. Only the tag makes it, so that text never passes for markup. */
export class Xml {
  #text;

  constructor(text) {
    this.#text = text;
  }

  toString() {
    return this.#text;
  }
}

function illegal() {
  return xmppError(
    "bad-stanza",
    "The text holds a character that XML cannot carry (a control character, half of a surrogate pair, U+FFFE or U+FFFF). Remove it before sending.",
  );
}

/** Half of a surrogate pair would pass into the module as another character: said before it is lost. */
export function wellFormed(value) {
  if (typeof value === "string" && /\p{Cs}/u.test(value)) throw illegal();
}

function escape(value, special) {
  const text = String(value);
  if (ILLEGAL.test(text)) throw illegal();
  return text.replace(special, (character) => ESCAPES[character]);
}

/** Where the template's own text leaves us: in text (""), in a tag ("<"), or in an attribute's quotes. */
function advance(where, text) {
  for (const character of text) {
    if (where === "") {
      if (character === "<") where = "<";
    } else if (where === "<") {
      if (character === ">") where = "";
      else if (character === '"' || character === "'") where = character;
    } else if (character === where) {
      where = "<";
    }
  }
  return where;
}

const nothing = (value) => value === undefined || value === null || value === false;

function content(value, isMarkup) {
  if (nothing(value)) return "";
  if (Array.isArray(value)) return value.map((one) => content(one, isMarkup)).join("");
  return isMarkup(value) ? value.toString() : escape(value, /[&<>"'\r]/g);
}

/** The tag, for a given idea of what is markup already. */
export function makeTag(isMarkup) {
  return function xml(strings, ...values) {
    let out = "";
    let where = "";
    let skipQuote = false;
    strings.forEach((string, index) => {
      const text = skipQuote ? string.slice(1) : string;
      skipQuote = false;
      where = advance(where, text);
      out += text;
      if (index >= values.length) return;
      const value = values[index];
      if (where === "") {
        out += content(value, isMarkup);
      } else if (where === "<") {
        throw xmppError("bad-stanza", 'xml`…`: inside a tag, values go between the quotes of an attribute: to="${jid}".');
      } else if (isMarkup(value)) {
        throw xmppError("bad-stanza", "xml`…`: an element cannot stand in an attribute.");
      } else {
        const whole = /\s[^\s=<>"']+\s*=\s*["']$/.exec(out);
        if (nothing(value) && whole && strings[index + 1].startsWith(where)) {
          // An attribute without a value is left out.
          out = out.slice(0, whole.index);
          where = "<";
          skipQuote = true;
        } else {
          out += nothing(value) ? "" : escape(value, /[&<>"'\r\n\t]/g);
        }
      }
    });
    return new Xml(out);
  };
}
