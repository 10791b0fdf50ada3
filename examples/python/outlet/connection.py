"""One XMPP session over TCP (RFC 6120), kept open in a thread of its own.

Every method waits for the answer. `Unreachable`: try again later. `Refused`: the answer is no, and will be again.
"""

from __future__ import annotations

import asyncio
import concurrent.futures
import logging
import threading
import xml.etree.ElementTree as ET
from collections.abc import Awaitable, Callable, Coroutine, Hashable
from typing import Any, TypeVar

from slixmpp import ClientXMPP
from slixmpp.exceptions import IqError, IqTimeout, PresenceError, XMPPError
from slixmpp.jid import JID
from slixmpp.xmlstream.xmlstream import NotConnectedError

from .accounts import Accounts
from .errors import Refused, Unreachable, failure
from .nodes import Nodes
from .payloads import ENVELOPE, MAX_STANZA, why_unsendable
from .rooms import Rooms

log = logging.getLogger(__name__)
T = TypeVar("T")


class Connection(Nodes, Rooms, Accounts):
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
        max_stanza: int = MAX_STANZA,
    ) -> None:
        """`host` and `port`: where the server is, unless DNS tells. `tls=False` is for a server on the same machine.
        `pubsub`: the service's address, by default `pubsub.` and the account's domain. `timeout`: seconds for any answer.
        `max_stanza`: bytes of a stanza that the server accepts; a larger one is refused here, since a server ends the stream over it."""
        self.jid = JID(jid)
        self.domain = self.jid.domain
        self.pubsub = pubsub or f"pubsub.{self.domain}"
        self._password = password
        self._address = (host, port) if host else (None, None)
        self._tls = tls
        self._timeout = timeout
        self._max_stanza = max_stanza
        self.forget()

    def forget(self) -> None:
        """Begins anew, as if there never was a session: in a forked process, which has the object and not its thread."""
        self._starting = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._client: ClientXMPP | None = None
        #: Settled when this session is over; None where there is none.
        self._over: asyncio.Future[None] | None = None
        #: The condition of the stream error that ended the last session, if there was one.
        self._stream_error: str | None = None
        #: What was done once in this session, and the rooms that it is in, by which name.
        self._done: set[Hashable] = set()
        self._nicks: dict[str, str] = {}

    # ── the session ──

    def once(self, what: Hashable, act: Callable[[], None]) -> None:
        """Does what has to be done once a session: a server that was away may have forgotten."""
        if what not in self._done:
            act()
            self._done.add(what)

    def why_unpublishable(self, payload: ET.Element) -> str | None:
        """Why an item with this payload cannot be published, as a clause for people; None when it can. Needs no session."""
        return why_unsendable(payload, self._max_stanza - ENVELOPE)

    def why_unsayable(self, text: str) -> str | None:
        """The same for a message to a room."""
        body = ET.Element("body")
        body.text = text
        return why_unsendable(body, self._max_stanza - ENVELOPE)

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
            # Connecting, and the answers of the longest request, which enters a room.
            return future.result(8 * self._timeout)
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
            raise Unreachable(f"no session within {self._timeout:g} s", outage=True) from None
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
        client.plugin["xep_0199"].enable_keepalive(interval=60, timeout=self._timeout)

        def opened(_event: object) -> None:
            self._over = asyncio.get_running_loop().create_future()
            self._stream_error = None
            if not self._opened.done():
                self._opened.set_result(None)

        def failed(reason: object) -> None:
            if not self._opened.done():
                self._opened.set_exception(Unreachable(str(reason or "the connection was closed"), outage=True))

        def lost(reason: object) -> None:
            if self._over is not None:
                log.info("the connection is lost: %s", reason or "closed")
                self._over.set_result(None)
                self._over = None
            self._done.clear()
            self._nicks.clear()
            failed(reason)

        def stream_error(error: Any) -> None:
            self._stream_error = error["condition"]

        client.add_event_handler("session_start", opened)
        client.add_event_handler("stream_error", stream_error)
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
            if over and over.done():
                reason = f" ({self._stream_error})" if self._stream_error else ""
                raise Unreachable(f"the connection was lost before the answer{reason}", cut=True)
            raise Unreachable("no answer")
        try:
            return task.result()
        except NotConnectedError:
            raise Unreachable("the connection was lost before the answer", cut=True) from None
        except (IqTimeout, asyncio.TimeoutError):
            raise Unreachable("no answer") from None
        except (IqError, PresenceError, XMPPError) as error:
            raise failure(error) from None

    async def _request(self, to: str, payload: ET.Element, kind: str) -> ET.Element:
        client = await self._session()
        iq = client.make_iq_set(ito=to) if kind == "set" else client.make_iq_get(ito=to)
        iq.xml.append(payload)
        self._check(iq.xml)
        return (await self._answer(iq.send(timeout=self._timeout))).xml

    def _ask(self, to: str, payload: ET.Element, kind: str = "set") -> ET.Element:
        return self._run(self._request(to, payload, kind))

    def _check(self, stanza: ET.Element) -> None:
        """Refuses what the server would end the stream over."""
        reason = why_unsendable(stanza, self._max_stanza)
        if reason:
            raise Refused("bad-request", reason)
