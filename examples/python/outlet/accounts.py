"""Accounts of the site's users, by ad-hoc commands of the server (XEP-0133 1.3.1). The site's own account has to be an admin's."""

from __future__ import annotations

import secrets
import xml.etree.ElementTree as ET
from collections.abc import Mapping

from .errors import Refused
from .forms import read_form, write_form

COMMANDS = "http://jabber.org/protocol/commands"
ADMIN = "http://jabber.org/protocol/admin"


class Accounts:
    """The part of `Connection` that is about accounts."""

    def create_account(self, jid: str, password: str) -> None:
        """Creates an account; `Refused("conflict")` when it exists."""
        self._command("add-user", {"accountjid": jid, "password": password, "password-verify": password})

    def set_password(self, jid: str, password: str) -> None:
        """Gives an account another password. Sessions that are open stay open: see `take_over_account`."""
        self._command("change-user-password", {"accountjid": jid, "password": password})

    def end_sessions(self, jid: str) -> None:
        """Ends all sessions of an account (XEP-0133 §4.4)."""
        # COMPAT(ejabberd 23): its form names the field in the singular.
        self._command("end-user-session", {"accountjids": jid}, {"accountjids": "accountjid"})

    def take_over_account(self, jid: str, password: str) -> None:
        """Gives an existing account this password, and ends the sessions that were made with another one."""
        # The password in between is known to nobody: until the old sessions are ended, no new one begins.
        self.set_password(jid, secrets.token_urlsafe(24))
        self.end_sessions(jid)
        self.set_password(jid, password)

    def _command(self, name: str, fields: Mapping[str, str], other_names: Mapping[str, str] | None = None) -> None:
        """Carries out a command of two steps. `other_names`: how the form of some servers calls a field."""
        node = f"{ADMIN}#{name}"
        asked = self._ask(self.domain, ET.Element(f"{{{COMMANDS}}}command", node=node, action="execute"))
        form = next(asked.iter(f"{{{COMMANDS}}}command"), None)
        if form is None or "sessionid" not in form.attrib:
            raise Refused("feature-not-implemented", f"the command {name} has no form")
        known = read_form(form)
        names = {old: new for old, new in (other_names or {}).items() if old not in known and new in known}
        command = ET.Element(f"{{{COMMANDS}}}command", node=node, action="complete", sessionid=form.attrib["sessionid"])
        command.append(write_form(ADMIN, {names.get(field, field): value for field, value in fields.items()}))
        reply = self._ask(self.domain, command)
        # Prosody reports a failure in a note; ejabberd by an error stanza, which `_ask` has raised.
        for note in reply.iter(f"{{{COMMANDS}}}note"):
            if note.attrib.get("type") == "error":
                raise Refused("conflict" if "exist" in (note.text or "") else "not-acceptable", note.text or "")
