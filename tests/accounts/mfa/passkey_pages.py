"""The pages and questions of passkeys as a browser meets them."""

from __future__ import annotations

import json
from typing import Any

from django.http import HttpResponse
from django.test import Client
from django_otp_webauthn.models import WebAuthnUserHandle

from accounts.identity.models import User
from accounts.mfa.models import Passkey
from tests.support.passkeys import Answer, SoftPasskey

BEGIN = "/accounts/login/passkey/begin/"
SIGN_IN = "/accounts/login/passkey/"
VERIFY_BEGIN = "/accounts/login/verify/passkey/begin/"
VERIFY = "/accounts/login/verify/passkey/"
ENROL_BEGIN = "/accounts/login/enrol/passkey/begin/"
ENROL = "/accounts/login/enrol/passkey/"
ADD_BEGIN = "/accounts/mfa/passkeys/add/begin/"
ADD = "/accounts/mfa/passkeys/add/"
STEP_UP_BEGIN = "/accounts/mfa/passkeys/verify/begin/"
JSON = "application/json"


def held(user: User, *, is_synced: bool = False, name: str = "Laptop") -> tuple[SoftPasskey, Passkey]:
    """A passkey of ``user`` and the row that knows its public half."""
    key = SoftPasskey(is_synced=is_synced, handle=WebAuthnUserHandle.get_handle_for_user(user))
    row = Passkey.objects.create(
        user=user,
        name=name,
        credential_id=key.credential_id,
        public_key=key._cose(-7),
        transports=["internal"],
        aaguid="00000000-0000-0000-0000-000000000000",
        backup_eligible=is_synced,
        backup_state=is_synced,
    )
    return key, row


def ask(client: Client, begin: str) -> dict[str, Any]:
    """What the page's script is told to ask the authenticator."""
    answer = client.post(begin, "{}", content_type=JSON)
    assert answer.status_code == 200, answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    return answer.json()


def post_json(client: Client, answer: Answer, *, to: str = SIGN_IN) -> HttpResponse:
    """Sends an answer as the sign-in page's script does."""
    return client.post(to, json.dumps(answer), content_type=JSON)


def post_form(client: Client, to: str, answer: Answer, **fields: str) -> HttpResponse:
    """Sends an answer as the hidden field of a form."""
    return client.post(to, {"credential": json.dumps(answer), **fields})
