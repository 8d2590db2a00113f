"""Reads of accounts and of the rows behind mailed links."""

from __future__ import annotations

from django.db.models import F
from django.utils import timezone

from accounts.identity import tokens
from accounts.identity.models import EmailChange, PasswordReset, SignUp, User


def account_of(email: str) -> User | None:
    """The account with this address, active or not, however the address is typed."""
    return User.objects.with_email(email).first()


def verified_addresses(user: User) -> list[str]:
    """Every address that the person has shown to be theirs, the account's own first."""
    return [user.email] if user.email_confirmed_at is not None else []


def former_addresses(user: User) -> list[str]:
    """Addresses that the account was moved away from and that can still bring themselves back."""
    moved = EmailChange.objects.filter(user=user, undone_at=None, undo_until__gt=timezone.now())
    found = moved.order_by("-pk").values_list("old_email", flat=True)
    return [address for address in dict.fromkeys(found) if address != user.email]


def live_sign_up(token: str) -> SignUp | None:
    """The sign-up behind a mailed link, if the link still works."""
    return SignUp.objects.live(timezone.now()).filter(token_hash=tokens.digest(token)).first()


def reset_of(token: str) -> PasswordReset | None:
    """The reset behind a mailed link, whether or not it still works; for evidence, never for admission."""
    return PasswordReset.objects.select_related("user").filter(token_hash=tokens.digest(token)).first()


def live_reset(token: str) -> PasswordReset | None:
    """The reset behind a mailed link, if it works: in time, unused, and the account not secured since."""
    return (
        PasswordReset.objects.live(timezone.now())
        .select_related("user")
        .filter(token_hash=tokens.digest(token), user__is_active=True, user__security_epoch=F("epoch"))
        .first()
    )


def live_email_change(token: str, user: User) -> EmailChange | None:
    """The change of ``user`` behind a mailed link, if it works: in time, unused, nothing secured since."""
    return (
        EmailChange.objects.live(timezone.now())
        .select_related("user")
        .filter(token_hash=tokens.digest(token), user=user, user__security_epoch=F("epoch"))
        .first()
    )


def undoable_email_change(token: str) -> EmailChange | None:
    """The change that the holder of the former address can take back with this link."""
    return (
        EmailChange.objects.select_related("user")
        .filter(undo_hash=tokens.digest(token), undone_at=None, undo_until__gt=timezone.now())
        .first()
    )
