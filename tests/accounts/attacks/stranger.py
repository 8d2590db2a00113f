"""What an attacker has: addresses of pages, browsers, networks, and cookies of others."""

from __future__ import annotations

import re
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.test import Client

from accounts.identity.models import User
from kellexa_portal.audit.queries import all_events
from tests.factories import accounts
from tests.factories.sign_in import PASSWORD, oathtool, sign_in

LOGIN = "/accounts/login/"
VERIFY = "/accounts/login/verify/"
VERIFY_CLOCK = "/accounts/login/verify/clock/"
RECOVER = "/accounts/login/recover/"
ENROL = "/accounts/login/enrol/"
ENROL_CODES = "/accounts/login/enrol/codes/"
LOGOUT = "/accounts/logout/"
STEP_UP = "/accounts/verify/"
SIGNUP = "/accounts/signup/"
RESET = "/accounts/password/reset/"
PASSWORD_PAGE = "/accounts/password/"
SESSIONS = "/accounts/sessions/"
REPLACE = "/accounts/mfa/authenticator/"
SCAN = "/accounts/mfa/authenticator/new/"
NEW_CODES = "/accounts/mfa/recovery-codes/"
CLOSED = "/accounts/mfa/"

WRONG = "not-the-right-words-1"
NEW_PASSWORD = "copper-thistle-monsoon-41"
MANUAL_KEY = re.compile(r'id="manual-key"[^>]*>([A-Z2-7 ]+)<')
SHOWN_CODE = re.compile(r"<li><code>([0-9A-Z-]{29})</code></li>")


def guess(
    client: Client, email: str, password: str = WRONG, *, ip: str = "203.0.113.5", **headers: Any
) -> int:
    """Types an address and a password; answers the status."""
    return client.post(LOGIN, {"email": email, "password": password}, REMOTE_ADDR=ip, **headers).status_code


def is_signed_in(client: Client) -> bool:
    """Whether ``client`` sees a page that needs both factors."""
    return client.get(CLOSED).status_code == 200


def key_of(client: Client) -> str:
    """The session key that the browser holds."""
    return client.cookies[settings.SESSION_COOKIE_NAME].value


def thief_of(key: str) -> Client:
    """Another browser that presents ``key``."""
    thief = Client()
    thief.cookies[settings.SESSION_COOKIE_NAME] = key
    return thief


def known_browser_of(person: User) -> Client:
    """A browser in which ``person`` was fully signed in and signed out again."""
    browser = Client()
    sign_in(browser, person)
    browser.get(CLOSED)
    browser.post(LOGOUT)
    return browser


def shown_key(client: Client, page: str = ENROL) -> str:
    """The seed as the page shows it to be typed into an app."""
    found = MANUAL_KEY.search(client.get(page).content.decode())
    assert found is not None
    return found.group(1)


def enrols(client: Client) -> str:
    """Goes through the enrolment that is due in ``client``; answers the seed."""
    client.get(VERIFY)
    key = shown_key(client)
    page = client.post(ENROL, {"code": oathtool(key)}, follow=True).content.decode()
    client.post(ENROL_CODES, {"recovery_code": SHOWN_CODE.findall(page)[0]})
    return key


def has_password(person: User, password: str = PASSWORD) -> bool:
    """Whether ``password`` is the one of ``person`` now."""
    return User.objects.get(pk=person.pk).check_password(password)


def deactivated(person: User) -> None:
    """An administrator of the staff shuts the account, on the page that is there for it."""
    administrator = Client()
    sign_in(administrator, accounts.staff())
    form = {"action": "deactivate_selected", "_selected_action": [person.pk], "confirmed": "yes"}
    assert administrator.post("/admin/accounts/user/", form).status_code == 302


def without_traces(answer: HttpResponse, *typed: str) -> str:
    """The page without what differs between any two answers, and without what was typed."""
    text = re.sub(r'value="[\w]{64}"', "", answer.content.decode())
    text = re.sub(r"\b[0-9a-f]{32}\b", "", text)
    for word in typed:
        text = text.replace(word, "TYPED")
    return text


def how_often(name: str) -> int:
    """How many events of this name stand in all logs together."""
    return all_events().filter(name=name).count()
