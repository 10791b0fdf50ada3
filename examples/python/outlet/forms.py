"""Data forms (XEP-0004): written, and read."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

DATA = "jabber:x:data"


def value_text(value: Any) -> str:
    """A value as a form carries it."""
    return str(int(value)) if isinstance(value, bool) else str(value)


def write_form(kind: str, fields: Mapping[str, Any], prefix: str = "") -> ET.Element:
    """A form that is submitted. `kind` is its FORM_TYPE; `prefix` goes before each name."""
    form = ET.Element(f"{{{DATA}}}x", type="submit")
    for name, value in {"FORM_TYPE": kind, **{f"{prefix}{name}": value for name, value in fields.items()}}.items():
        field = ET.SubElement(form, f"{{{DATA}}}field", var=name)
        ET.SubElement(field, f"{{{DATA}}}value").text = value_text(value)
    return form


def read_form(parent: ET.Element) -> dict[str, str]:
    """The fields of the first form in an element, by name; a field without a value is an empty text."""
    form = next(parent.iter(f"{{{DATA}}}x"), None)
    fields = form.iter(f"{{{DATA}}}field") if form is not None else ()
    return {field.attrib["var"]: field.findtext(f"{{{DATA}}}value") or "" for field in fields if "var" in field.attrib}
