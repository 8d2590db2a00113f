"""How often one may try. Every number here stands in docs/limits.md too; a test holds them together."""

from __future__ import annotations

from datetime import timedelta

from accounts.identity import rules
from kellexa_portal.core import context
from kellexa_portal.ratelimit import Limit
from kellexa_portal.web.client import limit_subject_of

LOGIN_BY_NETWORK = Limit("accounts.login.network", 20, timedelta(minutes=10))
LOGIN_BY_ACCOUNT = Limit("accounts.login.account", 5, timedelta(minutes=15))
LOGIN_BY_KNOWN_BROWSER = Limit("accounts.login.browser", 10, timedelta(minutes=15))
LOGIN_IN_A_ROW = Limit("accounts.login.row", 100, timedelta(days=30))
STAFF_LOGIN = Limit("accounts.login.staff", 30, timedelta(hours=1))
DENIAL_ON_RECORD = Limit("accounts.login.noted", 1, timedelta(minutes=10))

SIGN_UP_BY_NETWORK = Limit("accounts.signup.network", 20, timedelta(hours=1))
SIGN_UP_MAIL_HOURLY = Limit("accounts.signup.mail.hour", 3, timedelta(hours=1))
SIGN_UP_MAIL_DAILY = Limit("accounts.signup.mail.day", 8, timedelta(days=1))
CONFIRM_BY_SIGN_UP = Limit("accounts.signup.confirm", 5, timedelta(minutes=15))

RESET_BY_NETWORK = Limit("accounts.reset.network", 20, timedelta(hours=1))
RESET_MAIL_HOURLY = Limit("accounts.reset.mail.hour", 3, timedelta(hours=1))
RESET_MAIL_DAILY = Limit("accounts.reset.mail.day", 8, timedelta(days=1))

EMAIL_CHANGE = Limit("accounts.email.change", 5, timedelta(hours=1))
CURRENT_PASSWORD = Limit("accounts.password.current", 5, timedelta(minutes=15))


def network() -> str:
    """The network that the request came from: the address, or the /64 of IPv6 (attack case 17)."""
    return limit_subject_of(context.current().ip)


def address(email: str) -> str:
    """The subject of an address, the same for every way to type it (attack case 15)."""
    return rules.canonical_email(email)
