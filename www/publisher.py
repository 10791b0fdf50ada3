#!/usr/bin/env python3
"""Saves orders in an SQLite database and publishes what was committed, so that every open page has it at once.

  publisher.py --url http://127.0.0.1:8080 add "Flat white, oat milk" --for "Table 4" --note "to go"
  publisher.py --url http://127.0.0.1:8080 update 12 --status ready
  publisher.py --url http://127.0.0.1:8080 delete 12
  publisher.py --url http://127.0.0.1:8080 list
  publisher.py --url http://127.0.0.1:8080 random --every 2
  publisher.py --url http://127.0.0.1:8080 watch          publishes what any program changes in the database

How it works: triggers note each change of the table `orders` in the table `outbox`, in the same transaction. After the
commit the outbox is worked off, in order: the row is published as it stands (XEP-0060; the item's id is the primary
key), or its item is retracted where the row is gone, and only when the service has confirmed it is the note deleted. A
change that could not be published stays noted, and goes with the next call. One process at a time works it off.

Python 3 alone: sqlite3 for the database, http.client for BOSH (XEP-0124, XEP-0206). Exit status: 0 published, 1 not
published (the reason is on stderr), 2 wrong arguments.
"""

import argparse
import base64
import contextlib
import datetime
import getpass
import hashlib
import hmac
import http.client
import itertools
import json
import os
import random
import secrets
import sqlite3
import sys
import tempfile
import time
import urllib.parse
import urllib.request
import xml.etree.ElementTree as ET
from xml.sax.saxutils import quoteattr

try:
    import fcntl
except ImportError:  # not on Windows: there, run one publisher at a time
    fcntl = None

STATES = ["new", "making", "ready"]
TIMEOUT = 20  # seconds for any answer
IDLE = 20  # seconds after which a session is not trusted to be there any more

BIND = "urn:ietf:params:xml:ns:xmpp-bind"
CLIENT = "jabber:client"
HTTPBIND = "http://jabber.org/protocol/httpbind"
PUBSUB = "http://jabber.org/protocol/pubsub"
SASL = "urn:ietf:params:xml:ns:xmpp-sasl"
SESSION = "urn:ietf:params:xml:ns:xmpp-session"
STANZAS = "urn:ietf:params:xml:ns:xmpp-stanzas"
STREAM = "http://etherx.jabber.org/streams"
XBOSH = "urn:xmpp:xbosh"


class Failure(Exception):
    """What the user is told."""


class NoSuchOrder(Failure):
    """Nothing was changed, so nothing is left to publish."""

    def __init__(self, key):
        super().__init__(f"There is no order {key} in the database.")


# ── the database ─────────────────────────────────────────────────────────────────────────────────────────────────────

SCHEMA = """
PRAGMA journal_mode = WAL;
CREATE TABLE IF NOT EXISTS orders (
  id INTEGER PRIMARY KEY AUTOINCREMENT,  -- never used twice: pages know an item by it
  title TEXT NOT NULL CHECK (title <> ''),
  "for" TEXT NOT NULL DEFAULT '',
  note TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT 'new' CHECK (status IN ('new', 'making', 'ready')),
  saved_at TEXT NOT NULL DEFAULT (strftime('%Y-%m-%dT%H:%M:%fZ', 'now'))
);
CREATE TABLE IF NOT EXISTS outbox (seq INTEGER PRIMARY KEY AUTOINCREMENT, id INTEGER NOT NULL);
CREATE TRIGGER IF NOT EXISTS order_inserted AFTER INSERT ON orders BEGIN INSERT INTO outbox (id) VALUES (new.id); END;
CREATE TRIGGER IF NOT EXISTS order_deleted AFTER DELETE ON orders BEGIN INSERT INTO outbox (id) VALUES (old.id); END;
CREATE TRIGGER IF NOT EXISTS order_updated AFTER UPDATE OF title, "for", note, status ON orders BEGIN
  UPDATE orders SET saved_at = strftime('%Y-%m-%dT%H:%M:%fZ', 'now') WHERE id = new.id;
  INSERT INTO outbox (id) VALUES (new.id);
END;
"""


def open_database(path):
    try:
        os.makedirs(os.path.dirname(os.path.abspath(path)), exist_ok=True)
        database = sqlite3.connect(path, timeout=10)
        database.row_factory = sqlite3.Row
        database.executescript(SCHEMA)
        return database
    except (OSError, sqlite3.Error) as error:
        raise Failure(f"The database {path} cannot be used: {error}") from error


