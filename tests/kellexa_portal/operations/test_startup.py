"""A process does not serve from a database that lets it change evidence."""

from __future__ import annotations

import pytest
from django.test import override_settings

from kellexa_portal.operations.startup import check_database


@pytest.mark.django_db
def test_a_role_that_owns_the_evidence_is_refused_outside_development() -> None:
    with override_settings(DEVELOPMENT=False), pytest.raises(SystemExit, match=r"audit\.E002"):
        check_database()


def test_development_uses_one_role_for_both() -> None:
    check_database()
