"""The queue of jobs and the thread that carries them out: in order, each until it is answered or set aside, then the next."""

from __future__ import annotations

import atexit
import logging
import os
import random
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from .connection import Connection
from .errors import Refused, Unreachable

log = logging.getLogger(__name__)

Act = Callable[[Connection], Any]

#: Seconds before a job is repeated: at first, and at most. Doubled each time, and half of it left to chance.
LEAST, MOST = 0.5, 30.0
#: How many tries a job has. A try needs a session: while the server is away, jobs wait, and use none.
TRIES = 8
#: How many times the session may end during one job: the job is then taken for the reason, and all others wait meanwhile.
CUTS = 3
#: How many jobs that were set aside are remembered.
REMEMBERED = 1000


@dataclass(frozen=True)
class SetAside:
    """A job that was given up."""

    name: str
    error: Exception


@dataclass
class _Job:
    name: str
    act: Act
    done: Future = field(default_factory=Future)


class Outlet:
    """A queue in memory, over one connection. What is still in it when the process ends is sent within `flush` seconds.

    `set_aside`: the last jobs that were given up, the oldest first; each has been logged as an error too.
    """

    def __init__(self, connection: Connection, *, limit: int = 10_000, flush: float = 10.0) -> None:
        """`limit`: how many jobs may wait; beyond it, a job is refused and logged."""
        self.connection = connection
        self.set_aside: deque[SetAside] = deque(maxlen=REMEMBERED)
        self._limit = limit
        self._flush = flush
        self._begin()
        # A process that forks leaves its threads behind.
        os.register_at_fork(after_in_child=self._begin)
        atexit.register(self.close)

    def _begin(self) -> None:
        self.connection.forget()
        self._changed = threading.Condition()
        self._jobs: OrderedDict[Hashable, _Job] = OrderedDict()
        self._thread: threading.Thread | None = None
        self._deadline: float | None = None

    def submit(self, name: str, act: Act, *, key: Hashable = None) -> Future:
        """Has `act(connection)` called, in its turn. `name` is for the log. Of what waits under the same `key` the first
        stays where it is and does for both: such an `act` looks up what there is to say when it is called."""
        with self._changed:
            waiting = self._jobs.get(key) if key is not None else None
            if waiting is not None:
                return waiting.done
            job = _Job(name, act)
            if self._deadline is not None or len(self._jobs) >= self._limit:
                reason = "the process ends" if self._deadline is not None else f"{self._limit} others wait already"
                log.error("%s: not sent, %s", name, reason)
                job.done.set_exception(Refused("resource-constraint", reason))
                return job.done
            self._jobs[key if key is not None else object()] = job
            if self._thread is None:
                self._thread = threading.Thread(target=self._work, name="outlet", daemon=True)
                self._thread.start()
            self._changed.notify_all()
            return job.done

    def close(self, timeout: float | None = None) -> None:
        """Sends what waits, and ends the connection. What cannot be sent in time is logged."""
        with self._changed:
            thread = self._thread
            if self._deadline is not None or thread is None:
                return
            self._deadline = time.monotonic() + (self._flush if timeout is None else timeout)
            self._changed.notify_all()
        thread.join(max(0.0, self._deadline - time.monotonic()) + 1)
        with self._changed:
            for job in self._jobs.values():
                log.error("%s: not sent, the process ends", job.name)
        self.connection.close()

    def _work(self) -> None:
        while True:
            with self._changed:
                while not self._jobs and self._deadline is None:
                    self._changed.wait()
                if not self._jobs or self._is_late():
                    return
                _, job = self._jobs.popitem(last=False)
            self._carry_out(job)

    def _is_late(self) -> bool:
        return self._deadline is not None and time.monotonic() >= self._deadline

    def _carry_out(self, job: _Job) -> None:
        """Tries until there is an answer, or the job is given up: no job may keep the others waiting for ever."""
        tries = cuts = 0
        pause = LEAST
        started = time.monotonic()
        while True:
            try:
                result = job.act(self.connection)
            except Unreachable as error:
                tries += not error.outage
                cuts += error.cut
                if self._is_late() or tries >= TRIES or cuts >= CUTS:
                    self._give_up(job, error, f"set aside after {tries} tries")
                    return
                wait = pause * random.uniform(0.5, 1)
                pause = min(2 * pause, MOST)
                log.warning("%s: not sent yet: %s; again in %.1f s", job.name, error, wait)
                self._rest(wait)
            except Exception as error:  # noqa: BLE001  one that fails must not take the thread with it
                self._give_up(job, error, "set aside")
                return
            else:
                log.info("%s: sent in %.0f ms", job.name, 1000 * (time.monotonic() - started))
                job.done.set_result(result)
                return

    def _give_up(self, job: _Job, error: Exception, what: str) -> None:
        is_known = isinstance(error, (Refused, Unreachable))
        log.error("%s: not sent, %s: %s", job.name, what, error, exc_info=None if is_known else error)
        self.set_aside.append(SetAside(job.name, error))
        job.done.set_exception(error)

    def _rest(self, seconds: float) -> None:
        """Waits. When the process ends, it is tried once more at once, and then every now and then."""
        ending = self._deadline is not None
        end = time.monotonic() + (min(seconds, LEAST) if ending else seconds)
        with self._changed:
            while (left := end - time.monotonic()) > 0 and (ending or self._deadline is None):
                self._changed.wait(left)
