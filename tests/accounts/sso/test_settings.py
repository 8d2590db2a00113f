"""Setting single sign-on up: domains, the provider, its test, and what requiring it does to other ways in."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from accounts.identity.models import PendingSignIn, User
from accounts.organizations.models import Membership
from accounts.sessions.models import AccountSession
from accounts.sso import queries, rules
from accounts.sso.actions import connections, domains
from accounts.sso.models import Connection, Domain, Link
from kellexa_portal.audit.queries import all_events
from kellexa_portal.core.actor import Actor
from kellexa_portal.mail.models import OutboxMail
from tests.accounts.identity.mailbox import kinds_to
from tests.accounts.lockdown.notice import link_to
from tests.accounts.mfa.passkey_pages import BEGIN, ask, held, post_json
from tests.accounts.sso.conftest import SETTINGS, address_in, come_back, connected, verified
from tests.factories.organizations import founder, member
from tests.factories.sign_in import PASSWORD, enrolled, may, new_person, oathtool, prove_password, sign_in
from tests.support.name_server import NameServer
from tests.support.provider import CLIENT_ID, CLIENT_SECRET, Provider

pytestmark = pytest.mark.django_db
LOGIN, VERIFY, START = "/accounts/login/", "/accounts/login/verify/", "/accounts/login/sso/"
REQUIRE = f"{SETTINGS}require/"
DOMAINS = "/accounts/organization/domains/"
SYSTEM = Actor.system("sso")


@pytest.fixture
def boss(owner: Membership) -> Client:
    """The owner's browser."""
    client = Client()
    sign_in(client, owner.user)
    return client


@pytest.fixture
def names(settings: Any) -> Iterator[NameServer]:
    with NameServer() as server:
        settings.DNS_RESOLVERS = (server.address,)
        yield server


