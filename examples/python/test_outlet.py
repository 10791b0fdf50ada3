"""The queue without a server: `python -m unittest` in this folder, with slixmpp installed."""

import logging
import threading
import unittest
from unittest import mock

from outlet import Outlet, Refused, Unreachable, entry_payload, json_payload, queue


def later(by_service: bool = True) -> Unreachable:
    error = Unreachable("later")
    error.by_service = by_service
    return error


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
        failures = [later(), later(False)]

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

    def test_what_is_refused_or_put_off_too_often_holds_nobody_up(self) -> None:
        refused = self.outlet.submit("refused", mock.Mock(side_effect=Refused("forbidden")))
        put_off = self.outlet.submit("put off", mock.Mock(side_effect=lambda _: (_ for _ in ()).throw(later())))
        broken = self.outlet.submit("broken", mock.Mock(side_effect=ValueError("no payload")))
        self.assertEqual(self.outlet.submit("next", lambda _: "done").result(5), "done")
        self.assertIsInstance(refused.exception(0), Refused)
        self.assertIsInstance(put_off.exception(0), Unreachable)
        self.assertIsInstance(broken.exception(0), ValueError)

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
    def test_json_holds_what_xml_cannot(self) -> None:
        self.assertEqual(json_payload({"a": "\x00\uffff é"}).text, '{"a":"\\u0000\\uffff \\u00e9"}')

    def test_an_entry_has_the_document_in_it(self) -> None:
        entry = entry_payload('<?xml version="1.0" encoding="utf-8"?>\n<django-objects version="1.0"><object/></django-objects>')
        self.assertEqual([child.tag for child in entry], ["{http://www.w3.org/2005/Atom}django-objects"])


if __name__ == "__main__":
    unittest.main()
