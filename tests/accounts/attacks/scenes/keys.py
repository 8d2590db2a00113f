"""API keys and the policy of their rotation."""

from __future__ import annotations

from datetime import timedelta

from django.core.management import call_command
from django.test import Client
from django.utils import timezone

from accounts.credentials.events import KeyEvent
from accounts.credentials.models import ApiKey
from accounts.credentials.tasks import expire_due
from accounts.organizations.models import Membership
from accounts.rotation.events import RotationEvent
from kellexa_portal.audit import Outcome
from tests.accounts.attacks.scenes import Act, emits
from tests.accounts.attacks.scenes.people import signed_in
from tests.accounts.credentials.pages import CREATE, typed, url_of
from tests.factories import credentials, organizations
from tests.factories.sign_in import may, new_person

SELF = "/api/v1/keys/self"


def _place() -> tuple[Membership, Client]:
    place = organizations.founder(owner=new_person())
    return place, signed_in(place.user)


def _bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


@emits(KeyEvent.CREATED)
def making_a_key() -> Act:
    _owner, client = _place()
    return lambda: client.post(CREATE, typed())


@emits(KeyEvent.CREATED)
def making_a_key_by_a_form_sent_twice() -> Act:
    _owner, client = _place()
    form = typed()
    return lambda: [client.post(CREATE, form) for _ in range(2)]


@emits(KeyEvent.ROTATED)
def rotating_a_key() -> Act:
    owner, client = _place()
    key = credentials.api_key(owner)
    may(client, "key.rotate", key.key_id)
    return lambda: client.post(url_of(key, "rotate/"), {"overlap": "86400"})


@emits(KeyEvent.REVOKED)
def revoking_a_key() -> Act:
    owner, client = _place()
    key = credentials.api_key(owner)
    return lambda: client.post(url_of(key, "revoke/"), {"reason": "leaked"})


@emits(KeyEvent.EXPIRED)
def letting_a_key_expire() -> Act:
    credentials.expired(credentials.api_key())
    return lambda: [expire_due() for _ in range(2)]


@emits(KeyEvent.CONTACTS_CHANGED)
def naming_a_contact() -> Act:
    owner, client = _place()
    key, someone = credentials.api_key(owner), organizations.member(owner.organization).user
    return lambda: client.post(url_of(key, "contacts/"), {"contacts": [str(someone.public_id)]})


@emits(KeyEvent.VERIFY_DENIED, Outcome.DENIED)
def using_an_expired_key() -> Act:
    issued = credentials.issued()
    credentials.expired(issued.key)
    return lambda: [Client().get(SELF, headers=_bearer(issued.token)) for _ in range(3)]


@emits(KeyEvent.TAMPERED, Outcome.DENIED, logs=2)
def using_a_key_whose_record_was_altered() -> Act:
    issued = credentials.issued()
    ApiKey.objects.filter(pk=issued.key.pk).update(scopes=["keys:verify"])
    return lambda: Client().get(SELF, headers=_bearer(issued.token))


@emits(KeyEvent.ACCESS_DENIED, Outcome.DENIED)
def revoking_a_key_as_an_auditor() -> Act:
    owner, _client = _place()
    key = credentials.api_key(owner)
    client = signed_in(organizations.member(owner.organization, Membership.Role.AUDITOR).user)
    return lambda: client.post(url_of(key, "revoke/"), {"reason": "leaked"})


@emits(RotationEvent.POLICY_CHANGED)
def changing_the_rotation_policy() -> Act:
    _owner, client = _place()
    form = {"max_age_days": "60", "stages": ["14"]}
    return lambda: client.post("/accounts/organization/policy/rotation/", form)


@emits(RotationEvent.REMINDER_SENT)
def reminding_of_a_key_that_is_due() -> Act:
    key = credentials.api_key(organizations.founder(owner=new_person()))
    credentials.aged(key, created_ago=timedelta(days=83, hours=1), lifetime=timedelta(days=90))
    assert key.expires_at > timezone.now()
    return lambda: [call_command("sweep_rotation") for _ in range(2)]
