"""What happens to keys, at once and side by side."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier
from uuid import uuid4

import pytest
from django.db import connection, connections, transaction
from django.utils import timezone

from accounts.credentials import actions, rules, seals, signals, verification
from accounts.credentials.actions import errors
from accounts.credentials.models import ApiKey
from accounts.credentials.tasks import expire_due
from accounts.organizations.access import Forbidden
from accounts.organizations.models import Membership
from kellexa_portal.audit import Stream
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError
from kellexa_portal.mail.models import OutboxMail
from tests.factories import credentials, organizations
from tests.factories.audit_support import recorded

Role = Membership.Role


def _rotate(place: Membership, key: ApiKey, **fields: object) -> actions.IssuedKey:
    return actions.rotate_key(actor=Actor.of(place.user), by=place, key=key, **fields)  # type: ignore[arg-type]  # a test's shorthand


def _events(place: Membership) -> list[str]:
    return recorded(Stream.organization(place.organization.public_id))


def _together(tasks: list[Callable[[], object]]) -> list[object]:
    """Starts all at the same moment, each on a connection of its own; errors are answers too."""
    barrier = Barrier(len(tasks))

    def run(task: Callable[[], object]) -> object:
        barrier.wait()
        try:
            return task()
        except DomainError as error:
            return type(error)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(tasks)) as pool:
        return list(pool.map(run, tasks))


# --- Rotating -----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_rotation_keeps_the_rights_and_the_line() -> None:
    place = organizations.founder()
    contact = organizations.member(place.organization)
    key = credentials.api_key(place, allowed_networks=["192.0.2.0/24"], contacts=[contact.user])

    successor = _rotate(place, key).key

    old = ApiKey.objects.get(pk=key.pk)
    for field in (
        "organization",
        "owner",
        "kind",
        "environment",
        "name",
        "scopes",
        "allowed_networks",
        "family",
    ):
        assert getattr(successor, field) == getattr(key, field)
    assert successor.key_id != key.key_id
    assert (successor.generation, old.replaced_by) == (2, successor)
    assert [row.user for row in successor.contact_rows.all()] == [contact.user]
    assert old.state == rules.State.RETIRING
    assert _events(place)[-1] == "key.rotated"


@pytest.mark.django_db
def test_both_keys_work_during_the_overlap_and_the_old_one_not_after_it() -> None:
    place = organizations.founder()
    issued = credentials.issued(place)

    successor = _rotate(place, issued.key, overlap=timedelta(hours=1))

    for hours, is_old_active in ((0.9, True), (1.1, False)):
        now = timezone.now() + timedelta(hours=hours)
        parsed = [verification.tokens.parse(token) for token in (issued.token, successor.token)]
        found = verification.fetch(*parsed)
        verdicts = [verification.judge(token, found, now=now) for token in parsed]
        assert [verdict.is_active for verdict in verdicts] == [is_old_active, True]


@pytest.mark.django_db
def test_a_rotation_never_lengthens_the_old_key() -> None:
    place = organizations.founder()
    key = credentials.aged(
        credentials.api_key(place), created_ago=timedelta(days=89, hours=23), lifetime=timedelta(days=90)
    )

    _rotate(place, key, overlap=timedelta(days=7))

    assert ApiKey.objects.get(pk=key.pk).expires_at == key.expires_at


@pytest.mark.django_db
def test_an_altered_key_is_not_given_a_successor_with_a_fresh_seal() -> None:
    place = organizations.founder()
    key = credentials.api_key(place)
    ApiKey.objects.filter(pk=key.pk).update(scopes=["keys:verify"])

    with pytest.raises(errors.KeyTampered):
        _rotate(place, key)

    assert ApiKey.objects.count() == 1


@pytest.mark.django_db
def test_an_altered_earlier_key_is_not_ended_with_a_fresh_seal() -> None:
    place = organizations.founder()
    first = credentials.api_key(place)
    second = _rotate(place, first).key
    ApiKey.objects.filter(pk=first.pk).update(scopes=["keys:verify"])

    with pytest.raises(errors.EarlierKeyTampered):
        _rotate(place, second, force=True)

    assert not seals.is_intact(ApiKey.objects.get(pk=first.pk))


@pytest.mark.django_db
def test_a_revoked_key_has_no_successor() -> None:
    place = organizations.founder()
    key = credentials.api_key(place)
    actions.revoke_key(actor=Actor.of(place.user), by=place, key=key, reason="leaked")

    with pytest.raises(errors.KeyEnded):
        _rotate(place, key)


@pytest.mark.django_db
@pytest.mark.parametrize("overlap", [timedelta(days=7, microseconds=1), timedelta(microseconds=-1)])
def test_the_overlap_is_nothing_to_seven_days(overlap: timedelta) -> None:
    place = organizations.founder()

    with pytest.raises(errors.InvalidOverlap):
        _rotate(place, credentials.api_key(place), overlap=overlap)


@pytest.mark.django_db(transaction=True)
def test_of_parallel_rotations_one_wins() -> None:
    place = organizations.founder()
    key = credentials.api_key(place)

    answers = _together([lambda: _rotate(place, key)] * 4)

    assert sum(isinstance(answer, actions.IssuedKey) for answer in answers) == 1
    assert answers.count(errors.AlreadyRotated) == 3
    assert ApiKey.objects.count() == 2


@pytest.mark.django_db(transaction=True)
def test_of_parallel_creations_from_one_form_one_wins() -> None:
    place = organizations.founder()
    nonce = uuid4()

    answers = _together([lambda: credentials.issued(place, form_nonce=nonce)] * 4)

    assert sum(isinstance(answer, actions.IssuedKey) for answer in answers) == 1
    assert answers.count(errors.AlreadyIssued) == 3
    assert ApiKey.objects.count() == 1
    assert _events(place).count("key.created") == 1
    assert OutboxMail.objects.filter(kind="credentials.key_created").count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_rotation_beside_a_revocation_never_leaves_the_revoked_key_alive() -> None:
    place = organizations.founder()
    key = credentials.api_key(place)

    _together(
        [
            lambda: _rotate(place, key),
            lambda: actions.revoke_key(actor=Actor.of(place.user), by=place, key=key, reason="leaked"),
        ]
    )

    assert ApiKey.objects.get(pk=key.pk).state == rules.State.REVOKED


# --- Creating -----------------------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"name": " "}, errors.InvalidKeyName),
        ({"kind": "root"}, errors.InvalidKind),
        ({"environment": "staging"}, errors.InvalidEnvironment),
        ({"scope_names": []}, errors.InvalidScopes),
        ({"scope_names": ["keys:verify"]}, errors.InvalidScopes),
        ({"scope_names": ["no:such"]}, errors.InvalidScopes),
        ({"expires_at": timezone.now() - timedelta(days=1)}, errors.InvalidExpiry),
        ({"expires_at": timezone.now() + timedelta(days=367)}, errors.InvalidExpiry),
        ({"allowed_networks": ["10.0.0.1/8"]}, errors.InvalidNetworks),
        ({"allowed_networks": [f"10.0.{n}.1" for n in range(51)]}, errors.InvalidNetworks),
    ],
)
def test_the_action_refuses_what_the_form_would(fields: dict[str, object], error: type[DomainError]) -> None:
    with pytest.raises(error):
        credentials.issued(**fields)

    assert not ApiKey.objects.exists()


@pytest.mark.django_db
def test_only_the_platform_gives_away_verification() -> None:
    gateway = credentials.gateway()

    assert gateway.key.scopes == ["keys:verify"]


@pytest.mark.django_db
@pytest.mark.parametrize(("role", "kind"), [(Role.MEMBER, "service"), (Role.AUDITOR, "personal")])
def test_a_creation_that_the_role_forbids_is_refused_on_record(role: str, kind: str) -> None:
    place = organizations.member(organizations.organization(), role)

    with pytest.raises(Forbidden), transaction.atomic():
        credentials.issued(place, kind=kind)

    assert _events(place)[-1] == "key.access.denied"
    assert not ApiKey.objects.exists()


@pytest.mark.django_db
def test_nothing_stays_of_a_creation_that_is_rolled_back() -> None:
    place = organizations.founder()
    before = _events(place)

    with transaction.atomic():
        credentials.issued(place)
        transaction.set_rollback(True)

    assert _events(place) == before
    assert not OutboxMail.objects.filter(kind__startswith="credentials").exists()


# --- Ending -------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_staff_revoke_and_the_log_of_the_customer_says_so() -> None:
    from tests.factories.accounts import staff

    place = organizations.founder()
    key = credentials.api_key(place)
    person = staff()

    actions.revoke_key(actor=Actor.of(person), key=key, reason="leaked")

    key.refresh_from_db()
    assert key.revoked_by == person
    assert _events(place)[-1] == "key.revoked"
    assert OutboxMail.objects.filter(kind="credentials.key_revoked", recipient=place.user.email).exists()


@pytest.mark.django_db
def test_a_customer_without_a_membership_revokes_nothing() -> None:
    place = organizations.founder()
    key = credentials.api_key(place)

    with pytest.raises(errors.KeyNotFound):
        actions.revoke_key(actor=Actor.of(place.user), key=key, reason="leaked")


@pytest.mark.django_db
def test_an_altered_key_can_be_revoked_and_stays_revoked() -> None:
    place = organizations.founder()
    key = credentials.api_key(place)
    ApiKey.objects.filter(pk=key.pk).update(scopes=["audit:read"])

    actions.revoke_key(actor=Actor.of(place.user), by=place, key=key, reason="leaked")

    assert ApiKey.objects.get(pk=key.pk).state == rules.State.REVOKED


@pytest.mark.django_db
def test_the_sweep_records_each_expiry_once() -> None:
    place = organizations.founder()
    credentials.expired(credentials.api_key(place))
    credentials.api_key(place)
    heard: list[ApiKey] = []

    def listen(key: ApiKey, **kwargs: object) -> None:
        heard.append(key)

    signals.key_expired.connect(listen)
    try:
        expire_due()
        expire_due()
    finally:
        signals.key_expired.disconnect(listen)

    assert _events(place).count("key.expired") == 1
    assert len(heard) == 1


@pytest.mark.django_db(transaction=True)
def test_sweeps_side_by_side_record_each_expiry_once() -> None:
    place = organizations.founder()
    for _ in range(6):
        credentials.expired(credentials.api_key(place))

    _together([expire_due] * 3)

    assert _events(place).count("key.expired") == 6


@pytest.mark.django_db
def test_a_revoked_key_does_not_expire_as_well() -> None:
    place = organizations.founder()
    key = credentials.api_key(place)
    actions.revoke_key(actor=Actor.of(place.user), by=place, key=key, reason="leaked")
    key.refresh_from_db()
    credentials.expired(key)

    assert actions.expire_due(actor=Actor.system("tests")) == 0


# --- Use ----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_noting_a_use_never_waits_for_a_locked_row() -> None:
    issued = credentials.issued()

    with transaction.atomic():
        ApiKey.objects.select_for_update().get(pk=issued.key.pk)
        answers = _together([lambda: actions.note_use(key=issued.key, token=issued.token, ip="192.0.2.1")])

    assert answers == [None]
    assert ApiKey.objects.get(pk=issued.key.pk).last_used_at is None


@pytest.mark.django_db(transaction=True)
def test_a_failure_to_note_a_use_is_swallowed() -> None:
    issued = credentials.issued()
    with connection.cursor() as cursor:
        cursor.execute(
            "ALTER TABLE credentials_apikey ADD CONSTRAINT broken CHECK (last_used_at IS NULL) NOT VALID"
        )
    try:
        actions.note_use(key=issued.key, token=issued.token, ip="")
    finally:
        with connection.cursor() as cursor:
            cursor.execute("ALTER TABLE credentials_apikey DROP CONSTRAINT broken")

    assert ApiKey.objects.get(pk=issued.key.pk).last_used_at is None


@pytest.mark.django_db
def test_news_of_each_step_goes_to_the_apps_above_inside_the_transaction() -> None:
    place = organizations.founder()
    heard: list[str] = []

    def listener_of(name: str) -> Callable[..., None]:
        return lambda **kwargs: heard.append(f"{name}:{connection.in_atomic_block}")

    listeners = {name: listener_of(name) for name in ("key_created", "key_rotated", "key_revoked")}
    for name, listener in listeners.items():
        getattr(signals, name).connect(listener, weak=False)
    try:
        key = credentials.api_key(place)
        successor = _rotate(place, key).key
        actions.revoke_key(actor=Actor.of(place.user), by=place, key=successor, reason="unused")
    finally:
        for name, listener in listeners.items():
            getattr(signals, name).disconnect(listener)

    assert heard == ["key_created:True", "key_rotated:True", "key_revoked:True"]
