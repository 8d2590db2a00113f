"""News for the apps above, sent inside the transaction of the action that makes it true."""

from __future__ import annotations

from django.dispatch import Signal

role_changed = Signal()
"""A person's role was changed. Arguments: ``membership`` as it is now, ``before`` (the former role)."""

member_removed = Signal()
"""A person's place is gone, by removal or by leaving. Arguments: ``organization``, ``user``."""

passkey_asked = Signal()
"""An organization asks its people for a passkey from now on. Arguments: ``organization``, ``users``."""
