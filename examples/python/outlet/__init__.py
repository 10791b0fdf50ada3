"""A web site's way out to XMPP: what it has saved goes to whoever watches.

    outlet = Outlet(Connection("site@example.org", password))
    outlet.submit("order 12", lambda xmpp: xmpp.publish("/cafe/Order", "12", json_payload({"title": "Tea"})))

`Connection` is one XMPP session, kept open in a thread of its own; its methods wait for the server's answer. `Outlet` works
off what it is given, in order, over that one connection; what could not be delivered is tried again, and logged. It is used
by both examples and knows neither Django nor Flask. It needs slixmpp.
"""

from .connection import Connection, Refused, Unreachable
from .payloads import entry_payload, json_payload
from .queue import Outlet

__all__ = ["Connection", "Outlet", "Refused", "Unreachable", "entry_payload", "json_payload"]
