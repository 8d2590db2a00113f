"""From the provider's word to half a sign-in: whose account it is, if anybody's."""

from __future__ import annotations

from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.identity import pending as half_sign_ins
from accounts.identity import rules as identity_rules
from accounts.identity.actions.invited import AddressTakenError, create_invited
from accounts.identity.models import PendingSignIn, User
from accounts.organizations.actions import evidence as places
from accounts.organizations.actions.founding import give_place
from accounts.organizations.models import Membership
from accounts.sessions.actions import SignInLapsedError
from accounts.sso import emails, queries, rules
from accounts.sso.actions.evidence import note, note_refusal
from accounts.sso.events import SsoEvent
from accounts.sso.models import Connection, Link
from kellexa_portal.audit import Stream, Target, record
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError, Fault


class NotAdmittedError(DomainError):
    """The provider's word holds, but opens no account here; ``params["reason"]`` says why in a code."""

    code = "auth.sso.not_admitted"
    fault = Fault.FORBIDDEN
    message = _(
        "Your identity provider knows you, but you have no place here by it (%(reason)s). Ask an owner of "
        "your organization."
    )


class SsoRequiredError(SignInLapsedError):
    """The organization lets its people in through its provider alone."""

    code = "auth.sso.required"
    message = _("Your organization asks you to sign in through its identity provider.")


def arrive(
    request: HttpRequest, *, connection: Connection, identity: rules.Identity, next_url: str
) -> PendingSignIn:
    """Begins the second step for the person whom the provider vouched for; their factor is asked for as ever.

    An address counts only under a domain that this very organization has verified, so no provider speaks
    for another's people. An account that exists is linked only where its person has a place in the
    organization: nobody is moved, and staff are nobody's (attack cases 39 and 44). Raises
    ``NotAdmittedError``, which is on record.
    """
    refusal: str | None = None
    with transaction.atomic():
        organization = places.lock(connection.organization_id)
        present = queries.connection_of(organization)
        if present is None or present.pk != connection.pk or present.tested_at is None:
            refusal = "closed"
        elif not queries.has_verified(organization, rules.domain_of(identity.email)):
            refusal = "domain"
        else:
            user, refusal = _account_for(present, identity)
    if refusal is not None or user is None:
        raise _refused(connection, refusal or "no_account")
    return half_sign_ins.start(request, user=user, next_url=next_url, via=PendingSignIn.Via.SSO)


def _account_for(connection: Connection, identity: rules.Identity) -> tuple[User | None, str | None]:
    """The account, or why there is none; inside the transaction, the organization held."""
    links = Link.objects.select_related("user").filter(connection=connection)
    link = links.filter(subject=identity.subject).first()
    user = link.user if link else User.objects.with_email(identity.email).first()
    if user is None:
        return _newcomer(connection, identity)
    if not user.is_active or user.is_staff or user.locked_at is not None:
        return None, "account"
    if not Membership.objects.filter(organization=connection.organization, user=user).exists():
        return None, "no_place"
    if link is not None:
        Link.objects.filter(pk=link.pk).update(last_used_at=timezone.now())
        return user, None
    if links.filter(user=user).exists():
        return None, "another_subject"
    _link(connection, user, identity)
    return user, None


def _newcomer(connection: Connection, identity: rules.Identity) -> tuple[User | None, str | None]:
    """An account without a password, with the least place, where the organization wants that."""
    if not connection.creates_members:
        return None, "no_account"
    try:
        email = identity_rules.clean_email(identity.email)
        name = identity_rules.clean_name(identity.name) if identity.name.strip() else ""
    except ValueError:
        email = ""
    if not email:
        return None, "address"
    name = name[: identity_rules.MAX_NAME_LENGTH] or email.partition("@")[0]
    try:
        user = create_invited(email=email, name=name, hashed_password=make_password(None), time_zone="")
    except AddressTakenError:
        return None, "address"
    give_place(
        actor=Actor.system("sso"),
        organization=connection.organization,
        user=user,
        role=Membership.Role.MEMBER,
    )
    _link(connection, user, identity)
    return user, None


def _link(connection: Connection, user: User, identity: rules.Identity) -> None:
    Link.objects.create(connection=connection, user=user, subject=identity.subject)
    record(
        SsoEvent.LINKED,
        actor=Actor.of(user),
        stream=Stream.user(user.public_id),
        target=Target("user", str(user.public_id)),
        changes={"organization": str(connection.organization.public_id)},
    )
    emails.linked(connection=connection, user=user)


def _refused(connection: Connection, reason: str) -> NotAdmittedError:
    note_refusal(
        SsoEvent.REFUSED, actor=Actor.anonymous(), organization=connection.organization, reason=reason
    )
    return NotAdmittedError(reason=reason)


def guard_door(user: User, pending: PendingSignIn) -> None:
    """Refuses whoever has to come by a provider and did not; tells all owners where one may (break-glass).

    Inside the transaction of the sign-in. A locked account may do nothing but lift its lock-down, which
    takes a password chosen since: that way stays, or a thief at the provider would keep the person out.
    """
    if pending.via == PendingSignIn.Via.SSO or user.locked_at is not None:
        return
    connection = queries.enforcing(user)
    if connection is None:
        return
    if not queries.is_emergency_owner(user, connection):
        raise SsoRequiredError
    note(
        SsoEvent.BREAK_GLASS_USED,
        actor=Actor.of(user),
        organization=connection.organization,
        changes={"via": pending.via},
    )
    emails.emergency_used(connection=connection, user=user)
