"""Why a request was not carried out."""

from __future__ import annotations

from typing import Any

#: Conditions of a service that is starting, overloaded, or cut off from what it needs.
PASSING = {"internal-server-error", "remote-server-not-found", "remote-server-timeout", "resource-constraint", "service-unavailable"}


class Unreachable(Exception):
    """There was no answer, or the service answered "later": the request may be repeated.

    `outage`: no session could be made, so the failure says nothing about the request.
    `cut`: the session ended while the request was under way; the request may be the reason.
    """

    def __init__(self, reason: str, *, outage: bool = False, cut: bool = False) -> None:
        super().__init__(reason)
        self.outage = outage
        self.cut = cut


class Refused(Exception):
    """The request was refused, and will be again. `condition` is that of a stanza error (RFC 6120 §8.3.3)."""

    def __init__(self, condition: str, text: str = "") -> None:
        super().__init__(f"{condition} ({text})" if text else condition)
        self.condition = condition


def failure(error: Any) -> Exception:
    """The exception for an error stanza, or for slixmpp's exception about one."""
    condition = getattr(error, "condition", None) or error["error"]["condition"]
    kind = getattr(error, "etype", None) or error["error"]["type"]
    text = getattr(error, "text", None) or ""
    if kind == "wait" or condition in PASSING:
        return Unreachable(condition)
    return Refused(condition, text)
