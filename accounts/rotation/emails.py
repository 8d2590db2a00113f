"""The mails of rotation."""

from __future__ import annotations

from collections.abc import Sequence

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from accounts.identity.models import User
from accounts.identity.rules import zone_named
from accounts.rotation.models import Digest
from accounts.rotation.queries import Entry
from kellexa_portal.mail import defer
from kellexa_portal.web.links import absolute


def send_rotation_digest(*, digest: Digest, recipient: User, entries: Sequence[Entry]) -> None:
    """Tells one person of the credentials to rotate, the most urgent first; one mail a digest."""
    ordered = sorted(entries, key=lambda entry: entry.due_at)
    first = ordered[0]
    with timezone.override(zone_named(recipient.time_zone)):
        defer(
            "rotation.digest",
            to=recipient.email,
            subject=_subject(ordered),
            template="accounts/rotation/mail/digest",
            context={
                "recipient": recipient,
                "entries": ordered,
                "first": first,
                "url": first.credential.url if len(ordered) == 1 else absolute("credentials:list"),
            },
            dedupe_key=f"rotation.digest/{digest.public_id}",
            person=recipient.public_id,
        )


def _subject(entries: Sequence[Entry]) -> str:
    if len(entries) == 1:
        entry = entries[0]
        if entry.is_overdue:
            return _("Overdue: rotate “%(name)s”") % {"name": entry.credential.name}
        return _("Rotate “%(name)s” %(when)s") % {"name": entry.credential.name, "when": entry.time_left}
    count = len(entries)
    return ngettext("%(n)d credential to rotate", "%(n)d credentials to rotate", count) % {"n": count}