def insert(database, title, whom="", note="", status="new"):
    with database:
        cursor = database.execute(
            'INSERT INTO orders (title, "for", note, status) VALUES (?, ?, ?, ?)', (title, whom, note, status)
        )
    return cursor.lastrowid


def update(database, key, changes):
    columns = ", ".join(f'"{name}" = ?' for name in changes)
    with database:
        cursor = database.execute(f"UPDATE orders SET {columns} WHERE id = ?", (*changes.values(), key))
    if cursor.rowcount == 0:
        raise NoSuchOrder(key)


def delete(database, key):
    with database:
        cursor = database.execute("DELETE FROM orders WHERE id = ?", (key,))
    if cursor.rowcount == 0:
        raise NoSuchOrder(key)


# ── BOSH ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


class Bosh:
    """One session: a request at a time, each answered when the server has something to say."""

    def __init__(self, url):
        self.url = urllib.parse.urlsplit(url)
        secure = self.url.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        self.http = kind(self.url.hostname, self.url.port, timeout=TIMEOUT)
        self.rid = secrets.randbelow(2**48)
        self.sid = None
        self.ids = itertools.count(1)
        self.inbox = []

    @property
    def is_private(self):
        """Does nobody else hear what is said?"""
        return self.url.scheme == "https" or self.url.hostname in ("localhost", "127.0.0.1", "::1")

    def post(self, attributes="", content=""):
        """Sends a body, puts the elements of the answer into the inbox."""
        self.rid += 1
        session = f" sid={quoteattr(self.sid)}" if self.sid else ""
        body = f"<body xmlns='{HTTPBIND}' rid='{self.rid}'{session}{attributes}>{content}</body>"
        path = self.url.path + (f"?{self.url.query}" if self.url.query else "")
        try:
            self.http.request("POST", path, body.encode(), {"Content-Type": "text/xml; charset=utf-8"})
            response = self.http.getresponse()
            data = response.read()
        except (OSError, http.client.HTTPException) as error:
            raise Failure(f"{self.url.geturl()} does not answer: {error or type(error).__name__}") from error
        if response.status != 200:
            raise Failure(f"{self.url.geturl()} answers with HTTP {response.status} {response.reason}")
        try:
            answer = ET.fromstring(data)
        except ET.ParseError as error:
            raise Failure(f"{self.url.geturl()} does not speak BOSH: its answer is not XML ({error})") from error
        if answer.tag != f"{{{HTTPBIND}}}body":
            raise Failure(f"{self.url.geturl()} does not speak BOSH: its answer is <{answer.tag}>")
        if answer.get("type") == "terminate":
            error = answer.find(f"{{{STREAM}}}error")
            text = "" if error is None else " ".join(child.tag.split("}")[-1] for child in error)
            raise Failure(f"The server ended the session: {answer.get('condition', 'no reason given')} {text}".rstrip())
        self.inbox.extend(answer)
        return answer

    def wait_for(self, *tags):
        """The next element of one of these names; asks again while there is none."""
        end = time.monotonic() + TIMEOUT
        while True:
            for index, element in enumerate(self.inbox):
                if element.tag in tags:
                    del self.inbox[: index + 1]
                    return element
            self.inbox.clear()
            if time.monotonic() > end:
                raise Failure("The server does not answer in time.")
            self.post()

    def open(self, domain, user=None, password=None):
        head = f" to={quoteattr(domain)} xml:lang='en' xmpp:version='1.0' xmlns:xmpp='{XBOSH}'"
        answer = self.post(f"{head} ver='1.6' wait='10' hold='1' content='text/xml; charset=utf-8'")
        self.sid = answer.get("sid")
        if not self.sid:
            raise Failure(f"The server opened no session for {domain}.")
        features = self.wait_for(f"{{{STREAM}}}features")
        offered = [element.text for element in features.iter(f"{{{SASL}}}mechanism")]
        self.authenticate(offered, user, password)
        self.post(f"{head} xmpp:restart='true'")
        features = self.wait_for(f"{{{STREAM}}}features")
        self.request("set", f"<bind xmlns='{BIND}'/>")
        session = features.find(f"{{{SESSION}}}session")
        if session is not None and session.find(f"{{{SESSION}}}optional") is None:
            self.request("set", f"<session xmlns='{SESSION}'/>")

    def close(self):
        with contextlib.suppress(Failure):
            self.post(" type='terminate'", f"<presence xmlns='{CLIENT}' type='unavailable'/>")
        self.http.close()

    def request(self, kind, payload, to=None):
        """An iq; the result, or a Failure that names the condition."""
        key = f"p{next(self.ids)}"
        address = f" to={quoteattr(to)}" if to else ""
        self.post("", f"<iq xmlns='{CLIENT}' type='{kind}' id='{key}'{address}>{payload}</iq>")
        while True:
            reply = self.wait_for(f"{{{CLIENT}}}iq")
            if reply.get("id") == key and reply.get("type") in ("result", "error") and reply.get("from") in (to, None):
                break
            if to is None and reply.get("id") == key:
                break
        if reply.get("type") == "result":
            return reply
        error = reply.find(f"{{{CLIENT}}}error")
        conditions = [] if error is None else [child for child in error if child.tag.startswith(f"{{{STANZAS}}}")]
        names = [child.tag.split("}")[1] for child in conditions if not child.tag.endswith("}text")]
        text = next((child.text for child in conditions if child.tag.endswith("}text") and child.text), None)
        failure = Failure(f"{to or 'The server'} refuses: {names[0] if names else 'error'}{f' ({text})' if text else ''}")
        failure.condition = names[0] if names else None
        raise failure

    # ── SASL ────────────────────────────────────────────────────────────────────────────────────────────────────────

    def authenticate(self, offered, user, password):
        if user is None:
            if "ANONYMOUS" not in offered:
                raise Failure("The server lets nobody in without an account: give --user, and a password when asked.")
            return self.auth("ANONYMOUS", b"")
        for name, algorithm in (("SHA-512", "sha512"), ("SHA-256", "sha256"), ("SHA-1", "sha1")):
            if f"SCRAM-{name}" in offered:
                return self.scram(f"SCRAM-{name}", algorithm, user, password)
        if "PLAIN" in offered:
            if not self.is_private:
                raise Failure("The server takes the password only in the clear, and the connection is not encrypted: use https.")
            return self.auth("PLAIN", f"\0{user}\0{password}".encode())
        raise Failure(f"The server offers no login that this program knows: {', '.join(offered) or 'none at all'}")

    def auth(self, mechanism, first):
        """Sends the first response; what the server says next, decoded, and whether that was the end."""
        data = base64.b64encode(first).decode() or "="
        self.post("", f"<auth xmlns='{SASL}' mechanism='{mechanism}'>{data}</auth>")
        return self.step()

    def step(self):
        element = self.wait_for(*(f"{{{SASL}}}{name}" for name in ("success", "challenge", "failure")))
        if element.tag.endswith("failure"):
            condition = next((child.tag.split("}")[1] for child in element if not child.tag.endswith("text")), "no reason given")
            raise Failure(f"The login was refused: {condition}")
        return base64.b64decode((element.text or "").replace("=", "") + "==="), element.tag.endswith("success")

    def scram(self, mechanism, algorithm, user, password):
        """RFC 5802, without channel binding."""
        nonce = secrets.token_urlsafe(24)
        bare = f"n={user.replace('=', '=3D').replace(',', '=2C')},r={nonce}"
        challenge, _ = self.auth(mechanism, f"n,,{bare}".encode())
        try:
            given = dict(part.split("=", 1) for part in challenge.decode().split(","))
            salt, rounds, whole = base64.b64decode(given["s"]), int(given["i"]), given["r"]
        except (KeyError, ValueError) as error:
            raise Failure("The server's SCRAM challenge cannot be read.") from error
        if "m" in given or not whole.startswith(nonce) or whole == nonce or not 4096 <= rounds <= 10_000_000:
            raise Failure("The server's SCRAM challenge is not acceptable.")
        digest = lambda key, text: hmac.new(key, text, algorithm).digest()
        salted = hashlib.pbkdf2_hmac(algorithm, password.encode(), salt, rounds)
        client_key = digest(salted, b"Client Key")
        final = f"c=biws,r={whole}"
        signed = f"{bare},{challenge.decode()},{final}".encode()
        signature = digest(hashlib.new(algorithm, client_key).digest(), signed)
        proof = bytes(a ^ b for a, b in zip(client_key, signature))
        answer = f"{final},p={base64.b64encode(proof).decode()}".encode()
        self.post("", f"<response xmlns='{SASL}'>{base64.b64encode(answer).decode()}</response>")
        verifier, done = self.step()
        if not hmac.compare_digest(verifier, b"v=" + base64.b64encode(digest(digest(salted, b"Server Key"), signed))):
            raise Failure("The server could not prove that it knows the password: somebody may sit in between.")
        if not done:
            self.post("", f"<response xmlns='{SASL}'/>")
            self.step()


