"""Ada, her authenticator app, and a moment that stands still."""

from __future__ import annotations

from tests.accounts.mfa.conftest import ada, clock, device

__all__ = ["ada", "clock", "device"]
