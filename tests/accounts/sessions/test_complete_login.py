"""The one door: what it refuses, and what it leaves behind."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.http import HttpRequest
from django.test import Client
from django.utils import timezone

from accounts.identity import pending as half_sign_ins
from accounts.identity.models import PendingSignIn, User
from accounts.identity.tasks import purge_expired
from accounts.sessions import devices, rules
from accounts.sessions.actions import SignInLapsedError, UnprovenDeviceError, complete_login
from accounts.sessions.models import AccountSession, digest_of
from accounts.sessions.store import SessionStore
from kellexa_portal.audit import Stream
from tests.factories.audit_support import recorded
from tests.factories.sign_in import enrolled, new_person, oathtool, prove_password, sign_in

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"


@pytest.fixture
def ada(db) -> User:
    return new_person()


def begin(user: User) -> tuple[HttpRequest, PendingSignIn]:
    request = HttpRequest()
    request.session = SessionStore()
    request.user = AnonymousUser()
    return request, half_sign_ins.start(request, user=user, next_url="")


def test_a_half_sign_in_completes_once(ada: User) -> None:
    request, pending = begin(ada)
    complete_login(request, pending=pending, device=enrolled(ada), method=AccountSession.Method.TOTP)

    with pytest.raises(SignInLapsedError):
        complete_login(request, pending=pending, device=enrolled(ada), method=AccountSession.Method.TOTP)

    assert AccountSession.objects.count() == 1


def test_another_persons_device_completes_nothing(ada: User) -> None:
    """Case 4."""
    request, pending = begin(ada)
    device = enrolled(new_person("bob@example.com"))

    with pytest.raises(UnprovenDeviceError):
        complete_login(request, pending=pending, device=device, method=AccountSession.Method.TOTP)

    assert not AccountSession.objects.exists()
    assert "_auth_user_id" not in request.session
    assert PendingSignIn.objects.filter(pk=pending.pk).exists()


@pytest.mark.parametrize(
    "overturn",
    [
        {"user": {"is_active": False}},
        {"user": {"security_epoch": 7}},
        {"pending": {"expires_at": timezone.now() - timedelta(seconds=1)}},
    ],
)
def test_an_overturned_half_sign_in_completes_nothing(ada: User, overturn: dict) -> None:
    request, pending = begin(ada)
    device = enrolled(ada)
    User.objects.filter(pk=ada.pk).update(**overturn.get("user", {"name": ada.name}))
    PendingSignIn.objects.filter(pk=pending.pk).update(
        **{"created_at": timezone.now() - timedelta(hours=1), **overturn.get("pending", {})}
    )

    with pytest.raises(SignInLapsedError):
        complete_login(request, pending=pending, device=device, method=AccountSession.Method.TOTP)

    assert not AccountSession.objects.exists()


def test_only_the_digest_of_the_key_is_kept(client: Client, ada: User) -> None:
    session = sign_in(client, ada)

    key = client.cookies[settings.SESSION_COOKIE_NAME].value
    session.refresh_from_db()
    assert bytes(session.key_digest) == digest_of(key)
    assert key not in str(vars(session))


def test_the_row_names_device_network_and_methods(client: Client, ada: User) -> None:
    device = enrolled(ada)
    with time_machine.travel("2026-11-23T12:00:07Z", tick=False):
        prove_password(client, ada)
        client.post(
            "/accounts/login/verify/",
            {"code": oathtool(device.open_seed())},
            headers={"user-agent": FIREFOX},
            REMOTE_ADDR="2001:db8:1:2::5",
        )

    session = AccountSession.objects.get()
    assert session.device == "Firefox on Linux"
    assert session.ip_prefix == "2001:db8:1::/48"
    assert (session.level, session.methods) == (2, ["pwd", "otp", "mfa"])


def test_the_fifty_first_session_ends_the_oldest(ada: User) -> None:
    clients = [Client() for _ in range(rules.MAX_LIVE_SESSIONS + 1)]
    sessions = [sign_in(client, ada) for client in clients]

    sessions[0].refresh_from_db()
    assert sessions[0].end_reason == "excess"
    assert recorded(Stream.user(ada.public_id)).count("session.revoke") == 1
    assert AccountSession.objects.unended().count() == rules.MAX_LIVE_SESSIONS
    assert clients[0].get("/accounts/sessions/").status_code == 302
    assert clients[1].get("/accounts/sessions/").status_code == 200


def test_sessions_that_ended_long_ago_are_forgotten(client: Client, ada: User) -> None:
    old = sign_in(client, ada)
    long_ago = timezone.now() - rules.KEEP_ENDED_FOR - timedelta(days=1)
    AccountSession.objects.filter(pk=old.pk).update(ended_at=long_ago, end_reason="revoked")

    purge_expired()

    assert not AccountSession.objects.filter(pk=old.pk).exists()


def test_a_session_whose_browser_never_comes_back_is_ended_by_the_purge(client: Client, ada: User) -> None:
    idle, live = sign_in(client, ada), sign_in(Client(), ada)
    AccountSession.objects.filter(pk=idle.pk).update(last_seen_at=timezone.now() - timedelta(minutes=31))

    purge_expired()

    idle.refresh_from_db()
    live.refresh_from_db()
    assert (idle.end_reason, live.end_reason) == ("idle", "")
    assert recorded(Stream.user(ada.public_id))[-1] == "session.expire"


def test_a_sign_in_over_another_puts_the_end_of_the_former_on_record(ada: User) -> None:
    former = sign_in(Client(), ada)
    request, pending = begin(ada)
    request.account_session = former

    complete_login(request, pending=pending, device=enrolled(ada), method=AccountSession.Method.TOTP)

    assert recorded(Stream.user(ada.public_id))[-2:] == ["session.end", "auth.login.succeed"]


@pytest.mark.parametrize(
    ("user_agent", "label"),
    [(FIREFOX, "Firefox on Linux"), ("", ""), ("curl/8.0", "curl"), ("\x00\x01<script>", "")],
)
def test_devices_are_named_as_people_know_them(user_agent: str, label: str) -> None:
    assert devices.label_of(user_agent) == label


def test_django_s_login_is_called_in_one_place() -> None:
    """A second caller would be a way in without a second factor."""
    root = Path(settings.BASE_DIR)
    sources = [
        path
        for package in ("accounts", "kellexa_portal", "subprocessors", "disclosures")
        for path in (root / package).rglob("*.py")
    ]

    texts = {path: path.read_text() for path in sources}
    callers = [path for path, text in texts.items() if "auth.login(" in text or "import login" in text]

    assert [path.relative_to(root).as_posix() for path in callers] == ["accounts/sessions/actions/opening.py"]