# ── publishing ───────────────────────────────────────────────────────────────────────────────────────────────────────


def payload_json(row):
    # What XML cannot carry leaves as an escape of JSON, which json.dumps writes for everything beyond ASCII as well.
    record = {"title": row["title"], "for": row["for"], "note": row["note"], "status": row["status"]}
    text = json.dumps({**record, "savedAt": row["saved_at"], "via": "SQLite"})
    return element("json", text, xmlns="urn:xmpp:json:0")


def payload_atom(row):
    author = f"<author>{element('name', row['for'])}</author>" if row["for"] else ""
    summary = element("summary", row["note"]) if row["note"] else ""
    return (
        "<entry xmlns='http://www.w3.org/2005/Atom'>"
        f"{element('title', row['title'])}{element('id', 'urn:order:%d' % row['id'])}{element('updated', row['saved_at'])}"
        f"{author}{summary}<category term={quoteattr(row['status'])}/><generator>SQLite</generator></entry>"
    )


def element(name, text, **attributes):
    """An element with text in it. ElementTree escapes it; what XML 1.0 cannot carry is replaced."""
    made = ET.Element(name, attributes)
    made.text = "".join(c if c in "\t\n\r" or (c >= " " and c not in "\ufffe\uffff" and not "\ud800" <= c <= "\udfff") else "\ufffd" for c in text)
    return ET.tostring(made, encoding="unicode")


