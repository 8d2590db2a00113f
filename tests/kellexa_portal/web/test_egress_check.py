"""The deployment check on what the portal may visit."""

from __future__ import annotations

import ipaddress
from typing import Any

from kellexa_portal.web.checks import nothing_private_may_be_visited


def test_a_deployment_that_may_visit_its_own_network_is_warned_of(settings: Any) -> None:
    settings.EGRESS_ALLOW = (ipaddress.ip_network("10.0.0.0/8"),)

    assert [message.id for message in nothing_private_may_be_visited(None)] == ["kellexa.W002"]


def test_a_deployment_that_may_not_is_not(settings: Any) -> None:
    settings.EGRESS_ALLOW = ()

    assert nothing_private_may_be_visited(None) == []
