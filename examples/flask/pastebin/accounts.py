"""Signing up, in and out; and the credentials that a signed-in page gets for its own XMPP account."""

import functools
import sqlite3
from collections.abc import Callable

from flask import Blueprint, Response, abort, g, jsonify, redirect, render_template, request, session, url_for
from werkzeug.security import check_password_hash, generate_password_hash

from . import database, push

pages = Blueprint("accounts", __name__)


@pages.before_app_request
def find_user() -> None:
    """Who is there, by the cookie."""
    user_id = session.get("user_id")
    g.user = database.one("SELECT * FROM users WHERE id = ?", user_id) if user_id is not None else None


def signed_in(view: Callable) -> Callable:
    """For views that are for users only."""

    @functools.wraps(view)
    def wrapped(**values: object):
        return view(**values) if g.user else redirect(url_for("accounts.sign_in"))

    return wrapped


@pages.route("/sign-up", methods=["GET", "POST"])
def sign_up():
    name, password = request.form.get("name", "").strip(), request.form.get("password", "")
    problem = None
    if request.method == "POST":
        if not name or len(name) > 40 or len(password) < 8:
            problem = "A name, and a password of eight characters or more, please."
        else:
            try:
                with database.get() as db:
                    db.execute(
                        "INSERT INTO users (name, password_hash, xmpp_name, xmpp_password) VALUES (?, ?, ?, ?)",
                        (name, generate_password_hash(password), push.new_name(), push.new_password()),
                    )
            except sqlite3.IntegrityError:
                problem = f"There is somebody called {name} already."
            else:
                return _welcome(database.one("SELECT * FROM users WHERE name = ?", name))
    return render_template("account.html", title="Sign up", problem=problem, name=name), 400 if problem else 200


@pages.route("/sign-in", methods=["GET", "POST"])
def sign_in():
    name, password = request.form.get("name", "").strip(), request.form.get("password", "")
    problem = None
    if request.method == "POST":
        user = database.one("SELECT * FROM users WHERE name = ?", name)
        if user and check_password_hash(user["password_hash"], password):
            return _welcome(user)
        problem = "That is not the name, or not the password."
    return render_template("account.html", title="Sign in", problem=problem, name=name), 403 if problem else 200


def _welcome(user: sqlite3.Row) -> Response:
    session.clear()
    session["user_id"] = user["id"]
    push.in_time(push.admit(user["id"]))
    return redirect(url_for("pastes.index"))


@pages.post("/sign-out")
def sign_out() -> Response:
    """Also changes the XMPP password and ends the account's sessions: a page asks for the new password, and is not given it."""
    if g.user:
        with database.get() as db:
            db.execute("UPDATE users SET xmpp_password = ?, xmpp_ready = 0 WHERE id = ?", (push.new_password(), g.user["id"]))
        push.admit(g.user["id"])
    session.clear()
    return redirect(url_for("pastes.index"))


@pages.get("/me/xmpp")
def credentials() -> Response:
    """For the page of whoever is signed in. Never the site's own account."""
    if not g.user:
        abort(403)
    # Not waited for: it is there from signing up, unless the XMPP server has lost it.
    push.admit(g.user["id"])
    response = jsonify(jid=push.jid_of(g.user["xmpp_name"]), password=g.user["xmpp_password"])
    response.headers["Cache-Control"] = "no-store"
    return response
