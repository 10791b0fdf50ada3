"""A web site's connection to XMPP: what the site has saved is published to the pages that watch.

    outlet = Outlet(Connection("site@example.org", password))
    outlet.submit("order 12", lambda xmpp: xmpp.publish("/cafe/Order", "12", json_payload({"title": "Tea"})))

`Connection` is one XMPP session, kept open in a thread of its own; its methods wait for the server's answer. `Outlet` carries
out what is submitted, in order, over that one connection; a failed job is repeated, and set aside and logged when it keeps
failing. Both examples use it, and it knows neither Django nor Flask. It needs slixmpp.
"""

from .connection import Connection
from .errors import Refused, Unreachable
from .payloads import entry_payload, json_payload
from .queue import Outlet, SetAside

__all__ = ["Connection", "Outlet", "Refused", "SetAside", "Unreachable", "entry_payload", "json_payload"]
