"""The navigation leads nowhere that answers 404."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from tests.factories import accounts
from tests.factories.organizations import founder
from tests.factories.sign_in import sign_in

pytestmark = pytest.mark.django_db

LINK = re.compile(r'href="(/accounts/[^"?]*)"')


@pytest.mark.parametrize("has_organization", [True, False])
def test_every_link_of_the_checkup_leads_somewhere(client: Client, has_organization: bool) -> None:
    sign_in(client, founder().user if has_organization else accounts.user())

    links = set(LINK.findall(client.get("/accounts/").content.decode()))

    assert ("/accounts/keys/" in links, "/accounts/organization/" in links) == (has_organization,) * 2
    assert {link: client.get(link).status_code for link in links if client.get(link).status_code >= 400} == {}
