// Data forms as plain objects: values in, values and fields out. `pubsub#` goes without saying.
// Specification: XEP-0004 2.13.1.
// Left out: validation (XEP-0122) and layout (XEP-0141); the service that gave the form judges the values.

import type { Reader } from "./reader.js";
import type { Stanza } from "./stanza.js";
import { type Xml, xml } from "./xml.js";

const DATA_FORM = "jabber:x:data";
const PREFIX = "pubsub#";

/** Values for a form, by the name of their field: those of pubsub with or without the prefix `pubsub#`. */
export type FormInput = Record<string, string | number | boolean | readonly (string | number)[]>;

/** What a field holds: yes or no, a list, otherwise text, numbers too. */
export type FormValue = boolean | string | string[];

/** A form that a service filled in. */
export interface Form {
  /** What it says, by the name of the field, without `pubsub#`. */
  values: Record<string, FormValue | undefined>;
  /** The same with what is needed to show it to people. */
  fields: FormField[];
}

export interface FormField {
  name: string;
  /** `"boolean"`, `"text-single"`, `"list-single"`, `"list-multi"`, `"jid-multi"`, … (XEP-0004 §3.3). */
  type: string;
  label: string | undefined;
  description: string | undefined;
  required: boolean;
  value: FormValue | undefined;
  /** What may be chosen. */
  options: { value: string; label: string | undefined }[];
}

/** Values by the name of their field; several of one that takes several. @internal */
export type Values = [name: string, values: string[]][];

/** The values in the option of that name. One that is `undefined` or `null` is left out. @internal */
export function valuesOf(read: Reader, name: string, object: unknown): Values {
  const values: Values = [];
  for (const [field, value] of Object.entries((object ?? {}) as Record<string, unknown>)) {
    if (value === undefined || value === null) continue;
    const sent = read.sendable(name, field);
    const all: unknown[] = Array.isArray(value) ? value : [value];
    values.push([sent.includes("#") ? sent : PREFIX + sent, all.map((one) => textOf(read, name, one))]);
  }
  return values;
}

function textOf(read: Reader, name: string, value: unknown): string {
  // Data forms' booleans as digits are read everywhere, as words not (XEP-0004 §3.3 allows both).
  if (typeof value === "boolean") return value ? "1" : "0";
  let text: string;
  try {
    text = String(value);
  } catch {
    read.refuse(name, "is an object of strings, numbers, booleans, or arrays of them");
  }
  return read.sendable(name, text);
}

/** A form that is filled in, without one to answer: `FORM_TYPE` first, then the values. @internal */
export function submission(formType: string, values: Values): Xml {
  const field = (name: string, all: string[]): Xml =>
    xml`<field var="${name}">${all.map((one) => xml`<value>${one}</value>`)}</field>`;
  return xml`<x xmlns="${DATA_FORM}" type="submit"><field type="hidden" var="FORM_TYPE"><value>${formType}</value></field>${values.map(([name, all]) => field(name, all))}</x>`;
}

/** What the form in `parent` says; nothing where there is none. @internal */
export function readForm(parent: Stanza | undefined): Form {
  const values = Object.create(null) as Form["values"];
  const fields: FormField[] = [];
  for (const element of parent?.child("x", DATA_FORM)?.children("field", DATA_FORM) ?? []) {
    const field = readField(element);
    if (!field) continue;
    values[field.name] = field.value;
    fields.push(field);
  }
  return { values, fields };
}

function readField(element: Stanza): FormField | undefined {
  const variable = element.attr("var");
  if (variable === undefined || variable === "FORM_TYPE") return undefined;
  const type = element.attr("type");
  const texts = element.children("value", DATA_FORM).map((value) => value.text());
  const options = element.children("option", DATA_FORM).flatMap((option) => {
    const value = option.text("value", DATA_FORM);
    return value === undefined ? [] : [{ value, label: option.attr("label") }];
  });
  return {
    name: variable.startsWith(PREFIX) ? variable.slice(PREFIX.length) : variable,
    type: type ?? "text-single",
    label: element.attr("label"),
    description: element.children("desc", DATA_FORM).at(-1)?.text(),
    required: element.child("required", DATA_FORM) !== undefined,
    value: valueOf(type, texts),
    options,
  };
}

/** Yes or no, a list, a text, or nothing. In results types are mostly left out: then several values are a list. */
function valueOf(type: string | undefined, texts: string[]): FormValue | undefined {
  if (type === "boolean") return texts[0] === "1" || texts[0] === "true";
  return type?.endsWith("-multi") || texts.length > 1 ? texts : texts[0];
}
