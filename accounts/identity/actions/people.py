"""What staff and the operator do to accounts: make staff, deactivate, reactivate. Never choose a password."""

from __future__ import annotations

from collections.abc import Iterable

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from accounts.identity import access, emails, queries, rules
from accounts.identity.actions.passwords import issue_reset
from accounts.identity.events import IdentityEvent
from accounts.identity.models import PasswordReset, PendingSignIn, StaffAssignment, User
from kellexa_portal.audit import Stream, Target, record
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError, Fault


class CustomerAccountError(DomainError):
    """The address belongs to a customer; staff and customer accounts are disjoint."""

    code = "accounts.staff.is_customer"
    fault = Fault.CONFLICT
    message = _("This address has a customer account. Staff need an address of their own.")


class OwnAccountError(DomainError):
    """An administrator turned on the own account."""

    code = "accounts.own_account"
    fault = Fault.CONFLICT
    message = _("You can’t deactivate your own account. Ask another administrator.")


def create_staff(*, actor: Actor, email: str, name: str, roles: Iterable[StaffAssignment.Role]) -> User:
    """Makes a staff account with ``roles`` and mails it a link to choose its password.

    Harmless when repeated: roles are added, none is taken, and the mail goes out again only while no
    password was ever chosen. For the operator's command line alone: nobody who is signed in makes staff, so a
    stolen session can't either. Raises ``NotPermittedError`` and ``CustomerAccountError``.
    """
    access.require_system(actor)
    with transaction.atomic():
        user = queries.account_of(email)
        if user is None:
            user = _create_staff_user(actor, email=email, name=name)
        elif not user.is_staff:
            raise CustomerAccountError
        for role in roles:
            _grant(actor, user, role)
        if not user.has_usable_password():
            reset, token = issue_reset(user=user, lifetime=rules.STAFF_INVITATION_LIFETIME)
            emails.staff_invitation(reset=reset, token=token)
    return user


def _create_staff_user(actor: Actor, *, email: str, name: str) -> User:
    user = User(email=email, name=name, is_staff=True)
    user.set_unusable_password()
    user.save()
    record(
        IdentityEvent.STAFF_CREATED,
        actor=actor,
        stream=Stream.staff(),
        target=Target("user", str(user.public_id)),
    )
    return user


def _grant(actor: Actor, user: User, role: StaffAssignment.Role) -> None:
    _assignment, is_new = StaffAssignment.objects.get_or_create(user=user, role=role)
    if is_new:
        record(
            IdentityEvent.STAFF_ROLE_GRANTED,
            actor=actor,
            stream=Stream.staff(),
            target=Target("user", str(user.public_id)),
            changes={"role": str(role)},
        )


def deactivate(*, actor: Actor, user: User) -> User:
    """Shuts the account: every session, half sign-in, known browser and reset link ends at once (case 33)."""
    access.require_manager_of_people(actor)
    if actor.id == str(user.public_id):
        raise OwnAccountError
    with transaction.atomic():
        account = User.objects.select_for_update().get(pk=user.pk)
        if not account.is_active:
            return account
        account.is_active = False
        account.security_epoch += 1
        account.save(update_fields=["is_active", "security_epoch"])
        PendingSignIn.objects.filter(user=account).delete()
        PasswordReset.objects.filter(user=account, spent_at=None).delete()
        _record(IdentityEvent.DEACTIVATED, actor, account)
    return account


def reactivate(*, actor: Actor, user: User) -> User:
    """Opens a deactivated account again; its person signs in anew, with the factors they had."""
    access.require_manager_of_people(actor)
    with transaction.atomic():
        account = User.objects.select_for_update().get(pk=user.pk)
        if account.is_active:
            return account
        account.is_active = True
        account.save(update_fields=["is_active"])
        _record(IdentityEvent.REACTIVATED, actor, account)
    return account


def _record(event: IdentityEvent, actor: Actor, account: User) -> None:
    record(
        event,
        actor=actor,
        stream=Stream.user(account.public_id),
        target=Target("user", str(account.public_id)),
    )
