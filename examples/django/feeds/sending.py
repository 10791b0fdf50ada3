"""From what was committed to the XMPP server: one queue and one connection for the process.

What is published is not what was saved but what the database holds when the item's turn comes. So the last word on an
object is always the newest, whichever thread saved it; of many saves in a row, or while the server is away, one item comes.
"""

from __future__ import annotations

import threading
import uuid
from concurrent.futures import Future
from functools import cache, partial
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import close_old_connections

from outlet import Connection, Outlet

if TYPE_CHECKING:
    from .registration import Registration


_making = threading.Lock()


def outlet() -> Outlet:
    """The site's. It connects when there is something to send."""
    with _making:
        return _make_outlet()


@cache
def _make_outlet() -> Outlet:
    connection = Connection(
        settings.XMPP_JID,
        settings.XMPP_PASSWORD,
        host=settings.XMPP_HOST,
        port=settings.XMPP_PORT,
        tls=settings.XMPP_TLS,
        pubsub=settings.XMPP_PUBSUB_HOST,
        max_stanza=settings.XMPP_MAX_STANZA,
    )
    return Outlet(connection)


def node_config(registration: Registration) -> dict[str, Any]:
    """Everybody reads, the site alone writes, and what is there outlives the server (XEP-0060 §16.4.3)."""
    return {
        "access_model": "open",
        "publish_model": "publishers",
        "persist_items": True,
        "max_items": registration.keep,
        "deliver_payloads": True,
        "notify_retract": True,
        # Pages ask for all of it.
        "send_last_published_item": "never",
    }


def object_changed(registration: Registration, pk: Any, using: str) -> Future:
    """Has an object published as it is, or retracted where it is gone."""
    label = f"{registration.node} {pk}"
    return outlet().submit(label, partial(_send, registration, pk, using), key=(registration.node, str(pk), using))


def _send(registration: Registration, pk: Any, using: str, xmpp: Connection) -> None:
    close_old_connections()
    try:
        instance = registration.find(pk, using)
    finally:
        close_old_connections()
    xmpp.ensure_node(registration.node, node_config(registration))
    if instance is None:
        xmpp.retract(registration.node, str(pk))
    else:
        xmpp.publish(registration.node, str(pk), registration.element(instance))


def _room(room: str) -> tuple[str, bool]:
    """A room's address, and whether it is the site's own: one that is named with its service may belong to others."""
    return (room, False) if "@" in room else (f"{room}@{settings.XMPP_MUC_HOST}", True)


def announce(room: str, text: str) -> Future:
    """Sends a message to a room. A repetition has the same id, so that pages can ignore it."""
    address, own = _room(room)
    nick = settings.XMPP_JID.partition("@")[0]
    message_id = uuid.uuid4().hex
    return outlet().submit(f"room {room}", lambda xmpp: xmpp.say(address, nick, text, message_id, own=own))


def enter(room: str) -> Future:
    """Creates a room where there is none, before anybody else does."""
    address, own = _room(room)
    return outlet().submit(f"room {room}", lambda xmpp: xmpp.enter(address, settings.XMPP_JID.partition("@")[0], own=own))


def synchronize(registration: Registration, using: str) -> Future:
    """Has a node made where there is none, what it holds and the database does not retracted, and the newest objects published."""

    def act(xmpp: Connection) -> int:
        close_old_connections()
        node = registration.node
        xmpp.ensure_node(node, node_config(registration))
        newest = list(registration.model._base_manager.using(using).order_by("-pk")[: registration.keep])
        there = {str(instance.pk) for instance in newest}
        for item_id in xmpp.item_ids(node):
            if item_id not in there:
                xmpp.retract(node, item_id)
        for instance in reversed(newest):
            xmpp.publish(node, str(instance.pk), registration.element(instance))
        close_old_connections()
        return len(newest)

    return outlet().submit(f"{registration.node}, all of it", act)