NODE_CONFIG = {
    "access_model": "open", "publish_model": "open", "persist_items": "true", "max_items": "60",
    "deliver_payloads": "true", "notify_retract": "true", "send_last_published_item": "never", "itemreply": "publisher",
}  # fmt: skip


class Publisher:
    """Works the outbox off, over a session that is opened when it is needed."""

    def __init__(self, database, path, settings, payload):
        self.database = database
        self.lock = path + ".lock"
        self.settings = settings
        self.payload = payload
        self.session = None
        self.used = 0.0

    def prepare(self):
        """Logs in, and makes the node where it is missing."""
        if self.session is None:
            self.connect()
            self.create_node()

    def connect(self):
        if self.session and time.monotonic() - self.used > IDLE:
            self.close()
        if self.session is None:
            session = Bosh(self.settings["service"])
            session.open(self.settings["domain"], self.settings["user"], self.settings["password"])
            self.session = session
        self.used = time.monotonic()
        return self.session

    def close(self):
        if self.session:
            self.session.close()
        self.session = None

    def ask(self, payload):
        try:
            reply = self.connect().request("set", f"<pubsub xmlns='{PUBSUB}'>{payload}</pubsub>", self.settings["pubsub"])
        except Failure as failure:
            if not hasattr(failure, "condition"):
                self.session = None  # the connection, not the request
            raise
        self.used = time.monotonic()
        return reply

    def create_node(self):
        fields = "".join(f"<field var='pubsub#{name}'><value>{value}</value></field>" for name, value in NODE_CONFIG.items())
        form = f"<field var='FORM_TYPE' type='hidden'><value>{PUBSUB}#node_config</value></field>{fields}"
        node = quoteattr(self.settings["node"])
        try:
            self.ask(f"<create node={node}/><configure><x xmlns='jabber:x:data' type='submit'>{form}</x></configure>")
        except Failure as failure:
            # It is there already, or is for others to create: publishing will tell whether that matters.
            if not hasattr(failure, "condition"):
                raise

    def publish(self, key):
        """Makes the item of a row what the row is."""
        node = quoteattr(self.settings["node"])
        row = self.database.execute("SELECT * FROM orders WHERE id = ?", (key,)).fetchone()
        started = time.perf_counter()
        if row is None:
            try:
                self.ask(f"<retract node={node} notify='true'><item id='{key}'/></retract>")
            except Failure as failure:
                # It was deleted from a page already, or the node has let go of it.
                if getattr(failure, "condition", None) != "item-not-found":
                    raise
            what = "retracted"
        else:
            self.ask(f"<publish node={node}><item id='{key}'>{self.payload(row)}</item></publish>")
            what = f"published: {row['title']} ({row['status']})"
        print(f"order {key} {what}, confirmed after {(time.perf_counter() - started) * 1000:.0f} ms", flush=True)

    def flush(self):
        """Publishes what is noted, oldest first. What the service refuses stays noted, and the others have their turn."""
        refused = {}
        after = 0
        with self.alone():
            while True:
                note = self.database.execute("SELECT seq, id FROM outbox WHERE seq > ? ORDER BY seq", (after,)).fetchone()
                if note is None:
                    break
                after, key = note
                if key in refused:
                    continue
                self.prepare()
                try:
                    self.publish(key)
                except Failure as failure:
                    if not hasattr(failure, "condition"):
                        raise
                    refused[key] = failure
                    continue
                with self.database:
                    self.database.execute("DELETE FROM outbox WHERE seq = ?", (after,))
        if refused:
            raise Failure("; ".join(f"order {key}: {failure}" for key, failure in refused.items()))

    @contextlib.contextmanager
    def alone(self):
        """Two at a time could publish an older state after a newer one."""
        with open(self.lock, "w", encoding="ascii") as file:
            if fcntl:
                fcntl.flock(file, fcntl.LOCK_EX)
            yield


