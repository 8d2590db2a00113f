"""The counters that go on while Redis is down."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class Counter(models.Model):
    """A spent budget: the instant at which it will be whole again. A row past it says nothing any more.

    No index on the instant: without one an update stays on its page (HOT); only an outage fills the table.
    """

    key = models.TextField(_("key"), primary_key=True)
    whole_at = models.DateTimeField(_("whole again"))

    class Meta:
        db_table = "ratelimit_counter"
        default_permissions = ()

    def __str__(self) -> str:
        return self.key
