"""Everybody who may come to the portal, each with a browser of their own."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction
from django.http import HttpResponse, StreamingHttpResponse
from django.test import Client
from django.utils import timezone

from accounts.identity import tokens
from accounts.identity.models import EmailChange, PasswordReset, SignUp
from accounts.lockdown.actions import make_link
from accounts.organizations.models import Membership
from accounts.sessions.events import SessionEvent
from kellexa_portal.web.routes import Route
from tests.factories import accounts, credentials, sign_in
from tests.factories.organizations import invited
from tests.factories.recovery import ready_case
from tests.support.addresses import address_of, routes
from tests.support.garbage import FORM


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody with a browser, whose every request leaves the portal as it was."""

    name: str
    client: Client
    arguments: Mapping[str, Mapping[str, str]]
    walks: tuple[str, ...] = ("",)

    def asks(self, method: str, address: str, data: Any = b"", **options: Any) -> HttpResponse:
        """The answer, after which what it wrote is undone, so that each request meets the same portal."""
        cookies = copy.deepcopy(self.client.cookies)
        with transaction.atomic():
            if method in {"GET", "HEAD"}:
                answer = self.client.generic(method, address, **options)
            else:
                options.setdefault("content_type", FORM)
                answer = self.client.generic(method, address, data, **options)
            if isinstance(answer, StreamingHttpResponse):  # its rows are read here, or not at all
                read = b"".join(answer.streaming_content)
                answer = HttpResponse(read, status=answer.status_code, headers=answer.headers)
            transaction.set_rollback(True)
        self.client.cookies = cookies
        return answer

    def addresses(self, *, without: tuple[str, ...] = ()) -> Iterator[tuple[Route, str]]:
        """Every route with an address that leads to something that exists where there is such a thing."""
        for route in routes(under=self.walks, without=without):
            yield route, address_of(route, {**self.arguments["*"], **self.arguments.get(route.name, {})})


def _arguments(owner: Membership) -> dict[str, dict[str, str]]:
    """What stands in the addresses, by the name of the route; ``*`` is for all that are not named."""
    key = credentials.api_key(owner)
    return {
        "*": {
            "key_id": key.key_id,
            "public_id": str(uuid4()),
            "object_id": "1",
            "content_type_id": "1",
            "app_label": "accounts",
            "rest": "nothing/here",
            "url": "nothing/here",
            "name": "public",
        },
        "accounts:signup_confirm": {"token": _sign_up_link()},
        "accounts:password_reset_confirm": {"token": _reset_link(owner)},
        "accounts:email_confirm": {"token": _email_links(owner)[0]},
        "accounts:email_undo": {"token": _email_links(owner)[1]},
        "lockdown:link": {"token": _disavowal_link(owner)},
        **_recovery_links(),
        "organizations:invitation": {"token": invited(owner)[1].rstrip("/").rpartition("/")[2]},
    }


def _sign_up_link() -> str:
    token = tokens.new()
    SignUp.objects.create(
        email="wish@new.example",
        name="Wish",
        organization_name="Wish Ltd",
        password="!",
        token_hash=tokens.digest(token),
        browser_hash=tokens.digest("another browser"),
        expires_at=timezone.now() + timedelta(hours=1),
    )
    return token


def _reset_link(owner: Membership) -> str:
    token = tokens.new()
    PasswordReset.objects.create(
        user=owner.user,
        epoch=owner.user.security_epoch,
        token_hash=tokens.digest(token),
        expires_at=timezone.now() + timedelta(hours=1),
    )
    return token


def _email_links(owner: Membership) -> tuple[str, str]:
    """The links to a change that waits, and back from one that was made."""
    confirm, used, undo = tokens.new(), tokens.new(), tokens.new()
    later = timezone.now() + timedelta(hours=1)
    common = {"user": owner.user, "epoch": owner.user.security_epoch, "old_email": "former@new.example"}
    EmailChange.objects.create(
        new_email="next@new.example", token_hash=tokens.digest(confirm), expires_at=later, **common
    )
    EmailChange.objects.create(
        new_email=owner.user.email,
        token_hash=tokens.digest(used),
        expires_at=later,
        spent_at=timezone.now(),
        undo_hash=tokens.digest(undo),
        undo_until=later,
        **common,
    )
    return confirm, undo


def _disavowal_link(owner: Membership) -> str:
    link = make_link(user=owner.user, event=SessionEvent.LOGIN_SUCCEEDED)
    return link.rstrip("/").rpartition("/")[2]


def _recovery_links() -> dict[str, dict[str, str]]:
    """The links of somebody's recovery, and where staff approve and refuse it."""
    case, finish, cancel = ready_case(sign_in.new_person("lost@customer.example"))
    return {
        "recovery:cancel_link": {"token": cancel},
        "recovery:finish": {"token": finish},
        "admin:recovery_recoverycase_approve": {"public_id": str(case.public_id)},
        "admin:recovery_recoverycase_refuse": {"public_id": str(case.public_id)},
    }


def _anonymous(client: Client, owner: Membership) -> None:
    """Shows nothing."""


def _owner(client: Client, owner: Membership) -> None:
    sign_in.sign_in(client, owner.user)


def _staff(client: Client, owner: Membership) -> None:
    sign_in.sign_in(client, accounts.staff())


def _half_signed_in(client: Client, owner: Membership) -> None:
    person = sign_in.new_person("half@customer.example")
    sign_in.enrolled(person)
    sign_in.prove_password(client, person)


def _enrolling(client: Client, owner: Membership) -> None:
    sign_in.prove_password(client, sign_in.new_person("enrolling@customer.example"))


ARRIVALS: dict[str, Callable[[Client, Membership], None]] = {
    "anonymous": _anonymous,
    "owner": _owner,
    "staff": _staff,
    "half signed in": _half_signed_in,
    "enrolling": _enrolling,
}
# Elsewhere these are strangers.
WALKS = dict.fromkeys(("half signed in", "enrolling"), ("accounts/login/",))


def arrive(name: str, owner: Membership) -> Visitor:
    """The visitor ``name`` of ``ARRIVALS``, in a portal where ``owner`` has an organization with a key."""
    client = Client(raise_request_exception=False)
    arguments = _arguments(owner)
    ARRIVALS[name](client, owner)
    return Visitor(name, client, arguments, walks=WALKS.get(name, ("",)))
