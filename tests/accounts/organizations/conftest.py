"""Who holds a passkey, said by the test instead of the app that keeps factors."""

from __future__ import annotations

import pytest

from accounts.organizations import compliance


@pytest.fixture
def holders(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The primary keys of the accounts that hold a phishing-resistant factor; add to it at will."""
    found: set[int] = set()
    monkeypatch.setattr(compliance, "_answers", [lambda user_ids: found & set(user_ids)])
    return found
