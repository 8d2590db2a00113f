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
        return _subject_of_one(entries[0])
    count = len(entries)
    return ngettext("%(n)d credential to rotate", "%(n)d credentials to rotate", count) % {"n": count}


def _subject_of_one(entry: Entry) -> str:
    """One whole sentence for each case, so that every language can order its words."""
    name = entry.credential.name
    if entry.is_overdue:
        return _("Overdue: rotate “%(name)s”") % {"name": name}
    if entry.days:
        sentence = ngettext("Rotate “%(name)s” in %(n)d day", "Rotate “%(name)s” in %(n)d days", entry.days)
        return sentence % {"name": name, "n": entry.days}
    sentence = ngettext("Rotate “%(name)s” in %(n)d hour", "Rotate “%(name)s” in %(n)d hours", entry.hours)
    return sentence % {"name": name, "n": entry.hours}
