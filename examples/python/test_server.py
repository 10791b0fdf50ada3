"""The connection with a server: tests/examples/outlet-server.test.mjs starts one and says in the environment where it is."""

import logging
import os
import secrets
import unittest
import xml.etree.ElementTree as ET

from outlet import Connection, Outlet, Refused, Unreachable, json_payload, queue

OPEN = {"access_model": "open", "publish_model": "open", "persist_items": True, "max_items": 20}
PRIVATE = {"access_model": "whitelist", "publish_model": "publishers", "persist_items": True, "max_items": 20}
DOMAIN = os.environ["XMPP_JID"].partition("@")[2]
MUC = os.environ["XMPP_MUC_HOST"]


def connection(jid: str, password: str, **options: object) -> Connection:
    address = {"host": os.environ["XMPP_HOST"], "port": int(os.environ["XMPP_PORT"]), "tls": False}
    return Connection(jid, password, **address, pubsub=os.environ["XMPP_PUBSUB_HOST"], **options)


def site(**options: object) -> Connection:
    return connection(os.environ["XMPP_JID"], os.environ["XMPP_PASSWORD"], **options)


class ServerTest(unittest.TestCase):
    def setUp(self) -> None:
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)
        self.site = site()
        self.addCleanup(self.site.close)
        self.name = secrets.token_hex(8)
        self.node = f"node {self.name}"
        # An account that may do nothing here.
        self.password = secrets.token_urlsafe(12)
        jid = f"mallory-{self.name}@{DOMAIN}"
        self.site.create_account(jid, self.password)
        self.mallory = connection(jid, self.password)
        self.addCleanup(self.mallory.close)

    def subscribe(self) -> None:
        pubsub = ET.Element("{http://jabber.org/protocol/pubsub}pubsub")
        ET.SubElement(pubsub, "{http://jabber.org/protocol/pubsub}subscribe", node=self.node, jid=self.mallory.jid.bare)
        self.mallory._ask(self.mallory.pubsub, pubsub)

    def readers(self) -> set[str]:
        owner = "http://jabber.org/protocol/pubsub#owner"
        pubsub = ET.Element(f"{{{owner}}}pubsub")
        ET.SubElement(pubsub, f"{{{owner}}}subscriptions", node=self.node)
        reply = self.site._ask(self.site.pubsub, pubsub, kind="get")
        return {one.attrib["jid"] for one in reply.iter(f"{{{owner}}}subscription") if one.attrib.get("subscription") != "none"}

    def test_a_node_that_exists_is_not_taken_as_it_is(self) -> None:
        self.site.create_node(self.node, OPEN)
        self.mallory.publish(self.node, "forged", json_payload("forged"))
        self.subscribe()
        self.assertEqual(self.readers(), {self.mallory.jid.bare})

        self.site.ensure_node(self.node, PRIVATE)

        found = self.site.node_config(self.node)
        self.assertEqual({name: found[name] for name in ("access_model", "publish_model")}, {"access_model": "whitelist", "publish_model": "publishers"})
        self.assertEqual(self.readers(), set())
        self.assertEqual(self.site.item_ids(self.node), [])
        with self.assertRaises(Refused):
            self.subscribe()
        with self.assertRaises(Refused):
            self.mallory.publish(self.node, "forged", json_payload("forged"))

    def test_others_who_may_write_or_read_lose_it(self) -> None:
        for affiliation in ("publisher", "member"):
            with self.subTest(affiliation=affiliation):
                self.node = f"node {self.name} {affiliation}"
                self.site.create_node(self.node, PRIVATE)
                self.site.set_affiliations(self.node, {self.mallory.jid.bare: affiliation})
                self.subscribe()
                self.site.ensure_node(self.node, PRIVATE, {f"friend@{DOMAIN}": "member"})
                self.assertEqual(self.site.affiliations(self.node).get(f"friend@{DOMAIN}"), "member")
                self.assertNotIn(self.mallory.jid.bare, self.site.affiliations(self.node))
                with self.assertRaises(Refused):
                    self.mallory.publish(self.node, "forged", json_payload("forged"))
                with self.assertRaises(Refused):
                    self.subscribe()
                self.assertNotIn(self.mallory.jid.bare, self.readers())

    def test_a_node_that_was_right_keeps_its_items_and_readers(self) -> None:
        reader = {self.mallory.jid.bare: "member"}
        self.site.ensure_node(self.node, PRIVATE, reader)
        self.site.publish(self.node, "1", json_payload("news"))
        self.subscribe()
        # As in a new session, in which nothing is known.
        self.site._done.clear()
        self.site.ensure_node(self.node, PRIVATE, reader)
        self.assertEqual(self.site.item_ids(self.node), ["1"])
        self.assertEqual(self.readers(), {self.mallory.jid.bare})

    def test_a_node_of_another_account_is_refused_or_taken_from_it(self) -> None:
        self.site.create_node(self.node, OPEN)
        self.site.set_affiliations(self.node, {self.mallory.jid.bare: "owner"})
        self.mallory.set_affiliations(self.node, {self.site.jid.bare: "none"})
        try:
            self.site.ensure_node(self.node, PRIVATE)
        except Refused as refused:
            self.assertEqual(refused.condition, "conflict")
        else:
            # Prosody: an admin of the service is an owner of every node.
            with self.assertRaises(Refused):
                self.mallory.publish(self.node, "forged", json_payload("forged"))

    def test_a_room_of_another_account_is_refused_or_taken_from_it(self) -> None:
        room = f"room-{self.name}@{MUC}"
        self.mallory.enter(room, "owner")
        try:
            self.site.enter(room, "site")
        except Refused as refused:
            self.assertEqual(refused.condition, "conflict")
            # A room that is not said to be the site's own may be anybody's.
            self.assertEqual(self.site.enter(room, "site", own=False), "site")
        else:
            with self.assertRaises(Refused):
                self.mallory._run(self.mallory._configure_room(room))

    def test_a_stanza_above_the_servers_limit_holds_nobody_up(self) -> None:
        row = json_payload("x" * 270_000)
        self.site.ensure_node(self.node, PRIVATE)
        with self.assertRaises(Refused):
            self.site.publish(self.node, "large", row)
        # The site was told a wrong limit: the server ends the stream over the row.
        outlet = Outlet(site(max_stanza=10_000_000), flush=5)
        self.addCleanup(outlet.close)
        acts = []
        large = outlet.submit("row 1", lambda xmpp: (acts.append(1), xmpp.publish(self.node, "large", row)))
        outlet.submit("row 2", lambda xmpp: xmpp.publish(self.node, "small", json_payload("small"))).result(60)
        self.assertIsInstance(large.exception(0), (Refused, Unreachable))
        self.assertLessEqual(len(acts), queue.CUTS)
        self.assertEqual([job.name for job in outlet.set_aside], ["row 1"])
        self.assertEqual(self.site.item_ids(self.node), ["small"])

    def test_an_account_that_is_taken_over_has_no_old_sessions(self) -> None:
        self.mallory.enter(f"room-{self.name}@{MUC}", "mallory")
        self.site.take_over_account(self.mallory.jid.bare, "another")
        # The session is gone, and the old password opens no other one.
        with self.assertRaises(Unreachable):
            for _ in range(3):
                self.mallory._run(self.mallory._session())
                self.mallory.item_ids(self.node)
        late = connection(self.mallory.jid.bare, "another")
        self.addCleanup(late.close)
        late.enter(f"room-{self.name}@{MUC}", "owner")


if __name__ == "__main__":
    unittest.main()