def _form(provider: Provider, **fields: str) -> dict[str, str]:
    return {"issuer": provider.issuer, "client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, **fields}


def _names() -> list[str]:
    return [event.name for event in all_events().filter(name__startswith="org.").order_by("pk")]


# --- Domains --------------------------------------------------------------------------------------


def test_a_domain_is_verified_by_its_record(boss: Client, owner: Membership, names: NameServer) -> None:
    boss.post(f"{DOMAINS}add/", {"name": " ACME.test. "})
    row = Domain.objects.get()
    page = boss.get(SETTINGS).content.decode()
    assert (row.name, row.verified_at) == ("acme.test", None)
    assert row.record_value in page

    boss.post(f"{DOMAINS}{row.public_id}/check/")
    assert Domain.objects.get().verified_at is None
    names.texts["_kellexa-domain.acme.test"] = ["v=spf1 -all", row.record_value]
    boss.post(f"{DOMAINS}{row.public_id}/check/")

    assert Domain.objects.get().verified_at is not None
    assert _names()[-3:] == ["org.domain.add", "org.domain.verify_fail", "org.domain.verify"]


@pytest.mark.parametrize(
    "name",
    [
        "",
        "gmail.com",
        "GMAIL.com.",
        "localhost",
        "acme",
        "127.0.0.1",
        "a b.test",
        "exämple.com",
        "-a.test",
        "a" * 64 + ".test",
        "*.acme.test",
        "acme.test/x",
        "acme..test",
        ("a" * 60 + ".") * 5 + "test",
    ],
)
def test_what_is_nobodys_own_domain_is_refused(boss: Client, name: str) -> None:
    answer = boss.post(f"{DOMAINS}add/", {"name": name})

    assert answer.status_code == 422
    assert not Domain.objects.exists()


def test_a_domain_is_verified_by_one_organization_alone(
    boss: Client, domain: Domain, names: NameServer
) -> None:
    other = founder("Globex")
    rival = domains.add_domain(actor=Actor.of(other.user), by=other, name="acme.test")
    names.texts[rival.record_name] = [rival.record_value]

    with pytest.raises(domains.DomainTakenError):
        domains.verify_domain(actor=Actor.of(other.user), by=other, public_id=rival.public_id)


def test_another_organizations_record_verifies_nothing(
    boss: Client, owner: Membership, names: NameServer
) -> None:
    other = founder("Globex")
    theirs = domains.add_domain(actor=Actor.of(other.user), by=other, name="acme.test")
    ours = domains.add_domain(actor=Actor.of(owner.user), by=owner, name="acme.test")
    names.texts[ours.record_name] = [theirs.record_value]

    with pytest.raises(domains.RecordMissingError):
        domains.verify_domain(actor=Actor.of(owner.user), by=owner, public_id=ours.public_id)


def test_another_organizations_domain_is_not_there(boss: Client, names: NameServer) -> None:
    """Case 43: every method, foreign id, 404."""
    other = founder("Globex")
    theirs = domains.add_domain(actor=Actor.of(other.user), by=other, name="globex.test")

    statuses = [boss.post(f"{DOMAINS}{theirs.public_id}/{act}/").status_code for act in ("check", "remove")]

    assert statuses == [404, 404]
    assert Domain.objects.filter(pk=theirs.pk).exists()


def test_a_record_that_is_gone_is_told_at_once_and_counts_after_its_grace(
    owner: Membership, domain: Domain, names: NameServer
) -> None:
    now = timezone.now() + rules.DOMAIN_RECHECK

    assert domains.check_due(actor=SYSTEM, now=now) == 0
    assert kinds_to(owner.user.email)[-1] == "sso.domain_missing"
    assert domains.check_due(actor=SYSTEM, now=now + rules.DOMAIN_GRACE - timedelta(seconds=1)) == 0
    Domain.objects.update(checked_at=now)
    assert domains.check_due(actor=SYSTEM, now=now + rules.DOMAIN_GRACE) == 1

    assert Domain.objects.get().verified_at is None
    assert kinds_to(owner.user.email).count("sso.domain_missing") == 1
    assert _names()[-1] == "org.domain.lapse"


def test_a_record_that_comes_back_in_time_keeps_the_domain(domain: Domain, names: NameServer) -> None:
    now = timezone.now() + rules.DOMAIN_RECHECK
    domains.check_due(actor=SYSTEM, now=now)
    names.texts[domain.record_name] = [domain.record_value]

    domains.check_due(actor=SYSTEM, now=now + rules.DOMAIN_RECHECK)

    domain.refresh_from_db()
    assert (domain.verified_at is None, domain.missing_since) == (False, None)


def test_a_name_server_that_is_broken_takes_no_domain_away(domain: Domain, names: NameServer) -> None:
    names.is_broken = True

    domains.check_due(actor=SYSTEM, now=timezone.now() + timedelta(days=90))

    domain.refresh_from_db()
    assert (domain.verified_at is None, domain.missing_since) == (False, None)


# --- The provider ---------------------------------------------------------------------------------


def test_a_provider_is_saved_tested_and_open(
    boss: Client, owner: Membership, domain: Domain, provider: Provider
) -> None:
    boss.post(SETTINGS, _form(provider, creates_members="on"))
    connection = Connection.objects.get()
    assert (connection.tested_at, connection.open_secret()) == (None, CLIENT_SECRET)
    assert queries.open_connection_for("ada@acme.test") is None

    page = boss.post(f"{SETTINGS}test/")
    come_back(boss, connection, provider.sign_in(address_in(page)))

    assert queries.open_connection_for("ada@acme.test") == connection
    assert _names()[-2:] == ["org.sso.connect", "org.sso.test"]
    assert not PendingSignIn.objects.exists()
    assert "/accounts/lockdown/" in link_to(owner.user.email, "sso.changed")


def test_the_secret_is_never_given_back(boss: Client, owner: Membership, provider: Provider) -> None:
    """Case 45 (authentik GHSA-m9h4-7j9c-55x9): who may see the settings doesn't see the secret."""
    connected(owner, provider)

    page = boss.get(SETTINGS).content.decode()
    refused = boss.post(SETTINGS, _form(provider, issuer="nonsense")).content.decode()

    assert CLIENT_ID in page
    assert "a secret" not in page + refused


def test_a_test_that_fails_opens_nothing(
    boss: Client, owner: Membership, domain: Domain, provider: Provider
) -> None:
    connection = connected(owner, provider, tested_at=None)
    provider.lies.claims = {"nonce": "x"}

    answer = come_back(boss, connection, provider.sign_in(address_in(boss.post(f"{SETTINGS}test/"))))

    assert answer["Location"] == SETTINGS
    assert Connection.objects.get().tested_at is None
    assert _names()[-1] == "org.sso.test_fail"


def test_a_test_counts_for_what_was_tested(
    boss: Client, owner: Membership, domain: Domain, provider: Provider
) -> None:
    connection = connected(owner, provider, tested_at=None)
    answer = provider.sign_in(address_in(boss.post(f"{SETTINGS}test/")))
    Connection.objects.update(updated_at=timezone.now() + timedelta(seconds=1))
    connection.refresh_from_db()
    stale = Connection.objects.get()
    stale.updated_at = timezone.now() - timedelta(seconds=1)

    with pytest.raises(connections.NotConnectedError):
        connections.open_after_test(actor=Actor.of(owner.user), by=owner, connection=stale)

    assert answer["state"]
    assert Connection.objects.get().tested_at is None


@pytest.mark.parametrize("field", ["client_secret", "client_id"])
def test_another_setting_closes_until_it_is_tested_anew(
    boss: Client, owner: Membership, connection: Connection, provider: Provider, field: str
) -> None:
    connections.enforce(actor=Actor.of(owner.user), by=owner, emergency=owner.public_id)

    boss.post(SETTINGS, _form(provider, **{field: "another"}))

    changed = Connection.objects.get()
    assert (changed.tested_at, changed.enforced_at) == (None, None)


def test_an_empty_secret_keeps_the_present_one_for_the_same_provider_alone(
    boss: Client, owner: Membership, connection: Connection, provider: Provider
) -> None:
    boss.post(SETTINGS, _form(provider, client_secret=""))
    assert Connection.objects.get().open_secret() == CLIENT_SECRET

    with Provider() as other:
        answer = boss.post(SETTINGS, _form(other, client_secret=""))
        assert answer.status_code == 422
        assert all("authorization" not in asked.headers for asked in other.asked)

    assert Connection.objects.get().issuer == provider.issuer


def test_another_issuer_begins_without_links(
    boss: Client, owner: Membership, connection: Connection, provider: Provider
) -> None:
    """The same subject of another provider is somebody else."""
    Link.objects.create(connection=connection, user=owner.user, subject="subject-1")

    with Provider() as other:
        boss.post(SETTINGS, _form(other))

    assert not Link.objects.exists()


DISCOVERY: dict[str, dict[str, Any]] = {
    "another issuer": {"issuer": "https://other.example"},
    "no issuer": {"issuer": None},
    "no token endpoint": {"token_endpoint": None},
    "a script": {"authorization_endpoint": "javascript:alert(1)"},
    "a file": {"jwks_uri": "file:///etc/passwd"},
    "plain challenges": {"code_challenge_methods_supported": ["plain"]},
}


@pytest.mark.parametrize("name", DISCOVERY)
def test_a_provider_that_is_none_is_refused_beside_the_field(
    boss: Client, provider: Provider, name: str
) -> None:
    provider.lies.discovery = DISCOVERY[name]

    answer = boss.post(SETTINGS, _form(provider))

    assert answer.status_code == 422
    assert not Connection.objects.exists()


@pytest.mark.parametrize(
    "issuer",
    [
        "",
        "nonsense",
        "ftp://x.test",
        "https://user@x.test",
        "https://x.test/?a",
        "https://10.0.0.1",
        "http://169.254.169.254",
        "https://[::1]",
        "https://x.test#y",
    ],
)
def test_an_address_that_may_not_be_visited_is_refused_beside_the_field(
    boss: Client, provider: Provider, settings: Any, issuer: str
) -> None:
    settings.EGRESS_ALLOW = ()

    assert boss.post(SETTINGS, _form(provider, issuer=issuer)).status_code == 422


@pytest.mark.parametrize("role", ["security", "member", "auditor"])
def test_other_roles_set_nothing_up(owner: Membership, connection: Connection, role: str) -> None:
    """Case 41: privileges are the role's."""
    client, place = Client(), member(owner.organization, role)
    sign_in(client, place.user)

    paths = [SETTINGS, REQUIRE, *(f"{SETTINGS}{act}/" for act in ("test", "relax", "disconnect"))]
    statuses = {client.post(path, {}).status_code for path in [*paths, f"{DOMAINS}add/"]}

    assert statuses == {403}
    assert client.get(SETTINGS).status_code == 403


# --- Required -------------------------------------------------------------------------------------


@pytest.fixture
def ada(owner: Membership) -> User:
    person = new_person("ada@acme.test")
    member(owner.organization, person=person)
    enrolled(person)
    return person


@pytest.fixture
def required(owner: Membership, connection: Connection) -> Connection:
    """Acme's provider is the only way in, but for the owner."""
    return connections.enforce(actor=Actor.of(owner.user), by=owner, emergency=owner.public_id)


def test_requiring_takes_a_factor_shown_for_exactly_this(
    boss: Client, owner: Membership, connection: Connection
) -> None:
    form = {"emergency": str(owner.public_id)}
    assert boss.post(REQUIRE, form)["Location"].startswith("/accounts/verify/")
    assert Connection.objects.get().enforced_at is None
    may(boss, "sso.enforce", str(connection.public_id))

    boss.post(REQUIRE, form)

    assert Connection.objects.get().emergency == owner
    assert _names()[-1] == "org.sso.enforce"


def test_nobody_but_an_owner_with_a_factor_is_for_emergencies(
    owner: Membership, connection: Connection, ada: User
) -> None:
    second = member(owner.organization, Membership.Role.OWNER)
    for place in (second, Membership.objects.get(user=ada)):
        with pytest.raises(connections.UnfitEmergencyOwnerError):
            connections.enforce(actor=Actor.of(owner.user), by=owner, emergency=place.public_id)


@pytest.mark.parametrize("missing", ["test", "domain"])
def test_what_is_not_ready_cannot_be_required(
    owner: Membership, connection: Connection, missing: str
) -> None:
    if missing == "test":
        Connection.objects.update(tested_at=None)
    else:
        Domain.objects.update(verified_at=None)

    with pytest.raises((connections.NotConnectedError, connections.NoDomainError)):
        connections.enforce(actor=Actor.of(owner.user), by=owner, emergency=owner.public_id)


def test_a_right_password_leads_to_the_provider(client: Client, required: Connection, ada: User) -> None:
    answer = client.post(LOGIN, {"email": ada.email, "password": PASSWORD})

    assert answer["Location"] == START
    assert not PendingSignIn.objects.exists()


def test_a_wrong_password_is_told_nothing_of_it(client: Client, required: Connection, ada: User) -> None:
    wrong, unknown = (
        client.post(LOGIN, {"email": email, "password": "not-the-right-words-1"})
        for email in (ada.email, "nobody@acme.test")
    )

    assert wrong.status_code == unknown.status_code == 422
    assert b"identity provider" not in wrong.content


def test_no_half_sign_in_from_before_slips_through(client: Client, connection: Connection, ada: User) -> None:
    """The door asks, whatever page led to it."""
    owner = Membership.objects.get(role="owner")
    prove_password(client, ada)
    connections.enforce(actor=Actor.of(owner.user), by=owner, emergency=owner.public_id)

    answer = client.post(VERIFY, {"code": oathtool(enrolled(ada).open_seed())})

    assert answer["Location"] == LOGIN
    assert not AccountSession.objects.filter(user=ada).exists()


def test_a_passkey_is_no_way_around(client: Client, required: Connection, ada: User) -> None:
    key, _row = held(ada)
    answer = key.get(ask(client, BEGIN))

    assert post_json(client, answer).status_code == 409
    assert not AccountSession.objects.filter(user=ada).exists()


def test_the_emergency_owner_comes_in_and_every_owner_hears_of_it(
    client: Client, required: Connection, owner: Membership
) -> None:
    second = member(owner.organization, Membership.Role.OWNER)
    prove_password(client, owner.user)

    client.post(VERIFY, {"code": oathtool(enrolled(owner.user).open_seed())})

    assert AccountSession.objects.filter(user=owner.user).exists()
    mails = OutboxMail.objects.filter(kind="sso.emergency_used")
    assert {mail.recipient for mail in mails} == {owner.user.email, second.user.email}
    assert _names()[-1] == "org.sso.break_glass"


def test_every_owner_comes_in_when_nobody_fit_is_named_any_more(
    client: Client, required: Connection, owner: Membership
) -> None:
    """An organization is never locked out by its provider's fall."""
    second = new_person("second@acme.test")
    member(owner.organization, Membership.Role.OWNER, person=second)
    assert client.post(LOGIN, {"email": second.email, "password": PASSWORD})["Location"] == START
    Membership.objects.filter(pk=owner.pk).update(role="admin")

    prove_password(client, second)


@pytest.mark.parametrize("why", ["another domain", "lapsed", "left", "relaxed", "locked"])
def test_the_other_ways_stay_open_to_whom_it_does_not_concern(
    client: Client, required: Connection, owner: Membership, ada: User, why: str
) -> None:
    if why == "another domain":
        User.objects.filter(pk=ada.pk).update(email="ada@elsewhere.test")
    elif why == "lapsed":
        Domain.objects.update(verified_at=None)
    elif why == "left":
        Membership.objects.filter(user=ada).delete()
    elif why == "relaxed":
        connections.relax(actor=Actor.of(owner.user), by=owner)
        assert _names()[-1] == "org.sso.relax"
    else:
        now = timezone.now()
        User.objects.filter(pk=ada.pk).update(locked_at=now, password_changed_at=now + timedelta(seconds=1))
    ada.refresh_from_db()

    prove_password(client, ada)


def test_another_organization_of_the_same_domain_name_closes_nothing(client: Client, ada: User) -> None:
    """Case 44: what an organization does not hold it cannot close."""
    other = founder("Globex")
    enrolled(other.user)
    verified(other, "globex.test")
    Connection.objects.create(
        organization=other.organization,
        issuer="https://idp.globex.test",
        client_id="x",
        sealed_secret=b"",
        tested_at=timezone.now(),
        enforced_at=timezone.now(),
    )

    prove_password(client, ada)


def test_a_verified_domain_stays_while_it_is_needed(
    boss: Client, required: Connection, domain: Domain
) -> None:
    boss.post(f"{DOMAINS}{domain.public_id}/remove/")

    assert Domain.objects.get().verified_at is not None


def test_a_domain_that_is_not_needed_is_let_go(boss: Client, domain: Domain) -> None:
    boss.post(f"{DOMAINS}{domain.public_id}/remove/")

    assert not Domain.objects.exists()
    assert _names()[-1] == "org.domain.remove"


def test_disconnecting_forgets_the_secret_and_opens_the_other_ways(
    boss: Client, required: Connection, ada: User
) -> None:
    boss.post(f"{SETTINGS}disconnect/")

    assert not Connection.objects.exists()
    assert _names()[-1] == "org.sso.disconnect"
    prove_password(Client(), ada)


def test_the_pages_show_where_things_stand(boss: Client, required: Connection) -> None:
    page = boss.get(SETTINGS).content.decode()

    assert "Required" in page
    assert str(required.public_id) in page
    assert boss.get(REQUIRE).status_code == 200
