"""Users, pastes and replies in SQLite."""

import contextlib
import sqlite3

import click
from flask import Flask, current_app, g

SCHEMA = """
CREATE TABLE IF NOT EXISTS users (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  name TEXT NOT NULL UNIQUE COLLATE NOCASE CHECK (name <> ''),
  password_hash TEXT NOT NULL,
  xmpp_name TEXT NOT NULL UNIQUE,      -- of the user's XMPP account: drawn at random, so that nobody takes it beforehand
  xmpp_password TEXT NOT NULL,         -- of that account; nobody ever types it
  xmpp_ready INTEGER NOT NULL DEFAULT 0  -- whether the account has this password, and its older sessions are ended
);
CREATE TABLE IF NOT EXISTS pastes (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  user_id INTEGER NOT NULL REFERENCES users (id),
  title TEXT NOT NULL CHECK (title <> ''),
  text TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS replies (
  id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice: pages know a reply by it
  paste_id INTEGER NOT NULL REFERENCES pastes (id),
  user_id INTEGER NOT NULL REFERENCES users (id),
  text TEXT NOT NULL CHECK (text <> '')
);
"""

#: A reply with what there is to say of it elsewhere.
REPLY = """
SELECT replies.id, replies.paste_id, replies.user_id, replies.text, users.name AS author,
  pastes.title, pastes.user_id AS paste_user_id, pasters.xmpp_name AS paste_user_xmpp_name
FROM replies JOIN users ON users.id = replies.user_id JOIN pastes ON pastes.id = replies.paste_id
  JOIN users AS pasters ON pasters.id = pastes.user_id
"""


def connect(path: str) -> sqlite3.Connection:
    database = sqlite3.connect(path, timeout=20)
    database.row_factory = sqlite3.Row
    database.execute("PRAGMA foreign_keys = ON")
    return database


def look_up(path: str, query: str, *values: object) -> sqlite3.Row | None:
    """A row as it is now, for a thread that answers no request."""
    with contextlib.closing(connect(path)) as database:
        return database.execute(query, values).fetchone()


def change(path: str, query: str, *values: object) -> None:
    """A change from a thread that answers no request."""
    with contextlib.closing(connect(path)) as database, database:
        database.execute(query, values)


def get() -> sqlite3.Connection:
    """The request's connection. `with get() as database:` is one transaction."""
    if "database" not in g:
        g.database = connect(current_app.config["DATABASE"])
    return g.database


def one(query: str, *values: object) -> sqlite3.Row | None:
    return get().execute(query, values).fetchone()


def every(query: str, *values: object) -> list[sqlite3.Row]:
    return get().execute(query, values).fetchall()


def init_app(app: Flask) -> None:
    @app.teardown_appcontext
    def close(_error: BaseException | None) -> None:
        if "database" in g:
            g.pop("database").close()

    @app.cli.command("init-db", help="Makes the tables where there are none.")
    def init_db() -> None:
        get().executescript("PRAGMA journal_mode = WAL;" + SCHEMA)
        click.echo("The database is ready.")
