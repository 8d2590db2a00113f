"""What a sign-in is refused for."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from kellexa_portal.core.errors import DomainError, Fault


class SignInLapsedError(DomainError):
    """The half sign-in was used, ran out or was overturned between its check and its completion."""

    code = "auth.login.lapsed"
    fault = Fault.CONFLICT
    message = _("This sign-in has ended. Start again with your password.")


class UnprovenDeviceError(DomainError):
    """A factor that is not this person's, or not confirmed, completes nothing (attack case 4)."""

    code = "auth.login.device"
    fault = Fault.FORBIDDEN
    message = _("This sign-in can’t be completed. Start again with your password.")
