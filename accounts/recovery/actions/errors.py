"""Why a step of a recovery is refused."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from kellexa_portal.core.errors import DomainError, Fault


class OwnAccountError(DomainError):
    """Staff ask to recover themselves, or approve it: nobody vouches for themselves."""

    code = "account.recovery.own_account"
    fault = Fault.FORBIDDEN
    message = _("This is your own account. Others have to ask and to approve.")


class OwnRequestError(DomainError):
    """Who asked for the recovery approves it too."""

    code = "account.recovery.own_request"
    fault = Fault.FORBIDDEN
    message = _("You asked for this recovery. Two others have to approve it.")


class ApprovedBeforeError(DomainError):
    """One member of the staff approves twice."""

    code = "account.recovery.approved_before"
    fault = Fault.CONFLICT
    message = _("You have approved this recovery. Somebody else has to approve it too.")


class AlreadyUnderWayError(DomainError):
    """The account has an unfinished recovery."""

    code = "account.recovery.under_way"
    fault = Fault.CONFLICT
    message = _("A recovery of this account is under way.")


class CannotBeRecoveredError(DomainError):
    """The account is deactivated, or nobody ever confirmed its address: no link would reach its person."""

    code = "account.recovery.impossible"
    fault = Fault.CONFLICT
    message = _("This account is deactivated or has no confirmed address. It can’t be recovered.")


class NotDueError(DomainError):
    """The step is not due: another was quicker, or the case has ended."""

    code = "account.recovery.not_due"
    fault = Fault.CONFLICT
    message = _("This recovery has moved on meanwhile. Look at it again.")


class NoLongerUpheldError(DomainError):
    """Somebody who asked for the recovery or approved it no longer may; the case is cancelled."""

    code = "account.recovery.standing"
    fault = Fault.CONFLICT
    message = _(
        "Somebody who asked for this recovery or approved it no longer may. It is cancelled; ask for it anew."
    )


class NothingToCancelError(DomainError):
    """No recovery of the account is under way."""

    code = "account.recovery.nothing"
    fault = Fault.CONFLICT
    message = _("No recovery of your account is under way.")


class LinkDeadError(DomainError):
    """The link was used, has expired, never existed, or its case has ended."""

    code = "account.recovery.link_dead"
    fault = Fault.NOT_FOUND
    message = _("This link no longer works.")
