"""Events of the tests' own, and a database role like the one that the portal runs under."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from uuid import uuid4

import psycopg
import pytest
from django.db import connection

from kellexa_portal.audit import Stream, catalogue, grants

from .events import SampleEvent


@pytest.fixture(autouse=True)
def _sample_events() -> Iterator[None]:
    """Registered for these tests only, so that the product's catalogue stays what it is."""
    catalogue.register(SampleEvent)
    yield
    catalogue.unregister(SampleEvent)


@pytest.fixture
def stream() -> Stream:
    return Stream.organization(uuid4())


@pytest.fixture
def application_role(transactional_db: None) -> Iterator[str]:
    """A role that owns nothing and was granted what ``migrate`` grants."""
    role = f"kellexa_app_{secrets.token_hex(4)}"
    with connection.cursor() as cursor:
        cursor.execute(f"CREATE ROLE {role} LOGIN PASSWORD '{role}'")
    grants.grant_to(role=role)
    yield role
    with connection.cursor() as cursor:
        cursor.execute(f"DROP OWNED BY {role}")
        cursor.execute(f"DROP ROLE {role}")


@pytest.fixture
def application(application_role: str) -> Iterator[psycopg.Connection]:
    """A connection of that role, its own and not a ``SET ROLE`` that could be undone."""
    parameters = connection.get_connection_params()
    place = {name: parameters[name] for name in ("host", "port", "dbname") if parameters.get(name)}
    with psycopg.connect(
        **place, user=application_role, password=application_role, autocommit=True
    ) as opened:
        yield opened
