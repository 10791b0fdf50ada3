"""The queue without a server: `python -m unittest` in this folder, with slixmpp installed."""

import logging
import threading
import unittest
import xml.etree.ElementTree as ET
from unittest import mock

from outlet import Connection, Outlet, Refused, Unreachable, entry_payload, json_payload, queue
from outlet.payloads import why_unsendable


def always(error: Exception) -> mock.Mock:
    """An act that fails each time."""
    return mock.Mock(side_effect=error)


class QueueTest(unittest.TestCase):
    """Acts take the connection; here it is a list of what was done."""

    def setUp(self) -> None:
        logging.disable(logging.CRITICAL)
        self.addCleanup(logging.disable, logging.NOTSET)
        hurried = mock.patch.multiple(queue, LEAST=0.001, MOST=0.002)
        hurried.start()
        self.addCleanup(hurried.stop)
        self.done: list[str] = []
        self.outlet = Outlet(mock.Mock(), limit=5, flush=2)
        self.addCleanup(self.outlet.close)

    def hold(self) -> threading.Event:
        """Keeps the queue busy until the event is set."""
        begun, go_on = threading.Event(), threading.Event()
        self.outlet.submit("hold", lambda _: (begun.set(), go_on.wait(5)))
        begun.wait(5)
        return go_on

    def test_in_order_each_once_tried(self) -> None:
        failures = [Unreachable("later"), Unreachable("no session", outage=True)]

        def first(_: object) -> None:
            if failures:
                raise failures.pop()
            self.done.append("first")

        self.outlet.submit("first", first)
        self.outlet.submit("second", lambda _: self.done.append("second")).result(5)
        self.assertEqual(self.done, ["first", "second"])

    def test_what_waits_under_a_key_waits_once(self) -> None:
        go_on = self.hold()
        futures = [self.outlet.submit(f"{index}", lambda _, index=index: self.done.append(str(index)), key="row 1") for index in range(3)]
        other = self.outlet.submit("other", lambda _: self.done.append("other"))
        go_on.set()
        other.result(5)
        self.assertEqual(self.done, ["0", "other"])
        self.assertEqual({id(future) for future in futures}, {id(futures[0])})

    def test_a_change_while_its_turn_is_on_has_another_turn(self) -> None:
        begun, go_on = threading.Event(), threading.Event()
        self.outlet.submit("row", lambda _: (begun.set(), go_on.wait(5), self.done.append("old")), key="row 1")
        begun.wait(5)
        again = self.outlet.submit("row", lambda _: self.done.append("new"), key="row 1")
        go_on.set()
        again.result(5)
        self.assertEqual(self.done, ["old", "new"])

    def test_a_job_that_keeps_failing_is_set_aside_whatever_the_reason(self) -> None:
        for error, tries in [
            (Refused("forbidden"), 1),
            (ValueError("no payload"), 1),
            (Unreachable("later"), queue.TRIES),
            # The server ends the stream over it.
            (Unreachable("policy-violation", cut=True), queue.CUTS),
        ]:
            with self.subTest(error=error):
                act = always(error)
                job = self.outlet.submit(f"{error}", act)
                self.assertEqual(self.outlet.submit("next", lambda _: "done").result(5), "done")
                self.assertIs(job.exception(0), error)
                self.assertEqual(act.call_count, tries)
                self.assertEqual(self.outlet.set_aside[-1], queue.SetAside(f"{error}", error))

    def test_while_the_server_is_away_jobs_wait_and_use_no_tries(self) -> None:
        failures = [Unreachable("no session", outage=True)] * (3 * queue.TRIES) + [Unreachable("later")] * (queue.TRIES - 1)

        def act(_: object) -> None:
            if failures:
                raise failures.pop()
            self.done.append("sent")

        self.outlet.submit("one", act).result(5)
        self.assertEqual(self.done, ["sent"])

    def test_what_is_set_aside_is_named_in_the_log(self) -> None:
        logging.disable(logging.NOTSET)
        with self.assertLogs("outlet.queue", logging.ERROR) as logs:
            self.outlet.submit("/cafe/Order 7", always(Refused("bad-request", "too large"))).exception(5)
        self.assertIn("/cafe/Order 7: not sent, set aside: bad-request (too large)", logs.output[0])

    def test_there_is_a_limit(self) -> None:
        go_on = self.hold()
        futures = [self.outlet.submit("one", lambda _: None) for _ in range(6)]
        go_on.set()
        self.assertIsInstance(futures[5].exception(5), Refused)
        self.assertIsNone(futures[4].exception(5))

    def test_closing_sends_what_waits_and_takes_nothing_more(self) -> None:
        go_on = self.hold()
        self.outlet.submit("last", lambda _: self.done.append("last"))
        threading.Timer(0.05, go_on.set).start()
        self.outlet.close()
        self.assertEqual(self.done, ["last"])
        self.assertIsInstance(self.outlet.submit("late", lambda _: None).exception(1), Refused)
        self.outlet.connection.close.assert_called_once()


class PayloadTest(unittest.TestCase):
    def test_what_cannot_be_sent_is_known_before(self) -> None:
        limit = json_payload({"text": "é" * 1000})
        self.assertIsNone(why_unsendable(limit))
        # As it is sent: "é" takes six bytes in JSON, a quotation mark seven with XML around it.
        self.assertIn("bytes", why_unsendable(json_payload({"text": "é" * 1000}), 6000))
        self.assertIn("bytes", why_unsendable(json_payload({"text": '"' * 1000}), 6999))
        element = ET.Element("body")
        element.text = "bell \a"
        self.assertIn("character", why_unsendable(element))
        connection = Connection("site@example.org", "secret", max_stanza=10_000)
        self.assertIsNone(connection.why_unpublishable(json_payload("short")))
        self.assertIsNotNone(connection.why_unpublishable(json_payload("é" * 1000)))
        self.assertIsNotNone(connection.why_unsayable("é" * 5000))

    def test_json_holds_what_xml_cannot(self) -> None:
        self.assertEqual(json_payload({"a": "\x00\uffff é"}).text, '{"a":"\\u0000\\uffff \\u00e9"}')

    def test_an_entry_has_the_document_in_it(self) -> None:
        entry = entry_payload('<?xml version="1.0" encoding="utf-8"?>\n<django-objects version="1.0"><object/></django-objects>')
        self.assertEqual([child.tag for child in entry], ["{http://www.w3.org/2005/Atom}django-objects"])


if __name__ == "__main__":
    unittest.main()
