"""Nodes of a publish-subscribe service (XEP-0060 1.24): created, checked, published to.

A node that exists already may have been made by somebody else, or more open than the site wants it. `ensure_node` therefore
compares and corrects it, and refuses one that the site does not own.
"""

from __future__ import annotations

import logging
import xml.etree.ElementTree as ET
from collections.abc import Mapping
from typing import Any

from .errors import Refused
from .forms import read_form, value_text, write_form

log = logging.getLogger(__name__)

PUBSUB = "http://jabber.org/protocol/pubsub"
OWNER = f"{PUBSUB}#owner"
NODE_CONFIG = f"{PUBSUB}#node_config"
ITEMS = "http://jabber.org/protocol/disco#items"

#: The settings that say who may read and who may write.
MODELS = ("access_model", "publish_model")
#: Affiliations that let an account write.
WRITERS = {"owner", "publisher", "publish-only"}
NOT_OURS = {"forbidden", "not-allowed", "not-authorized"}


class Nodes:
    """The part of `Connection` that is about nodes."""

    def create_node(self, node: str, config: Mapping[str, Any]) -> bool:
        """Creates a node. False when the node exists; it is not changed then."""
        pubsub = ET.Element(f"{{{PUBSUB}}}pubsub")
        ET.SubElement(pubsub, f"{{{PUBSUB}}}create", node=node)
        ET.SubElement(pubsub, f"{{{PUBSUB}}}configure").append(write_form(NODE_CONFIG, config, "pubsub#"))
        return self._unless("conflict", pubsub)

    def ensure_node(self, node: str, config: Mapping[str, Any], affiliations: Mapping[str, str] | None = None) -> None:
        """Creates a node, or checks the one that exists; once a session.

        Afterwards the node is as open as `config` asks (`access_model`, `publish_model`), and only the site's account and
        the accounts in `affiliations` (bare JIDs) may write or, at a whitelist, read. `Refused` when that cannot be had.
        """
        wanted = dict(affiliations or {})

        def act() -> None:
            created = self.create_node(node, config)
            self._enforce_models(node, config)
            if not created:
                self._enforce_affiliations(node, config, wanted)
            elif wanted:
                self.set_affiliations(node, wanted)

        self.once(("node", node), act)

    def _enforce_models(self, node: str, config: Mapping[str, Any]) -> None:
        """Reads who may read and write, also of a new node: a service may ignore settings. Corrects the node where it differs."""
        wanted = {name: value_text(config[name]) for name in MODELS if name in config}
        if not wanted:
            return
        try:
            found = self.node_config(node)
        except Refused as refused:
            if refused.condition in NOT_OURS:
                raise Refused("conflict", f"the node {node} exists and belongs to another account") from None
            raise
        different = [name for name in wanted if found.get(name) != wanted[name]]
        if not different:
            return
        for name in different:
            log.warning("node %s: %s is %s, and becomes %s", node, name, found.get(name, "unknown"), wanted[name])
        self.configure_node(node, config)
        now = self.node_config(node)
        for name in wanted:
            if now.get(name) != wanted[name]:
                raise Refused("not-acceptable", f"the node {node} has {name} {now.get(name, 'unknown')}, not {wanted[name]}")
        if "publish_model" in different and "publish_model" in found:
            # Others may have published: what they left must not pass for the site's.
            self.purge_node(node)

    def _enforce_affiliations(self, node: str, config: Mapping[str, Any], wanted: Mapping[str, str]) -> None:
        is_whitelist = config.get("access_model") == "whitelist"
        found = self.affiliations(node)
        changes = {jid: affiliation for jid, affiliation in wanted.items() if found.get(jid) != affiliation}
        for jid, affiliation in found.items():
            if jid == self.jid.bare or jid in wanted:
                continue
            if affiliation in WRITERS or (is_whitelist and affiliation == "member"):
                log.warning("node %s: %s is %s, and is so no longer", node, jid, affiliation)
                changes[jid] = "none"
        readers = {self.jid.bare, *wanted}
        if is_whitelist:
            # COMPAT(Prosody 0.12): the affiliation of a subscriber cannot be taken away.
            self._end_subscriptions(node, readers)
        if changes:
            self.set_affiliations(node, changes)
            if is_whitelist:
                # Until then they could subscribe again.
                self._end_subscriptions(node, readers)

    def _end_subscriptions(self, node: str, readers: set[str]) -> None:
        """Ends the subscriptions of all others: not every service does when a node is made less open."""
        reply = self._ask(self.pubsub, _owner("subscriptions", node), kind="get")
        parent = ET.Element(f"{{{OWNER}}}subscriptions", node=node)
        for found in reply.iter(f"{{{OWNER}}}subscription"):
            jid = found.attrib.get("jid", "")
            if jid and jid.partition("/")[0] not in readers and found.attrib.get("subscription") != "none":
                log.warning("node %s: the subscription of %s is ended", node, jid)
                attributes = {name: found.attrib[name] for name in ("jid", "subid") if name in found.attrib}
                ET.SubElement(parent, f"{{{OWNER}}}subscription", {**attributes, "subscription": "none"})
        if len(parent):
            pubsub = ET.Element(f"{{{OWNER}}}pubsub")
            pubsub.append(parent)
            self._ask(self.pubsub, pubsub)

    def node_config(self, node: str) -> dict[str, str]:
        """A node's settings, without the prefix `pubsub#`. For the node's owner."""
        reply = self._ask(self.pubsub, _owner("configure", node), kind="get")
        return {name.removeprefix("pubsub#"): value for name, value in read_form(reply).items()}

    def configure_node(self, node: str, config: Mapping[str, Any]) -> None:
        """Changes a node's settings. For the node's owner."""
        pubsub = _owner("configure", node)
        pubsub[0].append(write_form(NODE_CONFIG, config, "pubsub#"))
        self._ask(self.pubsub, pubsub)

    def affiliations(self, node: str) -> dict[str, str]:
        """Which accounts have which affiliation. For the node's owner."""
        reply = self._ask(self.pubsub, _owner("affiliations", node), kind="get")
        found = reply.iter(f"{{{OWNER}}}affiliation")
        return {one.attrib["jid"]: one.attrib.get("affiliation", "none") for one in found if "jid" in one.attrib}

    def set_affiliations(self, node: str, affiliations: Mapping[str, str]) -> None:
        """Gives accounts their affiliations: `{"romeo@example.org": "member"}`. For the node's owner."""
        pubsub = _owner("affiliations", node)
        for jid, affiliation in affiliations.items():
            ET.SubElement(pubsub[0], f"{{{OWNER}}}affiliation", jid=jid, affiliation=affiliation)
        self._ask(self.pubsub, pubsub)

    def purge_node(self, node: str) -> None:
        """Removes all items. For the node's owner."""
        self._ask(self.pubsub, _owner("purge", node))

    def publish(self, node: str, item_id: str, payload: ET.Element) -> None:
        """Publishes an item, or replaces the one with that id."""
        pubsub = ET.Element(f"{{{PUBSUB}}}pubsub")
        item = ET.SubElement(ET.SubElement(pubsub, f"{{{PUBSUB}}}publish", node=node), f"{{{PUBSUB}}}item", id=item_id)
        item.append(payload)
        self._ask(self.pubsub, pubsub)

    def retract(self, node: str, item_id: str) -> bool:
        """Retracts an item and notifies the subscribers. False when there is no such item."""
        pubsub = ET.Element(f"{{{PUBSUB}}}pubsub")
        retract = ET.SubElement(pubsub, f"{{{PUBSUB}}}retract", node=node, notify="true")
        ET.SubElement(retract, f"{{{PUBSUB}}}item", id=item_id)
        return self._unless("item-not-found", pubsub)

    def item_ids(self, node: str) -> list[str]:
        """The ids of the items of a node (XEP-0060 §5.5)."""
        reply = self._ask(self.pubsub, ET.Element(f"{{{ITEMS}}}query", node=node), kind="get")
        return [item.attrib["name"] for item in reply.iter(f"{{{ITEMS}}}item") if "name" in item.attrib]

    def _unless(self, condition: str, payload: ET.Element) -> bool:
        """Sends a request. False when it is refused with this condition."""
        try:
            self._ask(self.pubsub, payload)
        except Refused as refused:
            if refused.condition == condition:
                return False
            raise
        return True


def _owner(name: str, node: str) -> ET.Element:
    pubsub = ET.Element(f"{{{OWNER}}}pubsub")
    ET.SubElement(pubsub, f"{{{OWNER}}}{name}", node=node)
    return pubsub
