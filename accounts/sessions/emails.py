"""The notice about a sign-in that its person may not have made."""

from __future__ import annotations

from django.utils.translation import gettext as _

from accounts.identity import notices
from accounts.identity.rules import zone_named
from accounts.sessions.events import SessionEvent
from accounts.sessions.models import AccountSession
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
