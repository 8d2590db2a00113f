"""What the operator and the staff do to accounts, and what they cannot."""

from __future__ import annotations

import pytest
from django.core.management import CommandError, call_command
from django.test import Client

from accounts.identity.access import NotPermittedError
from accounts.identity.actions import people
from accounts.identity.models import StaffAssignment, User
from kellexa_portal.audit import Stream
from kellexa_portal.core.actor import Actor
from tests.accounts.identity.mailbox import kinds_to, path_to
from tests.factories import accounts
from tests.factories.audit_support import recorded
from tests.factories.sign_in import sign_in

pytestmark = pytest.mark.django_db

LIST = "/admin/accounts/user/"
EMAIL = "sam@staff.example"
NEW = "copper-thistle-monsoon-41"


@pytest.fixture
def administrator() -> Client:
    browser = Client()
    sign_in(browser, accounts.staff(StaffAssignment.Role.ADMINISTRATOR, email="admin@staff.example"))
    return browser


def _act(client: Client, action: str, user: User):
    return client.post(LIST, {"action": action, "_selected_action": [user.pk], "confirmed": "yes"})


def test_the_command_makes_a_staff_account_and_mails_a_link() -> None:
    call_command("create_staff", EMAIL, "--name", "Sam Staff", "--role", "administrator", "--role", "dpo")

    user = User.objects.get()
    assert user.is_staff
    assert not user.is_superuser
    assert not user.has_usable_password()
    assert set(user.assignments.values_list("role", flat=True)) == {"administrator", "dpo"}
    assert kinds_to(EMAIL) == ["accounts.staff_invitation"]
    assert recorded(Stream.staff()) == ["staff.account.create", "staff.role.grant", "staff.role.grant"]


def test_the_link_sets_the_first_password_and_the_factor_comes_next(client: Client) -> None:
    call_command("create_staff", EMAIL, "--name", "Sam Staff", "--role", "triager")

    client.post(path_to(EMAIL), {"new_password": NEW})
    response = client.post("/accounts/login/", {"email": EMAIL, "password": NEW})

    assert response["Location"] == "/accounts/login/verify/"
    assert User.objects.get().email_confirmed_at is not None


def test_the_command_repeated_adds_roles_and_mails_only_who_has_no_password() -> None:
    person = accounts.staff(StaffAssignment.Role.TRIAGER, email=EMAIL)

    call_command("create_staff", EMAIL, "--name", "Sam Staff", "--role", "dpo")

    assert set(person.assignments.values_list("role", flat=True)) == {"triager", "dpo"}
    assert kinds_to(EMAIL) == []


def test_a_customers_address_is_refused() -> None:
    accounts.user(email=EMAIL)

    with pytest.raises(CommandError):
        call_command("create_staff", EMAIL.upper(), "--name", "Sam Staff", "--role", "dpo")

    assert not User.objects.get().is_staff


@pytest.mark.parametrize(
    "arguments", [["no address", "--role", "dpo"], [EMAIL, "--role", "emperor"], [EMAIL]]
)
def test_a_bad_command_line_makes_nothing(arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("create_staff", *arguments, "--name", "Sam Staff")

    assert not User.objects.exists()


def test_the_list_shows_people_and_never_a_hash(administrator: Client) -> None:
    user = accounts.user()

    pages = (
        administrator.get(LIST).content.decode()
        + administrator.get(f"{LIST}{user.pk}/change/").content.decode()
    )

    assert user.email in pages
    assert "argon2" not in pages
    assert 'name="password"' not in pages


def test_the_admin_can_neither_add_nor_change_nor_delete(administrator: Client) -> None:
    user = accounts.user()

    assert administrator.get(f"{LIST}add/").status_code == 403
    assert administrator.get(f"{LIST}{user.pk}/delete/").status_code == 403
    assert administrator.post(f"{LIST}{user.pk}/change/", {"is_staff": "on"}).status_code == 403
    assert administrator.get(f"{LIST}{user.pk}/password/").status_code in {302, 404}
    assert "delete_selected" not in administrator.get(LIST).content.decode()
    user.refresh_from_db()
    assert not user.is_staff


def test_deactivating_asks_once_more_and_names_the_people(administrator: Client) -> None:
    user = accounts.user()

    asked = administrator.post(LIST, {"action": "deactivate_selected", "_selected_action": [user.pk]})

    user.refresh_from_db()
    assert user.is_active
    assert user.email in asked.content.decode()
    assert "can’t sign in until they are reactivated" in asked.content.decode()


def test_reactivating_lets_the_person_sign_in_anew(administrator: Client) -> None:
    user, mine = accounts.user(), Client()
    sign_in(mine, user)
    _act(administrator, "deactivate_selected", user)

    _act(administrator, "reactivate_selected", user)

    assert mine.get("/accounts/password/").status_code == 302
    answer = Client().post("/accounts/login/", {"email": user.email, "password": accounts.PASSWORD})
    assert answer["Location"] == "/accounts/login/verify/"
    assert "account.access.reactivate" in recorded(Stream.user(user.public_id))


def test_an_administrator_cannot_shut_the_own_account(administrator: Client) -> None:
    myself = User.objects.get(email="admin@staff.example")

    response = administrator.post(
        LIST,
        {"action": "deactivate_selected", "_selected_action": [myself.pk], "confirmed": "yes"},
        follow=True,
    )

    assert "your own account" in response.content.decode()
    myself.refresh_from_db()
    assert myself.is_active


def test_who_may_only_look_has_no_such_action(client: Client) -> None:
    user = accounts.user()
    sign_in(client, accounts.staff(StaffAssignment.Role.PLATFORM_AUDITOR))

    assert user.email in client.get(LIST).content.decode()
    _act(client, "deactivate_selected", user)
    user.refresh_from_db()
    assert user.is_active


@pytest.mark.parametrize("role", [StaffAssignment.Role.TRIAGER, StaffAssignment.Role.PUBLISHER])
def test_other_staff_do_not_see_people(client: Client, role: str) -> None:
    sign_in(client, accounts.staff(role))

    assert client.get(LIST).status_code == 403


@pytest.mark.parametrize("kind", ["anonymous", "customer", "system", "auditor", "inactive"])
def test_the_action_itself_asks_who_acts(kind: str) -> None:
    user = accounts.user()
    actors = {
        "anonymous": Actor.anonymous,
        "customer": lambda: Actor.of(accounts.user()),
        "system": lambda: Actor.system("rotation"),
        "auditor": lambda: Actor.of(accounts.staff(StaffAssignment.Role.PLATFORM_AUDITOR)),
        "inactive": lambda: Actor.of(accounts.staff(is_inactive=True)),
    }

    with pytest.raises(NotPermittedError):
        people.deactivate(actor=actors[kind](), user=user)

    user.refresh_from_db()
    assert user.is_active


def test_no_administrator_makes_staff_only_the_operator_does() -> None:
    administrator = accounts.staff(StaffAssignment.Role.ADMINISTRATOR, email="admin@staff.example")

    with pytest.raises(NotPermittedError):
        people.create_staff(
            actor=Actor.of(administrator), email=EMAIL, name="Sam", roles=[StaffAssignment.Role.DPO]
        )

    assert not User.objects.filter(email=EMAIL).exists()
