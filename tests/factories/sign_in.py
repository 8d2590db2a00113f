"""People who are signed in without typing: a real device and session, made through ``complete_login``."""

from __future__ import annotations

import base64
import subprocess
import time

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.identity import pending as half_sign_ins
from accounts.identity.models import User
from accounts.mfa import rules
from accounts.mfa.models import RecoveryCode, TotpDevice
from accounts.sessions.actions import complete_login
from accounts.sessions.models import AccountSession, StepUpGrant, digest_of
from accounts.sessions.rules import GRANT_LIFETIME
from accounts.sessions.store import SessionStore

MARGIN_SECONDS = 2
PASSWORD = "violet anchor sings at noon"
NEW_PASSWORD = "seven lanterns drift past the weir"


def new_person(email: str = "ada@example.com", *, is_staff: bool = False) -> User:
    """A confirmed account with ``PASSWORD`` and no second factor yet."""
    person = User(email=email, name=email.partition("@")[0].title(), is_staff=is_staff)
    person.set_password(PASSWORD)
    person.email_confirmed_at = timezone.now()
    person.save()
    return person


def prove_password(client: Client, user: User, *, next_url: str = "", password: str = PASSWORD) -> None:
    """Posts the right ``password`` of ``user``, which begins a half sign-in and nothing more."""
    form = {"email": user.email, "password": password, "next": next_url}
    response = client.post(reverse("accounts:login"), form)
    assert response.status_code == 302, response.content.decode()
    assert response["Location"] == reverse("mfa:verify")


def enrolled(user: User) -> TotpDevice:
    """The person's authenticator app, made if there is none; no code of it was used yet."""
    found = TotpDevice.objects.filter(user=user).first()
    if found is not None:
        return found
    device = TotpDevice(user=user, last_step=0)
    device.seal_seed(rules.new_seed())
    device.save()
    return device


def sign_in(
    client: Client, user: User, *, method: AccountSession.Method = AccountSession.Method.TOTP
) -> AccountSession:
    """Gives ``client`` a verified session of ``user``; any session it had before is left behind."""
    request = HttpRequest()
    request.session = SessionStore()
    request.user = AnonymousUser()
    request.META["REMOTE_ADDR"] = "127.0.0.1"
    pending = half_sign_ins.start(request, user=User.objects.get(pk=user.pk), next_url="")
    session = complete_login(request, pending=pending, device=enrolled(user), method=method)
    request.session.save()
    client.cookies[settings.SESSION_COOKIE_NAME] = request.session.session_key
    return session


def totp_now(device: TotpDevice) -> str:
    """The present code as ``oathtool``, a client written by others, computes it.

    Waits when the present step is about to end, so that the code is still the present one when posted.
    """
    rest = rules.STEP_SECONDS - timezone.now().timestamp() % rules.STEP_SECONDS
    if rest < MARGIN_SECONDS:
        time.sleep(rest)
    return oathtool(device.open_seed())


def oathtool(seed: bytes | str, *, ahead: int = 0) -> str:
    """The code of ``seed`` (bytes, or base 32 as a page shows it), ``ahead`` steps from now."""
    key = seed if isinstance(seed, str) else base64.b32encode(seed).decode()
    at = int(timezone.now().timestamp()) + ahead * rules.STEP_SECONDS
    command = ["oathtool", "--totp", "-b", f"--now=@{at}", key]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def with_recovery_codes(user: User, count: int = rules.RECOVERY_CODES) -> list[str]:
    """Usable recovery codes of ``user`` in clear, as the person would have stored them."""
    codes = [rules.new_recovery_code() for _ in range(count)]
    RecoveryCode.objects.bulk_create(
        RecoveryCode(user=user, digest=rules.recovery_digest(code.replace("-", ""))) for code in codes
    )
    return codes


def may(client: Client, action: str, obj: str) -> None:
    """Gives the session of ``client`` the permission that a factor shown for exactly this would earn."""
    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    StepUpGrant.objects.create(
        session=AccountSession.objects.get(key_digest=digest_of(key)),
        action=action,
        obj=obj,
        factor="totp",
        expires_at=timezone.now() + GRANT_LIFETIME,
    )
