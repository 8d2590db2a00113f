"""News for the apps above, sent inside the transaction of the action; every signal carries ``key``.

``key_rotated`` also carries ``successor``; ``key_revoked`` and ``key_expired`` nothing more.
"""

from __future__ import annotations

from django.dispatch import Signal

key_created = Signal()
key_rotated = Signal()
key_revoked = Signal()
key_expired = Signal()
