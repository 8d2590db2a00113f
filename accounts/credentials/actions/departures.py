"""What happens to keys when a person leaves an organization."""

from __future__ import annotations

from django.db import transaction

from accounts.credentials import access
from accounts.credentials.actions import evidence
from accounts.credentials.actions.ending import revoke_key
from accounts.credentials.events import KeyEvent
from accounts.credentials.models import ApiKey, ApiKeyContact
from accounts.identity import access as people
from accounts.identity.models import User
from accounts.organizations.models import Organization
from kellexa_portal.core.actor import Actor


def end_person(*, actor: Actor, organization: Organization, user: User) -> None:
    """Revokes the personal keys of ``user`` in ``organization`` and takes back what they had of others.

    Verification refuses a personal key without a membership anyway; the row, the mails and the evidence
    follow here. Service keys are the organization's and go on, without the person as a contact. For the
    portal alone.
    """
    people.require_system(actor)
    with transaction.atomic():
        personal = ApiKey.objects.filter(
            organization=organization, owner=user, kind=ApiKey.Kind.PERSONAL, revoked_at=None
        )
        for key in personal.order_by("pk"):
            revoke_key(actor=actor, key=key, reason=ApiKey.RevokeReason.PERSON_LEFT)
        concerned = access.with_exception(user, organization)
        contact_of = ApiKeyContact.objects.filter(user=user, key__organization=organization)
        keys = ApiKey.objects.filter(pk__in={*concerned, *contact_of.values_list("key_id", flat=True)})
        for key in keys.for_change().order_by("pk"):
            access.withdraw_exception(user, key)
            was_contact = key.contact_rows.filter(user=user).delete()[0]
            if was_contact:
                evidence.note(
                    KeyEvent.CONTACTS_CHANGED,
                    actor=actor,
                    key=key,
                    changes={"added": "", "removed": str(user.public_id)},
                )
