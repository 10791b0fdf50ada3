"""`manage.py feeds_sync`: to be run after `migrate`, and whenever a node and its table may have parted."""

from concurrent.futures import TimeoutError
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DEFAULT_DB_ALIAS

from feeds import registered, sending


class Command(BaseCommand):
    """Makes what is missing, retracts what is gone, publishes what is there."""

    help = "Makes the nodes and rooms of all registered models, and brings the nodes up to date with the database."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--database", default=DEFAULT_DB_ALIAS)
        parser.add_argument("--timeout", type=float, default=120, help="seconds for all of it (default: 120)")

    def handle(self, *_: Any, database: str, timeout: float, **__: Any) -> None:
        try:
            for registration in registered():
                count = sending.synchronize(registration, database).result(timeout)
                if registration.room:
                    sending.enter(registration.room).result(timeout)
                self.stdout.write(f"{registration.node}: {count} published")
        except TimeoutError:
            raise CommandError(f"The XMPP server has not answered within {timeout:g} s") from None
        except Exception as error:
            raise CommandError(f"{registration.node}: {error}") from error
