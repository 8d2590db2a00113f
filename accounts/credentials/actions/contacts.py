"""The people beside the owner who hear of a service key and may rotate it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.utils import timezone

from accounts.credentials import access, emails
from accounts.credentials.actions import errors, evidence
from accounts.credentials.events import KeyEvent
from accounts.credentials.models import ApiKey, ApiKeyContact
from accounts.identity.models import User
from accounts.organizations.access import Permission, allows
from accounts.organizations.models import Membership
from kellexa_portal.core.actor import Actor


def set_contacts(*, actor: Actor, by: Membership, key: ApiKey, people: Sequence[User]) -> ApiKey:
    """Makes exactly ``people`` the contacts of a service key; each may then see and rotate this one key."""
    with transaction.atomic():
        if key.organization_id != by.organization_id:
            raise errors.KeyNotFound
        if not allows(by, Permission.KEYS_MANAGE):
            raise evidence.refuse(actor=actor, by=by, target=evidence.target_of(key), attempt="contacts")
        locked = ApiKey.objects.for_change().get(pk=key.pk)
        wanted = {person.pk: person for person in checked_contacts(locked, people)}
        present = {row.user_id: row.user for row in locked.contact_rows.select_related("user")}
        gone = [person for pk, person in present.items() if pk not in wanted]
        new = [person for pk, person in wanted.items() if pk not in present]
        if not gone and not new:
            return locked
        for person in gone:
            access.withdraw_exception(person, locked)
        locked.contact_rows.filter(user__in=gone).delete()
        attach_contacts(locked, new)
        evidence.note(
            KeyEvent.CONTACTS_CHANGED,
            actor=actor,
            key=locked,
            changes={"added": _ids(new), "removed": _ids(gone)},
        )
        now = timezone.now()
        for person in new:
            emails.contact_added(key=locked, to=person, at=now)
        return locked


def checked_contacts(key: ApiKey, people: Sequence[User]) -> list[User]:
    """``people``, if they may be contacts of ``key``; raises ``InvalidContacts``."""
    if not people:
        return []
    ids = {person.pk for person in people}
    members = Membership.objects.filter(
        organization=key.organization_id, user__in=ids, user__is_active=True
    ).count()
    if key.is_personal or members != len(ids):
        raise errors.InvalidContacts
    return list(people)


def attach_contacts(key: ApiKey, people: Iterable[User]) -> None:
    """Adds contacts that were checked, with their exception for this key."""
    for person in people:
        ApiKeyContact.objects.create(key=key, user=person)
        access.grant_exception(person, key)


def _ids(people: Iterable[User]) -> str:
    return " ".join(sorted(str(person.public_id) for person in people))
