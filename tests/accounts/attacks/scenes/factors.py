"""Second factors, recovery, step-up and sessions."""

from __future__ import annotations

from datetime import timedelta

from django.test import Client
from django.utils import timezone

from accounts.identity.events import IdentityEvent
from accounts.identity.models import PendingSignIn
from accounts.mfa import rules
from accounts.mfa.events import MfaEvent
from accounts.mfa.models import Passkey, Resync
from accounts.mfa.rules import new_recovery_code
from accounts.sessions.actions import trust_browser
from accounts.sessions.events import SessionEvent
from accounts.sessions.models import AccountSession, TrustedBrowser
from kellexa_portal.audit import Outcome
from kellexa_portal.core.actor import Actor
from tests.accounts.attacks.scenes import Act, emits
from tests.accounts.attacks.scenes.people import at_login, signed_in
from tests.accounts.attacks.stranger import (
    ENROL,
    ENROL_CODES,
    LOGOUT,
    NEW_CODES,
    RECOVER,
    REPLACE,
    SCAN,
    SESSIONS,
    SHOWN_CODE,
    VERIFY,
    VERIFY_CLOCK,
    shown_key,
)
from tests.accounts.mfa.passkey_pages import ADD, ADD_BEGIN, BEGIN, ask, held, post_form, post_json
from tests.accounts.mfa.second_step import wrong_code
from tests.factories.sign_in import enrolled, new_person, oathtool, sign_in, with_recovery_codes
from tests.support.passkeys import SoftPasskey

PASSKEYS = "/accounts/mfa/passkeys/"


def _at_the_last_step(client: Client) -> dict[str, str]:
    """Goes through an enrolment but for its last form, which is answered."""
    client.get(VERIFY)
    page = client.post(ENROL, {"code": oathtool(shown_key(client))}, follow=True).content.decode()
    return {"recovery_code": SHOWN_CODE.findall(page)[0]}


@emits(MfaEvent.ENROLLED)
def enrolling_an_app() -> Act:
    client = at_login(new_person())
    form = _at_the_last_step(client)
    return lambda: client.post(ENROL_CODES, form)


@emits(MfaEvent.ENROLLED)
def adding_a_passkey() -> Act:
    client, key = signed_in(new_person()), SoftPasskey()
    answer = key.create(ask(client, ADD_BEGIN))
    return lambda: post_form(client, ADD, answer, name="Laptop")


@emits(MfaEvent.REPLACED)
def replacing_the_app() -> Act:
    person = new_person()
    device, client = enrolled(person), signed_in(person)
    client.post(REPLACE, {"code": oathtool(device.open_seed())})
    code = oathtool(shown_key(client, SCAN))
    return lambda: client.post(SCAN, {"code": code})


@emits(MfaEvent.REPLACED)
def replacing_the_app_after_a_recovery() -> Act:
    person = new_person()
    enrolled(person)
    client = at_login(person)
    client.post(RECOVER, {"recovery_code": with_recovery_codes(person)[0]})
    form = _at_the_last_step(client)
    return lambda: client.post(ENROL_CODES, form)


@emits(MfaEvent.RESYNCED)
def setting_the_clock_by_two_codes() -> Act:
    person = new_person()
    device, client = enrolled(person), at_login(person)
    step = rules.step_at(timezone.now())
    pending = PendingSignIn.objects.get(user=person)
    Resync.objects.create(  # typed half a minute ago
        pending=pending, device=device, step=step + 1, drift=2
    )
    code = oathtool(device.open_seed(), ahead=2)
    return lambda: client.post(VERIFY_CLOCK, {"code": code})


@emits(MfaEvent.REMOVED)
def removing_a_passkey() -> Act:
    person = new_person()
    client = signed_in(person)
    _key, row = held(person)
    return lambda: client.post(f"{PASSKEYS}{row.public_id}/remove/")


@emits(MfaEvent.PASSKEY_RENAMED)
def renaming_a_passkey() -> Act:
    person = new_person()
    client = signed_in(person)
    _key, row = held(person)
    return lambda: client.post(f"{PASSKEYS}{row.public_id}/", {"name": "Old laptop"})


@emits(MfaEvent.PASSKEY_REFUSED, Outcome.FAILURE)
def showing_a_passkey_that_verified_nobody() -> Act:
    client = Client()
    key, _row = held(new_person())
    answer = key.get(ask(client, BEGIN), is_verified=False)
    return lambda: post_json(client, answer)


@emits(MfaEvent.PASSKEY_COUNTER, Outcome.DENIED)
def showing_a_copied_passkey() -> Act:
    client = Client()
    key, row = held(new_person())
    Passkey.objects.filter(pk=row.pk).update(sign_count=40)
    answer = key.get(ask(client, BEGIN))
    return lambda: post_json(client, answer)


