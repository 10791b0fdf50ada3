// Data forms as plain objects: values in, values and fields out. The prefix `pubsub#` is optional.
// Specification: XEP-0004 2.13.1.
// Left out: validation (XEP-0122) and layout (XEP-0141); the service that sent the form validates the values.

import type { Reader } from "./reader.js";
import type { Stanza } from "./stanza.js";
import { type Xml, xml } from "./xml.js";

const DATA_FORM = "jabber:x:data";
const PREFIX = "pubsub#";

/**
 * Values for a data form (XEP-0004), by the name of their field. The prefix `pubsub#` may be left out.
 * @example
 * const config: FormInput = { access_model: "whitelist", persist_items: true, max_items: 100 };
 * await client.pubsub.createNode("todos", { config });
 */
export type FormInput = Record<string, string | number | boolean | readonly (string | number)[]>;

/**
 * The value of a field: a boolean, a list, or text. Numbers are text, since forms do not tell them apart.
 * @example
 * const { values } = await client.pubsub.configuration("todos");
 * const most = Number(values.max_items);
 */
export type FormValue = boolean | string | string[];

/**
 * A data form (XEP-0004) that a service filled in.
 * @example
 * const form: Form = await client.pubsub.configuration("todos");
 * console.log(form.values.title, form.fields.map(({ label }) => label));
 */
export interface Form {
  /** The values by the name of their field, without the prefix `pubsub#`. */
  values: Record<string, FormValue | undefined>;
  /** The same fields in the order of the form, with labels, types and choices: what is needed to show the form. */
  fields: FormField[];
}

/**
 * A field of a form.
 * @example
 * const { fields } = await client.pubsub.configuration("todos");
 * for (const { label, name, value } of fields) console.log(label ?? name, value);
 */
export interface FormField {
  /** The name of the field, without the prefix `pubsub#`. */
  name: string;
  /** `"boolean"`, `"text-single"`, `"list-single"`, `"list-multi"`, `"jid-multi"`, … (XEP-0004 §3.3). */
  type: string;
  /** The name of the field for people, in the language that the service chose. */
  label: string | undefined;
  /** An explanation for people. */
  description: string | undefined;
  /** Whether the form cannot be submitted without the field. */
  required: boolean;
  /** The value, or `undefined` when the service gives none. */
  value: FormValue | undefined;
  /** The values that may be chosen in a `list-single` or `list-multi` field. */
  options: { value: string; label: string | undefined }[];
}

/** The values by field name; several for a field of several values. @internal */
export type Values = [name: string, values: string[]][];

/** The values in the option of that name. `undefined` and `null` values are left out. @internal */
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
  // All services accept a form's booleans as digits, not all as words (XEP-0004 §3.3 allows both).
  if (typeof value === "boolean") return value ? "1" : "0";
  let text: string;
  try {
    text = String(value);
  } catch {
    read.refuse(name, "is an object of strings, numbers, booleans, or arrays of them");
  }
  return read.sendable(name, text);
}

/** A submission without a form to answer: `FORM_TYPE` first, then the values. @internal */
export function submission(formType: string, values: Values): Xml {
  const field = (name: string, all: string[]): Xml =>
    xml`<field var="${name}">${all.map((one) => xml`<value>${one}</value>`)}</field>`;
  return xml`<x xmlns="${DATA_FORM}" type="submit"><field type="hidden" var="FORM_TYPE"><value>${formType}</value></field>${values.map(([name, all]) => field(name, all))}</x>`;
}

/** The values and fields of the form in `parent`; empty if there is no form. @internal */
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

/**
 * The value of a field: a boolean, a list, a text, or `undefined`. Results mostly leave the type out: then several
 * values are a list.
 */
function valueOf(type: string | undefined, texts: string[]): FormValue | undefined {
  if (type === "boolean") return texts[0] === "1" || texts[0] === "true";
  return type?.endsWith("-multi") || texts.length > 1 ? texts : texts[0];
}
