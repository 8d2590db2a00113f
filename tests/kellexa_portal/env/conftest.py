"""What the environment's tests share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.kellexa_portal.env.surroundings import good_production


@pytest.fixture
def variables(tmp_path: Path) -> dict[str, str]:
    return good_production(tmp_path)