# ── the commands ─────────────────────────────────────────────────────────────────────────────────────────────────────

DRINKS = ["Flat white", "Espresso", "Double espresso", "Cappuccino", "Cortado", "Americano", "Mocha", "Chai", "Green tea", "Hot chocolate", "Lemonade"]  # fmt: skip
MILKS = ["", "", "", ", oat milk", ", almond milk", ", skimmed"]
FOOD = ["Cheese toast", "Almond croissant", "Carrot cake", "Granola", "Cinnamon bun", "Tomato soup"]
PLACES = ["Table %d" % number for number in range(1, 13)] + ["Counter", "Terrace 2", "Terrace 5", "To go"]
NOTES = ["", "", "", "", "no sugar", "extra hot", "in a glass", "two spoons", "decaf"]


def surprise(database):
    """A day at the bar: mostly new orders, and those that are there move on."""
    rows = database.execute("SELECT id, status FROM orders ORDER BY id").fetchall()
    if rows and (len(rows) > 14 or random.random() < 0.55):
        row = random.choice(rows[:6])
        if row["status"] == "ready":
            return delete(database, row["id"])
        return update(database, row["id"], {"status": STATES[STATES.index(row["status"]) + 1]})
    drink = random.choice(DRINKS)
    title = random.choice(FOOD) if random.random() < 0.3 else drink + (random.choice(MILKS) if drink in DRINKS[:7] else "")
    return insert(database, title, random.choice(PLACES), random.choice(NOTES))


def keep_on(publisher, act, pause):
    """Acts, publishes, pauses, for ever. A failure is told, and tried again."""
    failed = False
    while True:
        act()
        try:
            publisher.flush()
            if failed:
                print("publishing again", flush=True)
            failed = False
        except Failure as failure:
            if not failed:
                print(f"{failure}\n  What was saved stays noted; trying again.", file=sys.stderr, flush=True)
            failed = True
        time.sleep(max(pause, 1) if failed else pause)


def show(database):
    rows = database.execute("SELECT * FROM orders ORDER BY id").fetchall()
    for row in rows:
        print(f"{row['id']:>5}  {row['status']:<7} {row['title']}{'  for ' + row['for'] if row['for'] else ''}{'  (' + row['note'] + ')' if row['note'] else ''}")
    waiting = database.execute("SELECT count(*) FROM outbox").fetchone()[0]
    print(f"{len(rows)} orders" + (f", {waiting} changes not yet published" if waiting else ""))


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", default="http://127.0.0.1:8080", help="where the demo is (its /config.json tells the rest)")
    parser.add_argument("--service", help="the BOSH address, should it be another one")
    parser.add_argument("--domain", help="where to log in")
    parser.add_argument("--pubsub", help="the pubsub service")
    parser.add_argument("--node", help="the node to publish to")
    parser.add_argument("--user", help="log in with an account: its user name (default: anonymously)")
    parser.add_argument("--password", help="its password (default: $EPODE_PASSWORD, or asked for)")
    parser.add_argument("--format", choices=["json", "atom"], default="json", help="what items hold (default: json)")
    default = os.path.join(tempfile.gettempdir(), f"epode-demo-{os.getuid() if hasattr(os, 'getuid') else 'orders'}", "orders.sqlite3")
    parser.add_argument("--db", default=default, help=f"the database (default: {default})")
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    add = commands.add_parser("add", help="insert an order and publish it")
    add.add_argument("title")
    change = commands.add_parser("update", help="update an order and publish it")
    change.add_argument("id", type=int)
    change.add_argument("--title")
    for command in (add, change):
        command.add_argument("--for", dest="whom")
        command.add_argument("--note")
        command.add_argument("--status", choices=STATES)
    remove = commands.add_parser("delete", help="delete an order and retract its item")
    remove.add_argument("id", type=int)
    commands.add_parser("list", help="show what the database holds")
    commands.add_parser("flush", help="publish what could not be published before")
    at_random = commands.add_parser("random", help="orders come, move on and go, until Ctrl-C")
    at_random.add_argument("--every", type=float, default=2, metavar="SECONDS")
    at_random.add_argument("--count", type=int, metavar="N", help="stop after so many")
    commands.add_parser("watch", help="publish what any program changes in the database, until Ctrl-C")
    return parser.parse_args()


