"""News of sessions that travels up to the apps above, while it becomes true."""

from __future__ import annotations

from django.dispatch import Signal

signed_in = Signal()
"""A sign-in is complete and on record. Arguments: ``session``, ``is_new_device``.

Sent inside the transaction. ``is_new_device`` is true where the browser is not known by its cookie and the
person was not seen with it, or not in its network, lately.
"""

moved = Signal()
"""A session is used from another network than when it was last seen, and the row does not know it yet.

Arguments: ``session``, ``device`` and ``ip_prefix`` of the request, both as sessions keep them. A receiver
that ends the session makes this very request anonymous.
"""
