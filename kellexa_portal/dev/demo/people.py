"""Makes or completes the demo's people and organizations."""

from __future__ import annotations

from dataclasses import dataclass

from django.contrib.auth.hashers import check_password
from django.utils import timezone

from accounts.identity.models import StaffAssignment, User
from accounts.mfa import rules
from accounts.mfa.models import RecoveryCode, TotpDevice
from accounts.organizations.actions import add_member, create_organization
from accounts.organizations.models import Membership, Organization
from accounts.sessions import trust
from accounts.sessions.models import TrustedBrowser
from accounts.sessions.rules import TRUST_LIFETIME
from kellexa_portal.core.actor import Actor
from kellexa_portal.dev.demo import cast
from kellexa_portal.dev.demo.book import Book
from kellexa_portal.dev.demo.organizations import ensure_invitations, ensure_policy, ensure_single_sign_on

ACTOR = Actor.system("demo")


@dataclass(frozen=True, slots=True)
class Person:
    """One sign-in of the demo."""

    user: User
    role: str
    organization: str


def ensure_people(book: Book) -> list[Person]:
    """Every person of the demo, each able to sign in with what the book holds."""
    people = [
        Person(user, role, name)
        for name in cast.DOMAINS
        for role, user in _ensure_organization(book, name).items()
    ]
    people.append(Person(_ensure_operator(book), Membership.Role.OWNER, cast.PLATFORM))
    people.append(Person(_ensure_user(book, cast.PROSPECT, "Pat Prospect (demo)"), "prospect", ""))
    people += [Person(_ensure_staff(book, role), role, "") for role in cast.STAFF_ROLES]
    _ensure_trusted_browser(people[0].user)
    ensure_invitations()
    ensure_policy()
    ensure_single_sign_on()
    return people


def _ensure_organization(book: Book, name: str) -> dict[str, User]:
    users = {
        role.value: _ensure_user(book, cast.email_of(role, name), f"{name} {role.label} (demo)")
        for role in cast.ROLES
    }
    organization = _organization_of(users[Membership.Role.OWNER], name, Organization.Kind.CUSTOMER)
    for role, user in users.items():
        if not Membership.objects.filter(organization=organization, user=user).exists():
            add_member(actor=ACTOR, organization=organization, user=user, role=role)
    return users


def _ensure_operator(book: Book) -> User:
    operator = _ensure_user(book, cast.OPERATOR, "Gateway operator (demo)")
    _organization_of(operator, cast.PLATFORM, Organization.Kind.PLATFORM)
    return operator


def _organization_of(owner: User, name: str, kind: Organization.Kind) -> Organization:
    found = Membership.objects.filter(user=owner, role=Membership.Role.OWNER).select_related("organization")
    membership = found.first() or create_organization(actor=ACTOR, owner=owner, name=name, kind=kind)
    return membership.organization


def _ensure_staff(book: Book, role: StaffAssignment.Role) -> User:
    user = _ensure_user(book, cast.staff_email_of(role), f"{role.label} (demo)", is_staff=True)
    StaffAssignment.objects.get_or_create(user=user, role=role)
    return user


def _ensure_user(book: Book, email: str, name: str, *, is_staff: bool = False) -> User:
    user = User.objects.with_email(email).first() or User(
        email=email, name=name, is_staff=is_staff, email_confirmed_at=timezone.now()
    )
    if not user.pk or not check_password(book.password_of(email), user.password):
        user.set_password(book.password_of(email))
        user.save()
    _ensure_authenticator(book, user)
    return user


def _ensure_authenticator(book: Book, user: User) -> None:
    seed = book.seed_of(user.email)
    device = TotpDevice.objects.filter(user=user).first() or TotpDevice(
        user=user, name="Demo authenticator", confirmed=True, last_step=0
    )
    if not device.pk or device.open_seed() != seed:
        device.seal_seed(seed)
        device.save()
    if not RecoveryCode.objects.filter(user=user).exists():
        codes = (rules.new_recovery_code().replace("-", "") for _ in range(_codes_left(user)))
        RecoveryCode.objects.bulk_create(
            RecoveryCode(user=user, digest=rules.recovery_digest(code)) for code in codes
        )


def _ensure_trusted_browser(user: User) -> None:
    """A row without a browser that holds its token, so that the list has something to show."""
    now = timezone.now()
    if not TrustedBrowser.objects.live(now=now).filter(user=user).exists():
        TrustedBrowser.objects.create(
            user=user,
            token_digest=trust.digest_of(trust.new_token()),
            epoch=user.security_epoch,
            device="Demo browser",
            ip_prefix="203.0.113.0/24",
            created_at=now,
            expires_at=now + TRUST_LIFETIME,
        )


def _codes_left(user: User) -> int:
    """Most people have all their codes; one has few, so that the checkup has something to say."""
    return 2 if user.email == cast.email_of(Membership.Role.MEMBER, "Acme") else rules.RECOVERY_CODES
