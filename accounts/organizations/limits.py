"""How often one may invite. Every number here stands in docs/adr/0012 too; a test holds them together."""

from __future__ import annotations

from datetime import timedelta

from kellexa_portal.ratelimit import Limit

INVITE_BY_ORGANIZATION = Limit("organizations.invite.organization", 50, timedelta(days=1))
INVITE_MAIL_DAILY = Limit("organizations.invite.mail.day", 8, timedelta(days=1))