def settings_of(options):
    """Where to publish: as told, or as the demo's own page is told."""
    base = options.url if "//" in options.url else f"http://{options.url}"
    config = {}
    if not (options.service and options.domain and options.pubsub and options.node):
        address = urllib.parse.urljoin(base, "/config.json")
        try:
            with urllib.request.urlopen(address, timeout=TIMEOUT) as response:
                config = json.load(response)
        except (OSError, ValueError) as error:
            raise Failure(f"{address} cannot be read ({error}). Is the demo running there? npm run demo prints its address.") from error
    service = urllib.parse.urljoin(base, options.service or config.get("service", "/http-bind"))
    if not service.startswith("http") or urllib.parse.urlsplit(service).path == "/ws":
        raise Failure(f"{service} is not BOSH: this program needs it. Give its address with --service.")
    password = None
    if options.user:
        password = options.password or os.environ.get("EPODE_PASSWORD") or getpass.getpass(f"Password of {options.user}: ")
    domain = options.domain or config["domain" if options.user else "anonymousDomain"]
    return {
        "service": service, "domain": domain, "user": options.user, "password": password,
        "pubsub": options.pubsub or config["pubsub"], "node": options.node or config["node"],
    }  # fmt: skip


def run(options):
    database = open_database(options.db)
    if options.command == "list":
        return show(database)
    payload = payload_atom if options.format == "atom" else payload_json
    publisher = Publisher(database, options.db, settings_of(options), payload)
    problem = None
    if options.command in ("add", "update", "delete"):
        # Logged in before, it publishes at once what is committed; and it is committed whether that works or not.
        try:
            publisher.prepare()
        except Failure as failure:
            problem = failure
    if options.command == "add":
        insert(database, options.title, options.whom or "", options.note or "", options.status or "new")
    elif options.command == "update":
        given = {"title": options.title, "for": options.whom, "note": options.note, "status": options.status}
        changes = {name: value for name, value in given.items() if value is not None}
        if not changes:
            raise Failure("Nothing to update: give --title, --for, --note or --status.")
        update(database, options.id, changes)
    elif options.command == "delete":
        delete(database, options.id)
    if problem:
        raise problem
    try:
        if options.command == "watch":
            print(f"watching {options.db}; for instance:\n  sqlite3 {options.db} \"INSERT INTO orders (title) VALUES ('Espresso')\"", flush=True)
            keep_on(publisher, lambda: None, 0.1)
        elif options.command == "random" and options.count is None:
            keep_on(publisher, lambda: surprise(database), options.every)
        elif options.command == "random":
            for number in range(options.count):
                if number:
                    time.sleep(options.every)
                surprise(database)
                publisher.flush()
        else:
            publisher.flush()
    finally:
        publisher.close()
    return None


def main():
    options = arguments()
    try:
        run(options)
    except Failure as failure:
        print(f"publisher: {failure}", file=sys.stderr)
        if options.command in ("add", "update", "delete", "flush") and not isinstance(failure, NoSuchOrder):
            print("What was committed is in the database, and is published with the next call that succeeds.", file=sys.stderr)
        sys.exit(1)
    except sqlite3.Error as error:
        print(f"publisher: the database refused: {error}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print()


if __name__ == "__main__":
    main()
