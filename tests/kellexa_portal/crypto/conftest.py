"""What the tests of sealing share."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from kellexa_portal.crypto import datakeys
from kellexa_portal.crypto.models import DataKey


@pytest.fixture
def no_data_keys(db: None) -> Iterator[None]:
    """Data keys commit by themselves, so that no test's rollback removes them: this does."""
    _remove()
    yield
    _remove()


def _remove() -> None:
    DataKey.objects.using(datakeys.DATABASE).all().delete()
    datakeys.forget()
