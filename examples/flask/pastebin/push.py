"""What leaves for XMPP, and who may read it.

- `paste-replies:<id>`: the replies to a paste. Everybody may read it, as the paste itself.
- `user-replies:<id>`: the replies to all pastes of a user. A node with a whitelist on which that user's account stands, put
  there by the site, which owns the node. The service refuses everybody else, whatever their page says.

Each user has an XMPP account of their own, `u<id>`, made by the site with a password drawn at random. A page gets that password
when its cookie says who is there (`accounts.credentials`); it opens nothing but the user's own feed, and is another one after
signing out. A session that the site would log in and hand over (prebinding) would need no password in the page, but a BOSH client
in the site, and lasts no longer than the page: after a broken connection, a reload or in a second tab the site has to make
another, and over WebSocket there is none.
"""

import secrets
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


def jid_of(user_id: int) -> str:
    """Made of the id alone: a name could be anybody's, the site's own among them."""
    return f"u{user_id}@{current_app.config['XMPP_JID'].partition('@')[2]}"


def new_password() -> str:
    return secrets.token_urlsafe(24)


def admit(user_id: int) -> Future:
    """Sees to it that a user has an account, with the password that the database has now, and a feed that nobody else reads.
    Also called when the password was changed: what a page still has of the old one is worth nothing then."""
    path, jid, node = current_app.config["DATABASE"], jid_of(user_id), f"user-replies:{user_id}"

    def act(xmpp: Connection) -> None:
        user = database.look_up(path, "SELECT xmpp_password FROM users WHERE id = ?", user_id)
        xmpp.once((jid, user["xmpp_password"]), lambda: _make_account(xmpp, jid, user["xmpp_password"]))
        xmpp.ensure_node(node, FOR_ONE, {jid: "member"})

    return _outlet().submit(f"user {user_id}", act, key=("user", user_id))


def _make_account(xmpp: Connection, jid: str, password: str) -> None:
    try:
        xmpp.create_account(jid, password)
    except Refused as refused:
        if refused.condition != "conflict":
            raise
        xmpp.set_password(jid, password)


def paste_saved(paste_id: int) -> Future:
    """Makes the feed of a paste, for those who read it before anybody has replied."""
    return _outlet().submit(f"paste {paste_id}", lambda xmpp: xmpp.ensure_node(f"paste-replies:{paste_id}", FOR_ALL))


def reply_changed(reply_id: int, paste_id: int, paste_user_id: int) -> Future:
    """Has a reply told as the database has it when its turn comes, or taken back where it is gone. Called after the commit."""
    path = current_app.config["DATABASE"]
    paste_user = jid_of(paste_user_id)

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


def as_read(reply) -> dict[str, object]:
    """What a page gets of a reply; static/live.js has it as the type `Reply`."""
    return {
        "reply_id": reply["id"],
        "paste_id": reply["paste_id"],
        "title": reply["title"],
        "author": reply["author"],
        "text": reply["text"],
    }
