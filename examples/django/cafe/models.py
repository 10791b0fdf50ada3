"""What the café keeps: its orders and its menu."""

from django.db import models

import feeds


class Dish(models.Model):
    """Something on the menu."""

    name = models.CharField(max_length=60, unique=True)
    price = models.DecimalField(max_digits=6, decimal_places=2)
    sold_out = models.BooleanField(default=False)

    class Meta:
        verbose_name_plural = "dishes"

    def __str__(self) -> str:
        return self.name


class Order(models.Model):
    """What somebody wants."""

    class Status(models.TextChoices):
        NEW = "new", "new"
        MAKING = "making", "in the making"
        READY = "ready", "ready"

    what = models.CharField(max_length=120)
    whom = models.CharField(max_length=40, blank=True)
    note = models.CharField(max_length=200, blank=True)
    status = models.CharField(max_length=6, choices=Status, default=Status.NEW)
    saved_at = models.DateTimeField(auto_now=True)

    def clean(self) -> None:
        feeds.check(self)

    def __str__(self) -> str:
        return f"{self.what} for {self.whom}" if self.whom else self.what


feeds.register(Order, room="kitchen")
feeds.register(Dish, payload="django")
