"""Pastes and the replies to them."""

from flask import Blueprint, Response, abort, current_app, g, redirect, render_template, request, url_for

from . import database, push
from .accounts import signed_in

pages = Blueprint("pastes", __name__)


@pages.app_context_processor
def for_live_pages() -> dict[str, object]:
    """What the page's own connection needs to know. Nothing of it is secret."""
    config = current_app.config
    return {
        "xmpp": {
            "bosh": config["XMPP_BOSH_URL"],
            "websocket": config["XMPP_WEBSOCKET_URL"],
            "domain": config["XMPP_ANONYMOUS_DOMAIN"],
            "pubsub": config["XMPP_PUBSUB_HOST"],
            "jid": push.jid_of(g.user["xmpp_name"]) if g.user else "",
        }
    }


@pages.get("/")
def index() -> str:
    pastes = database.every(
        "SELECT pastes.*, users.name AS author FROM pastes JOIN users ON users.id = user_id ORDER BY pastes.id DESC LIMIT 50"
    )
    return render_template("index.html", pastes=pastes)


@pages.post("/pastes")
@signed_in
def add_paste() -> Response:
    title, text = request.form.get("title", "").strip()[:120], request.form.get("text", "")
    if not title or not text:
        abort(400)
    with database.get() as db:
        paste_id = db.execute("INSERT INTO pastes (user_id, title, text) VALUES (?, ?, ?)", (g.user["id"], title, text)).lastrowid
    push.in_time(push.paste_saved(paste_id))
    return redirect(url_for("pastes.paste", paste_id=paste_id))


@pages.get("/pastes/<int:paste_id>")
def paste(paste_id: int) -> str:
    return _paste_page(paste_id)


def _paste_page(paste_id: int, text: str = "", problem: str | None = None) -> str:
    """A paste with its replies, and the form for another one; `text` and `problem`: what the form was sent with, and why it was refused."""
    found = database.one(
        "SELECT pastes.*, users.name AS author FROM pastes JOIN users ON users.id = user_id WHERE pastes.id = ?", paste_id
    )
    if not found:
        abort(404)
    replies = database.every(f"{database.REPLY} WHERE paste_id = ? ORDER BY replies.id", paste_id)
    return render_template("paste.html", paste=found, replies=replies, text=text, problem=problem)


@pages.post("/pastes/<int:paste_id>/replies")
@signed_in
def add_reply(paste_id: int):
    text = request.form.get("text", "").strip()
    found = database.one(
        "SELECT user_id, title, xmpp_name FROM pastes JOIN users ON users.id = user_id WHERE pastes.id = ?", paste_id
    )
    if not found:
        abort(404)
    if not text:
        return _paste_page(paste_id, problem="A reply needs some text."), 400
    # A reply that is saved must reach the pages: one that could not be published is not saved.
    draft = {"id": 2**63 - 1, "paste_id": paste_id, "title": found["title"], "author": g.user["name"], "text": text}
    reason = push.why_unpublishable(draft)
    if reason:
        return _paste_page(paste_id, text, f"This reply is too long to be published: {reason}. Please shorten it."), 400
    with database.get() as db:
        reply_id = db.execute("INSERT INTO replies (paste_id, user_id, text) VALUES (?, ?, ?)", (paste_id, g.user["id"], text)).lastrowid
    # Committed. The reader is not kept waiting for the XMPP server.
    push.reply_changed(reply_id, paste_id, found["user_id"], found["xmpp_name"])
    return redirect(url_for("pastes.paste", paste_id=paste_id))


@pages.post("/replies/<int:reply_id>/delete")
@signed_in
def delete_reply(reply_id: int) -> Response:
    reply = database.one(f"{database.REPLY} WHERE replies.id = ?", reply_id)
    if not reply:
        abort(404)
    if reply["user_id"] != g.user["id"]:
        abort(403)
    with database.get() as db:
        db.execute("DELETE FROM replies WHERE id = ?", (reply_id,))
    push.reply_changed(reply_id, reply["paste_id"], reply["paste_user_id"], reply["paste_user_xmpp_name"])
    return redirect(url_for("pastes.paste", paste_id=reply["paste_id"]))
