"""Which models are feeds, and what a change of one of their objects sets off."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from django.core import serializers
from django.core.exceptions import ValidationError
from django.core.serializers.json import DjangoJSONEncoder
from django.db import DEFAULT_DB_ALIAS, models, transaction
from django.db.models.signals import post_delete, post_save

from outlet import entry_payload, json_payload

from . import sending

Payload = Callable[["Registration", models.Model], ET.Element]


def django_xml(registration: Registration, instance: models.Model) -> ET.Element:
    """Django's XML in an Atom entry: what django-pubsub sent."""
    return entry_payload(serializers.serialize("xml", [instance], fields=registration.fields))


def plain_json(registration: Registration, instance: models.Model) -> ET.Element:
    """The fields as one JSON object (XEP-0335), with the primary key as `pk`."""
    [data] = serializers.serialize("python", [instance], fields=registration.fields)
    return json_payload({"pk": data["pk"], **data["fields"]}, DjangoJSONEncoder)


PAYLOADS: dict[str, Payload] = {"django": django_xml, "json": plain_json}
WORDS = {"create": "is new", "update": "has changed", "delete": "is gone"}


def announcement(instance: models.Model, what: str) -> str:
    """What a room is told, unless the registration says it in its own words."""
    return f"{instance._meta.verbose_name.capitalize()} {instance.pk}, {instance}, {WORDS[what]}"


@dataclass(frozen=True)
class Registration:
    """How a model's objects are told."""

    model: type[models.Model]
    node: str
    payload: Payload
    #: Which fields are sent; None: all of them. Whoever may read the node reads them.
    fields: tuple[str, ...] | None
    #: How many objects the node keeps: so many a page that comes is shown.
    keep: int
    #: The name of a room that is told, too.
    room: str | None
    announce: Callable[[models.Model, str], str]

    def find(self, pk: Any, using: str) -> models.Model | None:
        """The object as the database has it now."""
        return self.model._base_manager.using(using).filter(pk=pk).first()

    def element(self, instance: models.Model) -> ET.Element:
        """What is published of an object."""
        return self.payload(self, instance)


_registered: dict[type[models.Model], Registration] = {}


def registered() -> Iterator[Registration]:
    """All that was registered."""
    return iter(_registered.values())


def register(
    what: type[models.Model] | Iterable[type[models.Model]],
    *,
    payload: str | Payload = "json",
    fields: Iterable[str] | None = None,
    node: str | None = None,
    keep: int = 200,
    room: str | None = None,
    announce: Callable[[models.Model, str], str] = announcement,
) -> None:
    """Makes feeds of a model, or of several. `payload`: "json", "django" (XML), or a function that makes the element."""
    if not isinstance(what, type):
        for model in what:
            register(model, payload=payload, fields=fields, node=node, keep=keep, room=room, announce=announce)
        return
    _registered[what] = Registration(
        model=what,
        node=node or f"/{what._meta.app_label}/{what.__name__}",
        payload=payload if callable(payload) else PAYLOADS[payload],
        fields=tuple(fields) if fields is not None else None,
        keep=keep,
        room=room,
        announce=announce,
    )
    name = f"feeds {what._meta.label}"
    post_save.connect(_saved, sender=what, dispatch_uid=f"{name} saved")
    post_delete.connect(_deleted, sender=what, dispatch_uid=f"{name} deleted")


def touch(model: type[models.Model], *pks: Any, using: str = DEFAULT_DB_ALIAS) -> None:
    """Says that objects have changed where Django sends no signal: after `QuerySet.update()`, `bulk_create()` and raw SQL."""
    for pk in pks:
        transaction.on_commit(partial(sending.object_changed, _registered[model], pk, using), using=using)


def check(instance: models.Model) -> None:
    """Raises a `ValidationError` for an object that could be saved and not published. Call it in the model's `clean()`."""
    registration = _registered[type(instance)]
    connection = sending.outlet().connection
    try:
        reason = connection.why_unpublishable(registration.element(instance))
    except ValueError:
        # Django's XML refuses control characters (UnserializableContentError).
        reason = "it has a character that XML cannot carry"
    if reason is None and registration.room:
        reasons = (connection.why_unsayable(registration.announce(instance, what)) for what in WORDS)
        reason = next(filter(None, reasons), None)
    if reason:
        raise ValidationError(f"This cannot be published: {reason}.")


def _saved(sender: type[models.Model], instance: models.Model, created: bool, using: str, raw: bool, **_: Any) -> None:
    # Fixtures are loaded before all that they refer to is there; `feeds_sync` publishes them.
    if not raw:
        _changed(_registered[sender], instance, "create" if created else "update", using)


def _deleted(sender: type[models.Model], instance: models.Model, using: str, **_: Any) -> None:
    _changed(_registered[sender], instance, "delete", using)


def _changed(registration: Registration, instance: models.Model, what: str, using: str) -> None:
    # Inside a transaction nobody knows yet whether it has happened; without one it has, and this is called at once.
    transaction.on_commit(partial(sending.object_changed, registration, instance.pk, using), using=using)
    if registration.room:
        text = registration.announce(instance, what)
        transaction.on_commit(partial(sending.announce, registration.room, text), using=using)
