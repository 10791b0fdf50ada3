"""What an item carries: JSON (XEP-0335), or XML in an Atom entry, which is what django-pubsub sent."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from typing import Any

JSON = "urn:xmpp:json:0"
ATOM = "http://www.w3.org/2005/Atom"

# XML 1.0 §2.2, read the other way round. A server ends the whole stream over one such character.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def is_legal(text: str) -> bool:
    """Can this text be sent in XML?"""
    return _ILLEGAL.search(text) is None


def json_payload(value: Any, encoder: type[json.JSONEncoder] | None = None) -> ET.Element:
    """A JSON container. What XML cannot carry is escaped by JSON itself (`ensure_ascii`)."""
    element = ET.Element(f"{{{JSON}}}json")
    element.text = json.dumps(value, cls=encoder, separators=(",", ":"))
    return element


def entry_payload(xml: str) -> ET.Element:
    """An Atom entry around a document, whose elements come into Atom's namespace: pages of django-pubsub expect it so."""
    without_declaration = re.sub(r"^\s*<\?xml[^>]*\?>", "", xml)
    return ET.fromstring(f'<entry xmlns="{ATOM}">{without_declaration}</entry>')
