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

email_changed = Signal()
"""The address of an account was changed or brought back. Arguments: as ``password_changed``."""

locked_down = Signal()
"""An account was locked down, because its person or the staff believe that somebody else acts in its name.

Arguments: ``user``, ``actor`` (who asked for it, possibly nobody known), ``lockdown`` (the public id). Sent
inside the transaction, again when a locked account is locked anew. A receiver stops, reversibly and for
what the person owns, whatever acts without a session: it pauses, queues for revocation, suspends. It does
nothing twice to what is stopped already, calls nothing over the network, and raises only when the lock-down
must fail with it. Sessions, half sign-ins, mailed links and API keys are stopped already.
"""

lockdown_lifted = Signal()
"""The person has lifted the lock-down of their account, having shown a second factor for exactly that.

Arguments: ``user``, ``actor``, ``lockdown``. Sent inside the transaction. A receiver lets go on what it
paused; what was revoked elsewhere stays revoked, and what the person has to choose stays stopped.
"""

purging = Signal()
"""The hourly purge begins, in no transaction. Arguments: ``actor`` (a part of the system), ``now``."""
