"""The notices about a sign-in, and about trust in a browser, that their person may not have made."""

from __future__ import annotations

from datetime import timedelta

from django.utils.translation import gettext as _

from accounts.identity import notices
from accounts.identity.models import User
from accounts.identity.rules import zone_named
from accounts.sessions import rules
from accounts.sessions.events import SessionEvent
from accounts.sessions.models import AccountSession, TrustedBrowser
from kellexa_portal.mail.facts import account, origin
from kellexa_portal.web.links import absolute

FOLDER = "accounts/sessions/mail"


def new_device(*, session: AccountSession) -> None:
    """Somebody signed in with a browser, or from a network, that the account was not seen with lately."""
    user = session.user
    notices.send(
        SessionEvent.LOGIN_SUCCEEDED,
        kind="sessions.new_device",
        user=user,
        subject=_("New sign-in to your Kellexa account"),
        template=f"{FOLDER}/new_device",
        context={
            "facts": [
                *account(user.email, zone_named(user.time_zone)),
                (_("Device"), session.device or _("unknown")),
                (_("Network"), session.ip_prefix or _("unknown")),
                *origin(),
                (_("Signed in with"), str(session.get_method_display())),
            ],
            "sessions_url": absolute("sessions:list"),
        },
        dedupe_key=f"sessions.new_device:{session.public_id}",
    )


def browser_trusted(*, user: User, browser: TrustedBrowser) -> None:
    """From now on the password alone signs in from one browser."""
    notices.send(
        SessionEvent.TRUSTED,
        kind="sessions.browser_trusted",
        user=user,
        subject=_("A browser may sign in with your password alone"),
        template=f"{FOLDER}/browser_trusted",
        context={
            "facts": [
                *account(user.email, zone_named(user.time_zone)),
                (_("Device"), browser.device or _("unknown")),
                (_("Network"), browser.ip_prefix or _("unknown")),
            ],
            "days": rules.TRUST_LIFETIME // timedelta(days=1),
            "sessions_url": absolute("sessions:list"),
        },
        dedupe_key=f"sessions.browser_trusted:{browser.public_id}",
    )
