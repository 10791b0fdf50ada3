"""What leaves for XMPP, and who may read it.

- `paste-replies:<id>`: the replies to a paste. Everybody may read it, as the paste itself.
- `user-replies:<id>`: the replies to all pastes of a user. A node with a whitelist on which that user's account stands, put
  there by the site, which owns the node. The service refuses everybody else, whatever their page says.

Each user has an XMPP account of their own, made by the site, its name and password drawn at random. If the name could be guessed
(`u7`), anybody could register it before the site does where registration is open, and stay connected while the site takes the
account over. Where an account exists already, its sessions are ended before it is used.

A page gets the password when its cookie says who is there (`accounts.credentials`). The account opens nothing but the user's own
feed; signing out changes its password and ends its sessions. A session that the site would log in and hand over (prebinding) would need no password in the page, but a BOSH client
in the site, and lasts no longer than the page: after a broken connection, a reload or in a second tab the site has to make
another, and over WebSocket there is none.
"""

import secrets
from collections.abc import Mapping
from concurrent.futures import Future
from concurrent.futures import TimeoutError as NotInTime

from flask import Flask, current_app

from outlet import Connection, Outlet, Refused, Unreachable, json_payload

from . import database

COMMON = {
    "publish_model": "publishers",
    "persist_items": True,
    "max_items": 200,
    "deliver_payloads": True,
    "notify_retract": True,
    "send_last_published_item": "never",
}
FOR_ALL = {**COMMON, "access_model": "open"}
FOR_ONE = {**COMMON, "access_model": "whitelist"}


def init_app(app: Flask) -> None:
    config = app.config
    connection = Connection(
        config["XMPP_JID"],
        config["XMPP_PASSWORD"],
        host=config["XMPP_HOST"],
        port=config["XMPP_PORT"],
        tls=config["XMPP_TLS"],
        pubsub=config["XMPP_PUBSUB_HOST"],
        max_stanza=config["XMPP_MAX_STANZA"],
    )
    app.extensions["outlet"] = Outlet(connection)


def _outlet() -> Outlet:
    return current_app.extensions["outlet"]


def in_time(future: Future, seconds: float = 5) -> bool:
    """Waits for the XMPP server, but not for ever: the site works without it, and the outlet goes on trying."""
    try:
        future.result(seconds)
        return True
    except (NotInTime, Refused, Unreachable):
        return False


def jid_of(xmpp_name: str) -> str:
    """The address of a user's account."""
    return f"{xmpp_name}@{current_app.config['XMPP_JID'].partition('@')[2]}"


def new_name() -> str:
    """A name for an account: of 128 random bits, in the characters that every server leaves as they are."""
    return f"u{secrets.token_hex(16)}"


def new_password() -> str:
    return secrets.token_urlsafe(24)


def admit(user_id: int) -> Future:
    """Gives a user the account and the password that the database has now, and a feed that nobody else reads.
    Also called when the password was changed: the account's open sessions are ended then."""
    path = current_app.config["DATABASE"]
    user = database.one("SELECT xmpp_name FROM users WHERE id = ?", user_id)
    jid, node = jid_of(user["xmpp_name"]), f"user-replies:{user_id}"

    def act(xmpp: Connection) -> None:
        user = database.look_up(path, "SELECT xmpp_password, xmpp_ready FROM users WHERE id = ?", user_id)
        password, is_ready = user["xmpp_password"], bool(user["xmpp_ready"])

        def make() -> None:
            _make_account(xmpp, jid, password, is_ready)
            database.change(path, "UPDATE users SET xmpp_ready = 1 WHERE id = ? AND xmpp_password = ?", user_id, password)

        # Once a session, since a server that broke down may have lost the account.
        xmpp.once((jid, password), make)
        xmpp.ensure_node(node, FOR_ONE, {jid: "member"})

    return _outlet().submit(f"user {user_id}", act, key=("user", user_id))


def _make_account(xmpp: Connection, jid: str, password: str, is_ready: bool) -> None:
    """`is_ready`: the account had this password already; then it is left alone, and so are the pages that are logged in."""
    try:
        xmpp.create_account(jid, password)
    except Refused as refused:
        if refused.condition != "conflict":
            raise
        if not is_ready:
            xmpp.take_over_account(jid, password)


def paste_saved(paste_id: int) -> Future:
    """Makes the feed of a paste, for those who read it before anybody has replied."""
    return _outlet().submit(f"paste {paste_id}", lambda xmpp: xmpp.ensure_node(f"paste-replies:{paste_id}", FOR_ALL))


def why_unpublishable(reply: Mapping[str, object]) -> str | None:
    """Why a reply cannot be published, as a clause for people; None when it can. `reply`: a row of `database.REPLY`, or as much of one."""
    return _outlet().connection.why_unpublishable(json_payload(as_read(reply)))


def reply_changed(reply_id: int, paste_id: int, paste_user_id: int, paste_user_xmpp_name: str) -> Future:
    """Publishes a reply as the database has it when its turn comes, or retracts one that is gone. Called after the commit."""
    path = current_app.config["DATABASE"]
    paste_user = jid_of(paste_user_xmpp_name)

    def act(xmpp: Connection) -> None:
        reply = database.look_up(path, f"{database.REPLY} WHERE replies.id = ?", reply_id)
        xmpp.ensure_node(f"paste-replies:{paste_id}", FOR_ALL)
        xmpp.ensure_node(f"user-replies:{paste_user_id}", FOR_ONE, {paste_user: "member"})
        nodes = [f"paste-replies:{paste_id}"]
        # What authors say themselves, they know.
        if reply is None or reply["user_id"] != paste_user_id:
            nodes.append(f"user-replies:{paste_user_id}")
        for node in nodes:
            if reply is None:
                xmpp.retract(node, str(reply_id))
            else:
                xmpp.publish(node, str(reply_id), json_payload(as_read(reply)))

    return _outlet().submit(f"reply {reply_id}", act, key=("reply", reply_id))


def as_read(reply: Mapping[str, object]) -> dict[str, object]:
    """What a page gets of a reply; static/live.js has it as the type `Reply`."""
    return {
        "reply_id": reply["id"],
        "paste_id": reply["paste_id"],
        "title": reply["title"],
        "author": reply["author"],
        "text": reply["text"],
    }
