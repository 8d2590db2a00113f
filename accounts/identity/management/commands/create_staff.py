"""``manage.py create_staff``: the first member of the staff, and any later one. Sets no password."""

from __future__ import annotations

from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.identity.actions import people
from accounts.identity.forms import AddressField, NameField
from accounts.identity.models import StaffAssignment
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError


class Command(BaseCommand):
    help = "Makes a staff account with roles and mails its owner a link to choose a password."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")
        parser.add_argument("--name", required=True)
        parser.add_argument(
            "--role", action="append", required=True, choices=StaffAssignment.Role.values, dest="roles"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            user = people.create_staff(
                actor=Actor.system("create_staff"),
                email=AddressField(autocomplete="off").clean(options["email"]),
                name=NameField().clean(options["name"]),
                roles=[StaffAssignment.Role(role) for role in options["roles"]],
            )
        except ValidationError as error:
            raise CommandError(" ".join(error.messages)) from error
        except DomainError as error:
            raise CommandError(error.sentence()) from error
        if user.has_usable_password():
            self.stdout.write(f"{user.email} already chose a password; the roles are up to date.")
        else:
            self.stdout.write(f"A link to choose a password is on its way to {user.email}.")
