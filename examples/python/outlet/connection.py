"""One XMPP session over TCP (RFC 6120), kept open in a thread: what a site's server says, and what it is answered.

Every method waits for the answer. `Unreachable`: try again later. `Refused`: the service has said no, and will again.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterator, Mapping
from typing import Any, TypeVar

from slixmpp import ClientXMPP
from slixmpp.exceptions import IqError, IqTimeout, PresenceError, XMPPError
from slixmpp.jid import JID
from slixmpp.xmlstream.xmlstream import NotConnectedError

from .payloads import is_legal

log = logging.getLogger(__name__)
T = TypeVar("T")

PUBSUB = "http://jabber.org/protocol/pubsub"
OWNER = f"{PUBSUB}#owner"
NODE_CONFIG = f"{PUBSUB}#node_config"
ROOM_OWNER = "http://jabber.org/protocol/muc#owner"
ROOM_CONFIG = "http://jabber.org/protocol/muc#roomconfig"
COMMANDS = "http://jabber.org/protocol/commands"
ADMIN = "http://jabber.org/protocol/admin"
DATA = "jabber:x:data"

#: Errors that a service gets over: it starts, it is overloaded, something behind it is away.
PASSING = {"internal-server-error", "remote-server-not-found", "remote-server-timeout", "resource-constraint", "service-unavailable"}


class Unreachable(Exception):
    """Nobody has answered, or only to say "later"."""

    #: Did the service itself say so? Then it is about this request, and others may go through.
    by_service = False


class Refused(Exception):
    """The service has said no."""

    def __init__(self, condition: str, text: str = "") -> None:
        super().__init__(f"{condition} ({text})" if text else condition)
        self.condition = condition


class Connection:
    """A session of one account, made with the first request and made again after it broke, when it is wanted."""

    def __init__(
        self,
        jid: str,
        password: str,
        *,
        host: str | None = None,
        port: int = 5222,
        tls: bool = True,
        pubsub: str | None = None,
        timeout: float = 10.0,
    ) -> None:
        """`host` and `port`: where the server is, unless DNS tells. `tls=False` is for a server on the same machine.
        `pubsub`: the service's address, by default `pubsub.` and the account's domain. `timeout`: seconds for any answer."""
        self.jid = JID(jid)
        self.domain = self.jid.domain
        self.pubsub = pubsub or f"pubsub.{self.domain}"
        self._password = password
        self._address = (host, port) if host else (None, None)
        self._tls = tls
        self._timeout = timeout
        self.forget()

    def forget(self) -> None:
        """Begins anew, as if there never was a session: in a forked process, which has the object and not its thread."""
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: ClientXMPP | None = None
        #: Settled when this session is over; None where there is none.
        self._over: asyncio.Future[None] | None = None
        #: What was done once in this session, and the rooms that it is in, by which name.
        self._done: set[Hashable] = set()
        self._nicks: dict[str, str] = {}

    # ── publish-subscribe: XEP-0060 ──

    def create_node(self, node: str, config: Mapping[str, Any]) -> bool:
        """Creates a node. False when there is one of that name; its configuration then is left as it is."""
        pubsub = ET.Element(f"{{{PUBSUB}}}pubsub")
        ET.SubElement(pubsub, f"{{{PUBSUB}}}create", node=node)
        ET.SubElement(pubsub, f"{{{PUBSUB}}}configure").append(_form(NODE_CONFIG, config, "pubsub#"))
        return self._unless("conflict", pubsub)

    def ensure_node(self, node: str, config: Mapping[str, Any], affiliations: Mapping[str, str] | None = None) -> None:
        """Sees to it, once a session, that a node exists, and that these have their affiliations."""

        def act() -> None:
            self.create_node(node, config)
            if affiliations:
                self.set_affiliations(node, affiliations)

        self.once(("node", node), act)

    def set_affiliations(self, node: str, affiliations: Mapping[str, str]) -> None:
        """Says who may do what at a node of ours: `{"romeo@example.org": "member"}`."""
        pubsub = ET.Element(f"{{{OWNER}}}pubsub")
        parent = ET.SubElement(pubsub, f"{{{OWNER}}}affiliations", node=node)
        for jid, affiliation in affiliations.items():
            ET.SubElement(parent, f"{{{OWNER}}}affiliation", jid=jid, affiliation=affiliation)
        self._ask(self.pubsub, pubsub)

    def publish(self, node: str, item_id: str, payload: ET.Element) -> None:
        """Publishes an item, or puts it in the place of the one with that id."""
        pubsub = ET.Element(f"{{{PUBSUB}}}pubsub")
        item = ET.SubElement(ET.SubElement(pubsub, f"{{{PUBSUB}}}publish", node=node), f"{{{PUBSUB}}}item", id=item_id)
        item.append(payload)
        self._ask(self.pubsub, pubsub)

    def retract(self, node: str, item_id: str) -> bool:
        """Takes an item back, and has everybody told. False when there was none."""
        pubsub = ET.Element(f"{{{PUBSUB}}}pubsub")
        retract = ET.SubElement(pubsub, f"{{{PUBSUB}}}retract", node=node, notify="true")
        ET.SubElement(retract, f"{{{PUBSUB}}}item", id=item_id)
        return self._unless("item-not-found", pubsub)

    def item_ids(self, node: str) -> list[str]:
        """The ids of what a node holds (XEP-0030, as XEP-0060 §5.5 says)."""
        query = ET.Element("{http://jabber.org/protocol/disco#items}query", node=node)
        reply = self._ask(self.pubsub, query, kind="get")
        return [item.attrib["name"] for item in reply.iter("{http://jabber.org/protocol/disco#items}item") if "name" in item.attrib]

    # ── rooms: XEP-0045 ──

    def enter(self, room: str, nick: str) -> str:
        """Is in a room from then on, and gives back under which name. One that did not exist is made to last."""
        return self._run(self._enter(room, nick))

    def say(self, room: str, nick: str, text: str, message_id: str | None = None) -> None:
        """Says something in a room, having joined it. Done when the room has said it to everybody, ourselves among them."""
        self._run(self._say(room, nick, text, message_id or uuid.uuid4().hex))

    # ── accounts: XEP-0133. Ours has to be an admin's ──

    def create_account(self, jid: str, password: str) -> None:
        """Makes an account; `Refused` when it exists."""
        self._command("add-user", {"accountjid": jid, "password": password, "password-verify": password})

    def set_password(self, jid: str, password: str) -> None:
        """Gives an account another password."""
        self._command("change-user-password", {"accountjid": jid, "password": password})

    # ── the session ──

    def once(self, what: Hashable, act: Callable[[], None]) -> None:
        """Does what has to be done once a session: a server that was away may have forgotten."""
        if what not in self._done:
            act()
            self._done.add(what)

    def close(self) -> None:
        """Ends the session in good order, where there is one."""
        if self._loop is not None and self._client is not None:
            try:
                asyncio.run_coroutine_threadsafe(self._good_bye(), self._loop).result(3)
            except Exception:  # noqa: BLE001  what cannot say good-bye is gone all the same
                log.debug("no good-bye", exc_info=True)

    async def _good_bye(self) -> None:
        if self._client is not None:
            await self._client.disconnect(wait=2)

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        """Has it done in the connection's thread, and waits."""
        with self._starting:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name="xmpp", daemon=True).start()
        future = asyncio.run_coroutine_threadsafe(work, self._loop)
        try:
            # Connecting, and twice an answer: more than any of ours takes.
            return future.result(4 * self._timeout)
        except concurrent.futures.TimeoutError:
            future.cancel()
            raise Unreachable("no answer") from None

    async def _session(self) -> ClientXMPP:
        if self._over is not None and self._client is not None:
            return self._client
        client = self._client or self._make_client()
        loop = asyncio.get_running_loop()
        self._opened: asyncio.Future[None] = loop.create_future()
        host, port = self._address
        client.connect(host, port)
        try:
            await asyncio.wait_for(self._opened, self._timeout)
        except asyncio.TimeoutError:
            raise Unreachable(f"no session within {self._timeout:g} s") from None
        finally:
            if self._over is None:
                client.cancel_connection_attempt()
                client.abort()
        log.info("online as %s", client.boundjid.full)
        return client

    def _make_client(self) -> ClientXMPP:
        # Without TLS a password is still not sent in the clear: SCRAM or nothing.
        client = ClientXMPP(self.jid, self._password, plugin_config={"feature_mechanisms": {"unencrypted_scram": not self._tls}})
        if not self._tls:
            client.enable_direct_tls = client.enable_starttls = False
            client.enable_plaintext = True
        for plugin in ("xep_0045", "xep_0199"):
            client.register_plugin(plugin)
        # A connection that died without a word is found out.
        client["xep_0199"].enable_keepalive(interval=60, timeout=self._timeout)

        def opened(_event: object) -> None:
            self._over = asyncio.get_running_loop().create_future()
            if not self._opened.done():
                self._opened.set_result(None)

        def failed(reason: object) -> None:
            if not self._opened.done():
                self._opened.set_exception(Unreachable(str(reason or "the connection was closed")))

        def lost(reason: object) -> None:
            if self._over is not None:
                log.info("the connection is lost: %s", reason or "closed")
                self._over.set_result(None)
                self._over = None
            self._done.clear()
            self._nicks.clear()
            failed(reason)

        client.add_event_handler("session_start", opened)
        client.add_event_handler("connection_failed", failed)
        client.add_event_handler("failed_all_auth", lambda _event: failed("the login was refused"))
        client.add_event_handler("disconnected", lost)
        self._client = client
        return client

    async def _answer(self, awaited: Awaitable[T]) -> T:
        """What is awaited, unless the session ends before."""
        task = asyncio.ensure_future(awaited)
        over = self._over
        await asyncio.wait({task, over} if over else {task}, return_when=asyncio.FIRST_COMPLETED, timeout=self._timeout)
        if not task.done():
            task.cancel()
            raise Unreachable("the connection was lost before the answer" if over and over.done() else "no answer")
        try:
            return task.result()
        except (IqTimeout, asyncio.TimeoutError, NotConnectedError):
            raise Unreachable("no answer") from None
        except (IqError, PresenceError, XMPPError) as error:
            raise _failure(error) from None

    async def _request(self, to: str, payload: ET.Element, kind: str) -> ET.Element:
        if not is_legal("".join(_texts(payload))):
            raise Refused("bad-request", "it holds a character that XML cannot carry")
        client = await self._session()
        iq = client.make_iq_set(ito=to) if kind == "set" else client.make_iq_get(ito=to)
        iq.xml.append(payload)
        return (await self._answer(iq.send(timeout=self._timeout))).xml

    def _ask(self, to: str, payload: ET.Element, kind: str = "set") -> ET.Element:
        return self._run(self._request(to, payload, kind))

    def _unless(self, condition: str, payload: ET.Element) -> bool:
        try:
            self._ask(self.pubsub, payload)
        except Refused as refused:
            if refused.condition == condition:
                return False
            raise
        return True

    def _command(self, name: str, fields: Mapping[str, str]) -> None:
        node = f"{ADMIN}#{name}"
        asked = self._ask(self.domain, ET.Element(f"{{{COMMANDS}}}command", node=node, action="execute"))
        session = asked[0].attrib["sessionid"]
        command = ET.Element(f"{{{COMMANDS}}}command", node=node, action="complete", sessionid=session)
        command.append(_form(ADMIN, fields))
        reply = self._ask(self.domain, command)
        # Prosody tells of a failure in a note; ejabberd by an error, which `_ask` has raised.
        for note in reply.iter(f"{{{COMMANDS}}}note"):
            if note.attrib.get("type") == "error":
                raise Refused("conflict" if "exist" in (note.text or "") else "not-acceptable", note.text or "")

    async def _enter(self, room: str, nick: str) -> str:
        client = await self._session()
        for name in (nick, f"{nick} {uuid.uuid4().hex[:4]}"):
            if room in self._nicks:
                break
            try:
                presence, *_ = await self._answer(client["xep_0045"].join_muc_wait(JID(room), name, maxstanzas=0, timeout=self._timeout))
            except Refused as refused:
                # Another process of the site, or somebody who likes the name.
                if refused.condition == "conflict" and name == nick:
                    continue
                raise
            self._nicks[room] = name
            if 201 in presence["muc"]["status_codes"]:
                query = ET.Element(f"{{{ROOM_OWNER}}}query")
                query.append(_form(ROOM_CONFIG, {"persistentroom": True}, "muc#roomconfig_"))
                await self._request(room, query, "set")
        return self._nicks[room]

    async def _say(self, room: str, nick: str, text: str, message_id: str) -> None:
        if not is_legal(text):
            raise Refused("bad-request", "it holds a character that XML cannot carry")
        await self._enter(room, nick)
        client = await self._session()
        said: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        def heard(message: Any) -> None:
            if message["id"] != message_id or said.done():
                return
            if message["type"] == "error":
                said.set_exception(_failure(message))
            else:
                said.set_result(None)

        with client.event_handler(f"muc::{room}::message", heard), client.event_handler("groupchat_message_error", heard):
            message = client.make_message(mto=room, mbody=text, mtype="groupchat")
            message["id"] = message_id
            message.send()
            await self._answer(said)


def _failure(error: Any) -> Exception:
    """What an error stanza, or the exception made of one, means for us."""
    condition = getattr(error, "condition", None) or error["error"]["condition"]
    kind = getattr(error, "etype", None) or error["error"]["type"]
    text = getattr(error, "text", None) or ""
    if kind == "wait" or condition in PASSING:
        unreachable = Unreachable(condition)
        unreachable.by_service = True
        return unreachable
    return Refused(condition, text)


def _form(kind: str, fields: Mapping[str, Any], prefix: str = "") -> ET.Element:
    """A form that is sent in (XEP-0004)."""
    form = ET.Element(f"{{{DATA}}}x", type="submit")
    for name, value in {"FORM_TYPE": kind, **{f"{prefix}{name}": value for name, value in fields.items()}}.items():
        field = ET.SubElement(form, f"{{{DATA}}}field", var=name)
        ET.SubElement(field, f"{{{DATA}}}value").text = str(int(value)) if isinstance(value, bool) else str(value)
    return form


def _texts(element: ET.Element) -> Iterator[str]:
    for part in element.iter():
        yield part.text or ""
        yield part.tail or ""
        yield from part.attrib.values()
