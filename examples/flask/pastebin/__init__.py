"""A pastebin whose replies come to whoever reads the paste, and to its author, as soon as they are saved.

`database` keeps users, pastes and replies; `accounts` signs people up and in; `pastes` is the rest of the pages; `push` is all
that has to do with XMPP. Run by `flask --app pastebin run`, or `gunicorn "pastebin:create_app()"`.
"""

import logging
import mimetypes
import os
import secrets
import sys
from pathlib import Path

from flask import Flask, Response, abort, current_app, render_template, request, send_from_directory

HERE = Path(__file__).resolve().parent
# The package `outlet` lies beside this example; in a project of your own it is copied into it, or installed.
sys.path.insert(0, str(HERE.parents[1] / "python"))

from . import accounts, database, pastes, push  # noqa: E402


def create_app() -> Flask:
    """The site. What differs from one machine to the next, and what is secret, comes from the environment."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)-7s %(name)s: %(message)s")
    # Below this it writes down what it sends, logins among it.
    logging.getLogger("slixmpp").setLevel(logging.WARNING)
    app = Flask(__name__)
    app.config.update(
        # Without one of its own, a process that is started anew does not know its visitors any more.
        SECRET_KEY=os.environ.get("SECRET_KEY") or secrets.token_hex(32),
        SESSION_COOKIE_SAMESITE="Lax",
        DATABASE=os.environ.get("DATABASE", HERE.parent / "pastebin.sqlite3"),
        # More than can be published, so that the form itself says what is too long; the rest is refused as 413.
        MAX_CONTENT_LENGTH=4 * 1024 * 1024,
        MAX_FORM_MEMORY_SIZE=4 * 1024 * 1024,
        # The package `epode`, as it was unpacked.
        EPODE_PACKAGE=os.environ.get("EPODE_PACKAGE", HERE.parents[2] / "pkg"),
        # The site's account, which has to be an admin's: it makes those of the users.
        XMPP_JID=os.environ.get("XMPP_JID", "site@localhost"),
        XMPP_PASSWORD=os.environ.get("XMPP_PASSWORD", ""),
        XMPP_HOST=os.environ.get("XMPP_HOST"),
        XMPP_PORT=int(os.environ.get("XMPP_PORT", "5222")),
        XMPP_TLS=os.environ.get("XMPP_TLS", "1") == "1",
        # Bytes of a stanza that the server accepts (Prosody: c2s_stanza_size_limit, ejabberd: max_stanza_size).
        XMPP_MAX_STANZA=int(os.environ.get("XMPP_MAX_STANZA", "262144")),
        XMPP_PUBSUB_HOST=os.environ.get("XMPP_PUBSUB_HOST", "pubsub.localhost"),
        # For pages: where they connect, and where they log in without an account.
        XMPP_BOSH_URL=os.environ.get("XMPP_BOSH_URL", "http://localhost:5280/bosh"),
        XMPP_WEBSOCKET_URL=os.environ.get("XMPP_WEBSOCKET_URL", "ws://localhost:5280/ws"),
        XMPP_ANONYMOUS_DOMAIN=os.environ.get("XMPP_ANONYMOUS_DOMAIN", "anon.localhost"),
    )
    database.init_app(app)
    push.init_app(app)
    app.register_blueprint(accounts.pages)
    app.register_blueprint(pastes.pages)
    app.before_request(_own_forms_only)
    app.after_request(_policy)
    mimetypes.add_type("application/wasm", ".wasm")
    mimetypes.add_type("text/javascript", ".js")

    @app.errorhandler(413)
    def too_large(_error: Exception) -> tuple[str, int]:
        return render_template("error.html", title="Too long", text="This is more than can be saved. Go back, and shorten it."), 413

    @app.get("/epode/<path:name>")
    def epode(name: str) -> Response:
        return send_from_directory(app.config["EPODE_PACKAGE"], name)

    return app


def _own_forms_only() -> None:
    """Another site's page can send our forms with our visitors' cookies; a browser says then from where they come."""
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin is not None and origin != request.host_url.rstrip("/"):
        abort(403)


def _policy(response: Response) -> Response:
    """What pages may do: load what came from here, connect to our XMPP server, and run no text as a program."""
    config = current_app.config
    response.headers["Content-Security-Policy"] = "; ".join(
        [
            "default-src 'self'",
            "script-src 'self' 'wasm-unsafe-eval'",
            f"connect-src 'self' {config['XMPP_BOSH_URL']} {config['XMPP_WEBSOCKET_URL']}",
            "object-src 'none'",
            "base-uri 'none'",
            "form-action 'self'",
            "frame-ancestors 'none'",
            "require-trusted-types-for 'script'",
            "trusted-types 'none'",
        ]
    )
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    return response
