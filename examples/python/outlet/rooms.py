"""Rooms (XEP-0045 1.34.6) that the site speaks in.

A room that the site names its own must be owned by the site alone: pages show what an owner says as the site's word.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
import xml.etree.ElementTree as ET
from typing import Any

from slixmpp.jid import JID

from .errors import Refused, failure
from .forms import write_form

log = logging.getLogger(__name__)

ROOM_OWNER = "http://jabber.org/protocol/muc#owner"
ROOM_ADMIN = "http://jabber.org/protocol/muc#admin"
ROOM_CONFIG = "http://jabber.org/protocol/muc#roomconfig"


class Rooms:
    """The part of `Connection` that is about rooms."""

    def enter(self, room: str, nick: str, *, own: bool = True) -> str:
        """Joins a room for the rest of the session, and returns the nick. A new room is made persistent.

        `own`: the room must belong to the site; other owners lose that affiliation, and a room of another owner is `Refused`.
        """
        return self._run(self._enter(room, nick, own))

    def say(self, room: str, nick: str, text: str, message_id: str | None = None, *, own: bool = True) -> None:
        """Sends a message to a room, having joined it. Returns when the room has sent it to all occupants, the site included."""
        self._run(self._say(room, nick, text, message_id or uuid.uuid4().hex, own))

    async def _enter(self, room: str, nick: str, own: bool) -> str:
        client = await self._session()
        for name in (nick, f"{nick} {uuid.uuid4().hex[:4]}"):
            if room in self._nicks:
                break
            try:
                presence, *_ = await self._answer(client.plugin["xep_0045"].join_muc_wait(JID(room), name, maxstanzas=0, timeout=self._timeout))
            except Refused as refused:
                # Another process of the site, or an occupant who likes the name.
                if refused.condition == "conflict" and name == nick:
                    continue
                raise
            if 201 in presence["muc"]["status_codes"]:
                await self._configure_room(room)
            elif own and presence["muc"]["affiliation"] != "owner":
                client.plugin["xep_0045"].leave_muc(JID(room), name)
                raise Refused("conflict", f"the room {room} exists and belongs to another account")
            elif own:
                await self._remove_other_owners(room)
            self._nicks[room] = name
        return self._nicks[room]

    async def _configure_room(self, room: str) -> None:
        query = ET.Element(f"{{{ROOM_OWNER}}}query")
        query.append(write_form(ROOM_CONFIG, {"persistentroom": True}, "muc#roomconfig_"))
        await self._request(room, query, "set")

    async def _remove_other_owners(self, room: str) -> None:
        """COMPAT(Prosody): an admin of the server is an owner of every room, also of one that a guest has made."""
        query = ET.Element(f"{{{ROOM_ADMIN}}}query")
        ET.SubElement(query, f"{{{ROOM_ADMIN}}}item", affiliation="owner")
        reply = await self._request(room, query, "get")
        others = {item.attrib["jid"] for item in reply.iter(f"{{{ROOM_ADMIN}}}item") if "jid" in item.attrib} - {self.jid.bare}
        if not others:
            return
        log.warning("room %s: no longer an owner: %s", room, ", ".join(sorted(others)))
        # Ours first: a room keeps its last owner. One by one: COMPAT(Prosody 0.12) reads the first item only.
        for jid, affiliation in [(self.jid.bare, "owner"), *((jid, "none") for jid in sorted(others))]:
            change = ET.Element(f"{{{ROOM_ADMIN}}}query")
            ET.SubElement(change, f"{{{ROOM_ADMIN}}}item", jid=jid, affiliation=affiliation)
            await self._request(room, change, "set")
        await self._configure_room(room)

    async def _say(self, room: str, nick: str, text: str, message_id: str, own: bool) -> None:
        await self._enter(room, nick, own)
        client = await self._session()
        message = client.make_message(mto=room, mbody=text, mtype="groupchat")
        message["id"] = message_id
        self._check(message.xml)
        said: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def received(message: Any) -> None:
            if message["id"] != message_id or said.done():
                return
            if message["type"] == "error":
                said.set_exception(failure(message))
            else:
                said.set_result(None)

        with client.event_handler(f"muc::{room}::message", received), client.event_handler("groupchat_message_error", received):
            message.send()
            await self._answer(said)
