"""Lifetimes of lock-downs; pure, and ``now`` is given."""

from __future__ import annotations

from datetime import timedelta

LINK_LIFETIME = timedelta(days=7)
"""How long a notice can be disowned: long enough for who reads mail once a week."""

KEEP_LINKS_FOR = timedelta(days=30)
"""How long a link that expired can still be told from one that never was."""

RECOVERY_QUARANTINE = timedelta(hours=24)
"""How long after a recovery sign-in nobody lifts: who stole the codes must not undo what the owner did."""
