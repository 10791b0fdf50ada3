"""The app, for Django."""

from django.apps import AppConfig


class FeedsConfig(AppConfig):
    """Nothing is connected when the site starts: the first change does that."""

    name = "feeds"
    verbose_name = "Live feeds"
