"""The payloads of items: JSON (XEP-0335), or XML in an Atom entry, as django-pubsub sent it; and whether one can be sent."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from typing import Any

from slixmpp.xmlstream import tostring

JSON = "urn:xmpp:json:0"
ATOM = "http://www.w3.org/2005/Atom"

#: Bytes that one stanza may have: what Prosody (`c2s_stanza_size_limit`) and ejabberd's packages (`max_stanza_size`) allow.
MAX_STANZA = 256 * 1024
#: Bytes kept free for what is around a payload: addresses, the names of node and item.
ENVELOPE = 4 * 1024

# The complement of XML 1.0 §2.2. A server ends the whole stream over one such character.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def is_legal(text: str) -> bool:
    """Whether XML can carry a text."""
    return _ILLEGAL.search(text) is None


def why_unsendable(element: ET.Element, max_bytes: int = MAX_STANZA) -> str | None:
    """Why an element cannot be sent, as a clause for people; None when it can. `max_bytes`: of the element as XML."""
    if not all(map(is_legal, _texts(element))):
        return "it has a character that XML cannot carry"
    size = len(tostring(element).encode())
    if size > max_bytes:
        return f"it takes {size:,} bytes, and {max_bytes:,} are possible"
    return None


def json_payload(value: Any, encoder: type[json.JSONEncoder] | None = None) -> ET.Element:
    """A JSON container. JSON itself escapes what XML cannot carry (`ensure_ascii`)."""
    element = ET.Element(f"{{{JSON}}}json")
    element.text = json.dumps(value, cls=encoder, separators=(",", ":"))
    return element


def entry_payload(xml: str) -> ET.Element:
    """An Atom entry around a document, whose elements come into Atom's namespace: pages of django-pubsub expect it so."""
    without_declaration = re.sub(r"^\s*<\?xml[^>]*\?>", "", xml)
    return ET.fromstring(f'<entry xmlns="{ATOM}">{without_declaration}</entry>')


def _texts(element: ET.Element) -> Iterator[str]:
    for part in element.iter():
        yield part.text or ""
        yield part.tail or ""
        yield from part.attrib.values()
