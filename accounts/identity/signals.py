"""News that travels up to the apps above; of a person's account inside the transaction that makes it true."""

from __future__ import annotations

from django.dispatch import Signal

signed_up = Signal()
"""A sign-up was confirmed and its account exists. Arguments: ``user``, ``organization_name``."""

password_changed = Signal()
"""A password was changed or reset.

Arguments: ``user``, ``actor``, ``request_session_key`` (the key of the session that may live on, or
empty when none may).
"""

purging = Signal()
"""The hourly purge begins, in no transaction. Arguments: ``actor`` (a part of the system), ``now``."""
