"""The pages of one key: rotating, revoking, its contacts and whom the mails tell."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
import time_machine
from django.test import Client
from django.utils import timezone

from accounts.credentials import actions
from accounts.credentials.models import ApiKey
from accounts.organizations.models import Membership
from accounts.sessions.models import AccountSession
from kellexa_portal.audit import Stream
from kellexa_portal.core.actor import Actor
from kellexa_portal.mail import body
from kellexa_portal.mail.models import OutboxMail
from tests.accounts.credentials.pages import TOKEN, rotate, typed, url_of
from tests.factories import credentials, organizations, sign_in
from tests.factories.audit_support import recorded

pytestmark = pytest.mark.django_db


# --- Rotating ------------------------------------------------------------------------------------


def test_rotating_shows_the_successor_once_and_says_until_when_the_old_key_works(
    client: Client, place: Membership
) -> None:
    issued = credentials.issued(place)

    sign_in.may(client, "key.rotate", issued.key.key_id)
    asked = client.get(url_of(issued.key, "rotate/"))
    answer = client.post(url_of(issued.key, "rotate/"), {"overlap": "3600"}, follow=True)

    token = TOKEN.search(answer.content.decode())
    old = ApiKey.objects.get(pk=issued.key.pk)
    assert asked.status_code == 200
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    assert token is not None
    assert token[0] != issued.token
    assert timedelta(minutes=59) < old.expires_at - timezone.now() <= timedelta(hours=1)
    assert re.search(r"works until\s+<time[^>]*>.+?</time>\.", answer.content.decode(), re.DOTALL)


def test_each_choice_of_an_end_is_a_sentence_with_its_moment(client: Client, place: Membership) -> None:
    place.user.time_zone = "Europe/Berlin"
    place.user.save()
    key = credentials.api_key(place)

    with time_machine.travel("2026-11-23T12:00:07Z", tick=False):
        ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now() + timedelta(hours=30))
        sign_in.sign_in(client, place.user)
        sign_in.may(client, "key.rotate", key.key_id)
        form = client.get(url_of(key, "rotate/")).context["form"]

    assert [label for _, label in form.fields["overlap"].choices] == [
        "Now",
        "In an hour, on 23 Nov 2026, 14:00 CET",
        "In 24 hours, on 24 Nov 2026, 13:00 CET",
        "At its own expiry, on 24 Nov 2026, 19:00 CET",
    ]


def test_a_rotation_sent_twice_shows_no_token_again(client: Client, place: Membership) -> None:
    key = credentials.api_key(place)
    first = rotate(client, key, {"overlap": "0"})

    again = rotate(client, key, {"overlap": "0"})

    shown = [TOKEN.findall(client.get(page["Location"]).content.decode()) for page in (first, again)]
    assert (again.status_code, again["Location"]) == (303, first["Location"])
    assert [len(tokens) for tokens in shown] == [1, 0]
    assert ApiKey.objects.count() == 2


def test_a_rotation_needs_a_factor_shown_for_this_key_alone(client: Client, place: Membership) -> None:
    key, other = credentials.api_key(place), credentials.api_key(place)
    sign_in.may(client, "key.rotate", other.key_id)

    seen = client.get(url_of(key, "rotate/"))
    sent = client.post(url_of(key, "rotate/"), {"overlap": "0"})

    assert [answer["Location"].startswith("/accounts/verify/?q=") for answer in (seen, sent)] == [True, True]
    assert ApiKey.objects.count() == 2


def test_the_choice_survives_the_step_up(client: Client, place: Membership) -> None:
    key = credentials.api_key(place)
    page = url_of(key, "rotate/")
    question = client.post(page, {"overlap": "3600"})["Location"]
    code = sign_in.totp_now(sign_in.enrolled(place.user))

    back = client.post(question, {"way": "totp", "code": code}, follow=True)

    assert back.redirect_chain == [(page, 303)]
    assert back.context["form"]["overlap"].value() == "3600"
    assert client.post(page, {"overlap": "3600"})["Location"].endswith("/token/")
    assert ApiKey.objects.count() == 2


@pytest.mark.parametrize("path", ["create/", "{key}/revoke/", "{key}/contacts/", "{key}/rotate/"])
def test_an_open_screen_changes_no_key(client: Client, place: Membership, path: str) -> None:
    """ASVS 7.5.1: a session whose factor was shown long ago is asked again, and nothing happens before."""
    key = credentials.api_key(place)
    AccountSession.objects.update(factor_at=timezone.now() - timedelta(minutes=10))

    answer = client.post("/accounts/keys/" + path.format(key=key.key_id), typed(reason="leaked", overlap="0"))

    assert answer["Location"].startswith("/accounts/verify/?q=")
    assert ApiKey.objects.get().revoked_at is None


@pytest.mark.parametrize("overlap", ["", "-1", "604801", "9" * 30, "soon"])
def test_another_overlap_is_refused(client: Client, place: Membership, overlap: str) -> None:
    key = credentials.api_key(place)

    answer = rotate(client, key, {"overlap": overlap})

    assert answer.status_code == 422
    assert ApiKey.objects.count() == 1


def test_a_third_living_key_of_a_line_needs_the_first_to_end(client: Client, place: Membership) -> None:
    first = credentials.api_key(place)
    second = actions.rotate_key(actor=Actor.of(place.user), by=place, key=first).key

    refused = rotate(client, second, {"overlap": "3600"})
    forced = rotate(client, second, {"overlap": "3600", "force": "on"})

    assert refused.status_code == 422
    assert first.masked in refused.content.decode()
    assert forced["Location"].endswith("/token/")
    assert ApiKey.objects.get(pk=first.pk).expires_at <= timezone.now()
    assert ApiKey.objects.live(timezone.now()).count() == 2


def test_a_rotated_key_shows_its_line(client: Client, place: Membership) -> None:
    key = credentials.api_key(place)
    successor = actions.rotate_key(actor=Actor.of(place.user), by=place, key=key).key

    page = client.get(url_of(successor)).content.decode()

    assert key.masked in page
    assert "Being replaced" in page


# --- Revoking ------------------------------------------------------------------------------------


def test_revoking_names_the_key_and_ends_it(client: Client, place: Membership) -> None:
    key = credentials.api_key(place, name="Deploy bot")

    asked = client.get(url_of(key, "revoke/")).content.decode()
    answer = client.post(url_of(key, "revoke/"), {"reason": "leaked"})

    key.refresh_from_db()
    assert "Deploy bot" in asked
    assert "Revoke key" in asked
    assert answer.status_code == 302
    assert (key.revoked_by, key.revoke_reason, key.state) == (place.user, "leaked", "revoked")
    assert "key.revoked" in recorded(Stream.organization(place.organization.public_id))


@pytest.mark.parametrize("reason", ["", "because", "leaked\x7f"])
def test_a_revocation_needs_one_of_the_reasons(client: Client, place: Membership, reason: str) -> None:
    key = credentials.api_key(place)

    answer = client.post(url_of(key, "revoke/"), {"reason": reason})

    assert answer.status_code == 422
    assert ApiKey.objects.get().revoked_at is None


@pytest.mark.parametrize("page", ["revoke/", "rotate/"])
def test_a_revoked_key_leads_back_to_its_page(client: Client, place: Membership, page: str) -> None:
    key = credentials.api_key(place)
    client.post(url_of(key, "revoke/"), {"reason": "leaked"})

    again = client.post(url_of(key, page), {"reason": "unused", "overlap": "0"})

    assert (again.status_code, again.headers["Location"]) == (302, url_of(key))
    assert client.get(url_of(key, page)).headers["Location"] == url_of(key)
    assert ApiKey.objects.get().revoke_reason == "leaked"


# --- Contacts and mails --------------------------------------------------------------------------


def test_contacts_are_saved_and_hear_of_the_key(client: Client, place: Membership) -> None:
    colleague = organizations.member(place.organization)
    key = credentials.api_key(place)

    answer = client.post(url_of(key, "contacts/"), {"contacts": [str(colleague.user.public_id)]})
    client.post(url_of(key, "revoke/"), {"reason": "leaked"})

    assert answer.status_code == 302
    told = OutboxMail.objects.filter(kind="credentials.key_revoked").values_list("recipient", flat=True)
    assert set(told) == {place.user.email, colleague.user.email}


def test_a_new_contact_is_told_once_each_time_they_are_added(client: Client, place: Membership) -> None:
    colleague = organizations.member(place.organization)
    key = credentials.api_key(place)
    chosen = {"contacts": [str(colleague.user.public_id)]}

    for contacts in (chosen, chosen, {}, chosen):
        client.post(url_of(key, "contacts/"), contacts)

    told = OutboxMail.objects.filter(kind="credentials.contact_added").values_list("recipient", flat=True)
    assert list(told) == [colleague.user.email] * 2


def test_an_auditor_changes_no_contacts_and_the_attempt_is_on_record(
    client: Client, place: Membership
) -> None:
    key = credentials.api_key(place)
    auditor = organizations.member(place.organization, Membership.Role.AUDITOR)
    sign_in.sign_in(client, auditor.user)

    answer = client.post(url_of(key, "contacts/"), {"contacts": [str(auditor.user.public_id)]})

    assert answer.status_code == 403
    assert not key.contact_rows.exists()
    assert recorded(Stream.organization(place.organization.public_id))[-1] == "key.access.denied"


def test_a_person_whose_zone_this_system_does_not_know_is_told_in_utc(place: Membership) -> None:
    place.user.time_zone = "Moon/Tranquility"
    place.user.save()

    credentials.api_key(place)

    assert "UTC" in body.of(OutboxMail.objects.get(kind="credentials.key_created")).text


def test_a_contact_of_another_organization_is_refused(client: Client, place: Membership) -> None:
    key = credentials.api_key(place)
    stranger = organizations.founder()

    answer = client.post(url_of(key, "contacts/"), {"contacts": [str(stranger.user.public_id)]})

    assert answer.status_code == 422
    assert not key.contact_rows.exists()


@pytest.mark.parametrize("kind", ["key_created", "key_rotated", "key_revoked"])
def test_the_owner_is_told_of_each_step(client: Client, place: Membership, kind: str) -> None:
    key = credentials.api_key(place)
    if kind == "key_rotated":
        rotate(client, key, {"overlap": "3600"})
    if kind == "key_revoked":
        client.post(url_of(key, "revoke/"), {"reason": "leaked"})

    mails = OutboxMail.objects.filter(kind=f"credentials.{kind}")

    assert [mail.recipient for mail in mails] == [place.user.email]
