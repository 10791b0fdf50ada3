"""Live feeds of models: what is saved and deleted goes to the pages that watch, once it is committed.

    from django.db import models
    import feeds

    class Order(models.Model): ...

    feeds.register(Order)          # or several: feeds.register([Order, Dish], payload="django")

Each object is an item of the node `/<app>/<Model>`, its id the primary key; creating and changing publish it, deleting
retracts it. With `room="kitchen"` it is announced in a room as well. Settings: `XMPP_JID`, `XMPP_PASSWORD`, and the others
of `project/settings.py`; the app belongs into `INSTALLED_APPS`. `feeds.check(self)` in a model's `clean()` refuses what could not be published. `manage.py feeds_sync` makes the nodes and brings them up to date.
"""

from .registration import Registration, check, register, registered, touch

__all__ = ["Registration", "check", "register", "registered", "touch"]