@emits(MfaEvent.CODE_REFUSED, Outcome.FAILURE)
def typing_a_wrong_code() -> Act:
    person = new_person()
    device, client = enrolled(person), at_login(person)
    return lambda: client.post(VERIFY, {"code": wrong_code(device)})


@emits(MfaEvent.CODE_REFUSED, Outcome.FAILURE)
def typing_a_wrong_code_while_signed_in() -> Act:
    person = new_person()
    device, client = enrolled(person), signed_in(person)
    return lambda: client.post(NEW_CODES, {"code": wrong_code(device)})


@emits(MfaEvent.CODE_REPLAYED, Outcome.DENIED)
def typing_a_used_code() -> Act:
    person = new_person()
    code = oathtool(enrolled(person).open_seed())
    at_login(person).post(VERIFY, {"code": code})
    client = at_login(person)
    return lambda: client.post(VERIFY, {"code": code})


@emits(MfaEvent.BUDGET_SPENT, Outcome.DENIED)
def typing_an_eleventh_code() -> Act:
    person = new_person()
    device = enrolled(person)
    for _ in range(2):
        guesser = at_login(person)
        for _ in range(5):
            guesser.post(VERIFY, {"code": wrong_code(device)})
    client = at_login(person)
    return lambda: client.post(VERIFY, {"code": oathtool(device.open_seed())})


@emits(MfaEvent.RECOVERY_USED)
def using_a_recovery_code() -> Act:
    person = new_person()
    enrolled(person)
    code, client = with_recovery_codes(person)[0], at_login(person)
    return lambda: client.post(RECOVER, {"recovery_code": code})


@emits(IdentityEvent.QUARANTINED)
def coming_back_by_a_recovery_code() -> Act:
    return using_a_recovery_code()


@emits(MfaEvent.RECOVERY_REFUSED, Outcome.FAILURE)
def typing_a_wrong_recovery_code() -> Act:
    person = new_person()
    enrolled(person)
    client = at_login(person)
    return lambda: client.post(RECOVER, {"recovery_code": new_recovery_code()})


@emits(MfaEvent.RECOVERY_RENEWED)
def making_new_recovery_codes() -> Act:
    person = new_person()
    device, client = enrolled(person), signed_in(person)
    return lambda: client.post(NEW_CODES, {"code": oathtool(device.open_seed())})


@emits(SessionEvent.LOGIN_SUCCEEDED)
def signing_in() -> Act:
    person = new_person()
    device, client = enrolled(person), at_login(person)
    return lambda: client.post(VERIFY, {"code": oathtool(device.open_seed())})


@emits(SessionEvent.STEPPED_UP)
def stepping_up() -> Act:
    person = new_person()
    device, client = enrolled(person), signed_in(person)
    AccountSession.objects.update(proof_at=timezone.now() - timedelta(minutes=20))
    question = client.get(SESSIONS)["Location"]
    return lambda: client.post(question, {"way": "totp", "code": oathtool(device.open_seed())})


@emits(SessionEvent.SIGNED_OUT)
def signing_out() -> Act:
    client = signed_in(new_person())
    return lambda: client.post(LOGOUT)


@emits(SessionEvent.ACTIVITY_EXPORTED)
def exporting_the_own_log() -> Act:
    client = signed_in(new_person())
    return lambda: b"".join(client.get("/accounts/activity/export.csv"))


@emits(SessionEvent.REVOKED)
def ending_another_session() -> Act:
    person = new_person()
    theirs, client = sign_in(Client(), person), signed_in(person)
    return lambda: client.post(f"{SESSIONS}{theirs.public_id}/end/")


@emits(SessionEvent.OTHERS_REVOKED)
def ending_all_other_sessions() -> Act:
    person = new_person()
    for _ in range(3):
        sign_in(Client(), person)
    client = signed_in(person)
    return lambda: client.post(f"{SESSIONS}end-others/")


@emits(SessionEvent.TRUSTED)
def trusting_a_browser() -> Act:
    person = new_person()
    device, client = enrolled(person), at_login(person)
    form = {"code": oathtool(device.open_seed()), "trust": "on"}
    return lambda: client.post(VERIFY, form)


@emits(SessionEvent.TRUST_WITHDRAWN)
def taking_trust_back() -> Act:
    person = new_person()
    trust_browser(actor=Actor.of(person), session=sign_in(Client(), person))
    client, row = signed_in(person), TrustedBrowser.objects.get(user=person)
    return lambda: client.post(f"{SESSIONS}trusted/{row.public_id}/forget/")


@emits(SessionEvent.EXPIRED)
def coming_back_too_late() -> Act:
    client = signed_in(new_person())
    AccountSession.objects.update(last_seen_at=timezone.now() - timedelta(minutes=31))
    return lambda: [client.get(SESSIONS) for _ in range(3)]
