"""``manage.py create_gateway_key EMAIL``: the key with which Kellexa's gateway verifies all others."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.credentials.actions import create_gateway_key
from accounts.identity.models import User
from kellexa_portal.core.actor import Actor
from kellexa_portal.core.errors import DomainError


class Command(BaseCommand):
    """Founds the platform organization with this person as owner if there is none, and issues a key."""

    help = (
        "Issues the gateway's key to EMAIL, an account that signed up like any other, and prints the token "
        "once. Redirect it into your secret store."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("email")

    def handle(self, *args: Any, **options: Any) -> None:
        email = options["email"]
        owner = User.objects.with_email(email).filter(is_staff=False, is_active=True).first()
        if owner is None:
            raise CommandError(f"No active customer account has the address {email}; sign up first.")
        try:
            issued = create_gateway_key(actor=Actor.system("create_gateway_key"), owner=owner)
        except DomainError as error:
            raise CommandError(error.sentence()) from error
        self.stdout.write(issued.token)
