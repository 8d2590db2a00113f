"""People are brought to rotate: once, in time, and not by mistake."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.credentials.actions import revoke_key, rotate_key
from accounts.credentials.models import ApiKey
from accounts.organizations.models import Membership
from accounts.rotation import actions, planning, queries
from accounts.rotation.kinds import kinds
from accounts.rotation.models import Digest, Reminder
from kellexa_portal.audit import Stream
from kellexa_portal.core.actor import Actor
from kellexa_portal.mail import body
from kellexa_portal.mail.models import OutboxMail
from tests.factories.audit_support import recorded
from tests.factories.credentials import aged, api_key, issued, personal, resealed
from tests.factories.organizations import founder, member

pytestmark = pytest.mark.django_db

DAY = timedelta(days=1)
SYSTEM = Actor.system("rotation")
KIND = "rotation.digest"


def _weekday_at_nine(after: datetime | None = None) -> datetime:
    """The next Wednesday, 10:00 UTC: a time at which digests go out for people in UTC."""
    start = (after or timezone.now()).astimezone(UTC)
    days = (2 - start.weekday()) % 7 or 7
    return (start + days * DAY).replace(hour=10, minute=0, second=0, microsecond=0)


def _ending(by: Membership, *, after: timedelta, now: datetime, **fields: object) -> ApiKey:
    key = api_key(by, **fields)
    created = now + after - 90 * DAY
    key.created_at, key.expires_at = created, now + after
    return resealed(key)


def _digests_to(place: Membership) -> list[OutboxMail]:
    return list(OutboxMail.objects.filter(kind=KIND, recipient=place.user.email).order_by("pk"))


def _sweep(now: datetime) -> actions.Sweep:
    return actions.sweep(actor=SYSTEM, now=now)


def test_a_key_near_its_end_is_told_to_its_owner_in_the_mornings_digest() -> None:
    owner, now = founder(), _weekday_at_nine()
    key = _ending(owner, after=10 * DAY, now=now, name="Nightly export")

    done = _sweep(now)

    assert done.mails == 1
    [mail] = _digests_to(owner)
    text = body.of(mail).text
    assert "Nightly export" in text
    assert key.masked in text
    assert f"/accounts/keys/{key.key_id}/" in text
    assert "key.reminder.send" in recorded(Stream.organization(owner.organization.public_id))


def test_a_second_sweep_plans_and_sends_nothing() -> None:
    owner, now = founder(), _weekday_at_nine()
    _ending(owner, after=10 * DAY, now=now)
    _sweep(now)

    again = _sweep(now + timedelta(minutes=1))

    assert (again.planned, again.mails) == (0, 0)
    assert len(_digests_to(owner)) == 1


def test_many_keys_make_one_mail_a_day() -> None:
    owner, now = founder(), _weekday_at_nine()
    for days in (10, 12, 25):
        _ending(owner, after=days * DAY, now=now, name=f"Key of {days} days")
    _sweep(now)
    _ending(owner, after=13 * DAY, now=now, name="A late one")

    _sweep(now + timedelta(hours=2))
    _sweep(now + DAY)

    first, second = _digests_to(owner)
    assert "Key of 25 days" in body.of(first).text
    assert "A late one" in body.of(second).text


@pytest.mark.parametrize("hour", [0, 8])
def test_nothing_ordinary_goes_out_before_nine(hour: int) -> None:
    owner, now = founder(), _weekday_at_nine().replace(hour=hour)
    _ending(owner, after=10 * DAY, now=now)

    assert _sweep(now).mails == 0
    assert _digests_to(owner) == []


def test_nothing_ordinary_goes_out_on_a_sunday() -> None:
    owner, sunday = founder(), _weekday_at_nine() - 3 * DAY
    _ending(owner, after=10 * DAY, now=sunday)

    assert _sweep(sunday).mails == 0


def test_what_ends_within_a_day_is_told_at_once_at_night_and_on_a_sunday() -> None:
    owner, sunday = founder(), (_weekday_at_nine() - 3 * DAY).replace(hour=3)
    _ending(owner, after=timedelta(hours=20), now=sunday)

    assert _sweep(sunday).mails == 1


def test_after_an_outage_only_the_nearest_stage_is_told() -> None:
    owner, now = founder(), _weekday_at_nine()
    _ending(owner, after=2 * DAY, now=now)

    _sweep(now)

    assert list(Reminder.objects.values_list("stage", flat=True)) == [3]


def test_a_stage_that_was_planned_and_overtaken_is_dropped() -> None:
    owner, night = founder(), _weekday_at_nine().replace(hour=2)
    _ending(owner, after=7 * DAY + timedelta(hours=1), now=night)
    _sweep(night)

    _sweep(night + timedelta(hours=8))

    states = dict(Reminder.objects.values_list("stage", "state"))
    assert states == {14: Reminder.State.DROPPED, 7: Reminder.State.SENT}


def test_a_rotated_key_is_not_told_any_more() -> None:
    owner, now = founder(), _weekday_at_nine()
    night = now.replace(hour=2)
    key = _ending(owner, after=10 * DAY, now=now)
    _sweep(night)
    rotate_key(actor=Actor.of(owner.user), by=owner, key=key)

    done = _sweep(now)

    assert (done.dropped, done.mails) == (1, 0)


def test_a_revoked_key_is_not_told_any_more() -> None:
    owner, now = founder(), _weekday_at_nine()
    key = _ending(owner, after=10 * DAY, now=now)
    _sweep(now.replace(hour=2))
    revoke_key(actor=Actor.of(owner.user), by=owner, key=key, reason=ApiKey.RevokeReason.values[0])

    assert _sweep(now).mails == 0


def test_a_key_revoked_between_plan_and_mail_is_not_told() -> None:
    owner, now = founder(), _weekday_at_nine()
    kept, gone = (_ending(owner, after=10 * DAY, now=now, name=name) for name in ("Kept", "Gone"))
    _sweep(now.replace(hour=2))
    revoke_key(actor=Actor.of(owner.user), by=owner, key=gone, reason="unused")

    actions.send_daily(actor=SYSTEM, user_id=owner.user.pk, now=now)

    states = dict(Reminder.objects.values_list("subject_id", "state"))
    assert states == {kept.key_id: Reminder.State.SENT, gone.key_id: Reminder.State.DROPPED}
    assert "Gone" not in body.of(_digests_to(owner)[0]).text


@pytest.mark.parametrize(
    ("after", "subject"),
    [
        (10 * DAY, "Rotate “Export” in 10 days"),
        (DAY, "Rotate “Export” in 1 day"),
        (timedelta(hours=20), "Rotate “Export” in 20 hours"),
        (timedelta(minutes=40), "Rotate “Export” in 1 hour"),
        (-timedelta(hours=1), "Overdue: rotate “Export”"),
    ],
)
def test_the_subject_is_one_sentence(after: timedelta, subject: str) -> None:
    owner, now = founder(), _weekday_at_nine()
    _ending(owner, after=after, now=now, name="Export")

    _sweep(now)

    [mail] = _digests_to(owner)
    assert mail.subject == subject


def test_the_digest_names_the_kind_of_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    owner, now = founder(), _weekday_at_nine()
    _ending(owner, after=10 * DAY, now=now, name="Export")
    monkeypatch.setattr(queries, "kind_named", lambda _name: replace(kinds()[0], label="Signing key"))

    _sweep(now)

    [mail] = _digests_to(owner)
    content = body.of(mail)
    assert "Signing key “Export” of" in content.text
    assert "Signing key “Export” of" in content.html


def test_the_circle_widens_to_contacts_and_owners() -> None:
    owner, now = founder(), _weekday_at_nine()
    admin = member(owner.organization, Membership.Role.ADMIN)
    contact = member(owner.organization, Membership.Role.MEMBER)
    _ending(admin, after=5 * DAY, now=now, contacts=[contact.user])

    _sweep(now)
    assert (len(_digests_to(admin)), len(_digests_to(contact)), len(_digests_to(owner))) == (1, 1, 0)
    _sweep(now + 2 * DAY)

    assert (len(_digests_to(admin)), len(_digests_to(contact)), len(_digests_to(owner))) == (2, 2, 1)


def test_a_key_whose_owner_is_gone_reaches_the_organizations_owners_early() -> None:
    owner, now = founder(), _weekday_at_nine()
    admin = member(owner.organization, Membership.Role.ADMIN)
    _ending(admin, after=20 * DAY, now=now)
    admin.user.is_active = False
    admin.user.save(update_fields=["is_active"])

    _sweep(now)

    assert len(_digests_to(owner)) == 1
    assert _digests_to(admin) == []


def test_a_person_who_left_the_organization_is_not_told() -> None:
    owner, now = founder(), _weekday_at_nine()
    contact = member(owner.organization, Membership.Role.MEMBER)
    _ending(owner, after=5 * DAY, now=now, contacts=[contact.user])
    contact.delete()

    _sweep(now)

    assert _digests_to(contact) == []


def test_another_organizations_people_are_not_told() -> None:
    owner, stranger, now = founder(), founder(), _weekday_at_nine()
    _ending(owner, after=DAY, now=now)

    _sweep(now)

    assert _digests_to(stranger) == []


def test_a_key_past_its_greatest_age_is_told_every_week() -> None:
    owner, now = founder(), _weekday_at_nine()
    key = api_key(owner)
    key.created_at, key.expires_at = now - 100 * DAY, now + 200 * DAY
    resealed(key)

    for day in range(15):
        _sweep(now + day * DAY)

    stages = list(Reminder.objects.order_by("pk").values_list("stage", flat=True))
    assert stages == [-7, -14, -21]


def test_a_dead_key_is_told_once_and_not_every_week() -> None:
    owner, now = founder(), _weekday_at_nine()
    _ending(owner, after=-timedelta(hours=1), now=now)

    for day in range(10):
        _sweep(now + day * DAY)

    assert list(Reminder.objects.values_list("stage", flat=True)) == [0]
    assert len(_digests_to(owner)) == 1


def test_an_edit_that_moves_no_date_tells_nobody_twice() -> None:
    owner, now = founder(), _weekday_at_nine()
    _ending(owner, after=10 * DAY, now=now)
    _sweep(now)
    actions.change_policy(actor=Actor.of(owner.user), membership=owner, max_age_days=180, stages=[14, 7])

    _sweep(now + DAY)

    assert len(_digests_to(owner)) == 1


def test_a_shorter_age_begins_a_new_plan() -> None:
    owner, now = founder(), _weekday_at_nine()
    key = api_key(owner)
    aged(key, created_ago=timedelta(days=40), lifetime=timedelta(days=300))
    _sweep(now)
    assert _digests_to(owner) == []
    actions.change_policy(actor=Actor.of(owner.user), membership=owner, max_age_days=30, stages=[])

    _sweep(now)

    assert len(_digests_to(owner)) == 1


def test_a_clock_set_back_sends_nothing_twice() -> None:
    owner, now = founder(), _weekday_at_nine()
    _ending(owner, after=10 * DAY, now=now)
    _sweep(now)

    _sweep(now - timedelta(hours=1))
    _sweep(now)

    assert len(_digests_to(owner)) == 1


def test_a_digest_whose_transaction_fails_leaves_its_reminders_planned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    owner, now = founder(), _weekday_at_nine()
    _ending(owner, after=10 * DAY, now=now)
    with monkeypatch.context() as patch:
        patch.setattr(actions, "send_rotation_digest", _die)
        with pytest.raises(KeyboardInterrupt):
            _sweep(now)
    assert Reminder.objects.get().state == Reminder.State.PLANNED
    assert not Digest.objects.exists()

    _sweep(now)

    assert len(_digests_to(owner)) == 1


def _die(**_: object) -> None:
    raise KeyboardInterrupt


def test_each_kind_plans_in_two_statements_however_many_keys(django_assert_num_queries) -> None:
    owner, now = founder(), _weekday_at_nine()
    for _ in range(6):
        _ending(owner, after=10 * DAY, now=now)

    with django_assert_num_queries(2):
        planning.plan(kinds()[0], now=now)
        planning.drop_stale(kinds()[0], now=now)

    assert Reminder.objects.count() == 6


def test_a_mail_never_holds_the_token() -> None:
    owner, now = founder(), _weekday_at_nine()
    made = personal(owner)
    key = made.key
    key.created_at, key.expires_at = now - 85 * DAY, now + 5 * DAY
    resealed(key)
    other = issued(owner)

    _sweep(now)

    [mail] = _digests_to(owner)
    content = body.of(mail)
    assert made.token not in content.text + content.html
    assert other.token not in content.text + content.html
