"""Answers to scripts: what an authenticator is asked, and refusals as problem details (RFC 9457)."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponse, JsonResponse
from django_otp_webauthn.models import WebAuthnUserHandle

from accounts.identity.models import User
from accounts.mfa import queries, webauthn
from accounts.mfa.actions.challenges import Asker
from accounts.sessions import devices
from kellexa_portal.core import context
from kellexa_portal.core.errors import DomainError
from kellexa_portal.web import problems

JSON = "application/json"


def answers_scripts(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
    """Answers refusals as problem details and stores nothing; takes JSON alone.

    A form of another site cannot send JSON, so that nobody is signed in to an account by a hidden form.
    """

    @functools.wraps(view)
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if request.content_type != JSON:
            response = problems.problem(status=HTTPStatus.UNSUPPORTED_MEDIA_TYPE, code="not_json")
        else:
            try:
                response = view(request, *args, **kwargs)
            except DomainError as error:
                response = _problem(error)
        response["Cache-Control"] = "no-store, private"
        return response

    return inner


def _problem(error: DomainError) -> HttpResponse:
    response = problems.problem(status=problems.STATUS[error.fault], code=error.code, detail=error.sentence())
    retry_after = error.params.get("retry_after")
    if retry_after is not None:
        response["Retry-After"] = str(max(1, math.ceil(float(retry_after))))
    return response


def ask_for_new(user: User, asker: Asker) -> HttpResponse:
    """What a browser is asked to make a passkey of ``user``; not again on a device that holds one."""
    options = webauthn.creation_options(
        challenge=asker.ask(),
        handle=WebAuthnUserHandle.get_handle_for_user(user),
        email=user.email,
        name=user.name,
        known=queries.keys_of(user),
    )
    return JsonResponse(options)


def ask_for_known(user: User, asker: Asker) -> HttpResponse:
    """What a browser is asked to show a passkey of ``user``."""
    return JsonResponse(webauthn.request_options(challenge=asker.ask(), known=queries.keys_of(user)))


def suggested_name() -> str:
    """What to call a passkey that is made here and now: the device, as far as the browser tells."""
    return devices.label_of(context.current().user_agent)
