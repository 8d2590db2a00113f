"""``manage.py demo [--json]``: creates or completes the demo data and prints every sign-in and token."""

from __future__ import annotations

import json
from base64 import b32encode
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import transaction

from kellexa_portal.dev.demo import book as books
from kellexa_portal.dev.demo.keys import ensure_gateway, ensure_keys, token_of
from kellexa_portal.dev.demo.people import ensure_people
from kellexa_portal.dev.demo.recoveries import ensure_recovery


class Command(BaseCommand):
    """Fills a development database with invented people; refuses anywhere else."""

    help = "Creates or completes the demo data, idempotently, and prints every demo sign-in and token."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DEVELOPMENT:
            raise CommandError("The demo data exists in development mode only.")
        facts = self._ensure()
        self.stdout.write(json.dumps(facts, indent=2) if options["json"] else _table(facts))

    def _ensure(self) -> dict[str, Any]:
        with transaction.atomic(), books.opened(settings.STATE_DIR / "demo.json") as book:
            people = ensure_people(book)
            keys = ensure_keys(book)
            gateway = ensure_gateway(book)
            ensure_recovery()
            return {
                "accounts": [
                    {
                        "email": person.user.email,
                        "password": book.password_of(person.user.email),
                        "totp_secret": b32encode(book.seed_of(person.user.email)).decode(),
                        "role": str(person.role),
                        "organization": person.organization,
                    }
                    for person in people
                ],
                "keys": [
                    {
                        "token": token_of(book, key),
                        "organization": key.organization.name,
                        "scope": " ".join(key.scopes),
                        "state": key.state.value,
                    }
                    for key in keys
                ],
                "gateway_token": gateway,
            }


def _table(facts: dict[str, Any]) -> str:
    lines = ["Demo sign-ins (the authenticator's secret is for `oathtool --totp -b SECRET`):", ""]
    for account in facts["accounts"]:
        place = account["organization"] or "-"
        lines.append(
            f"  {account['email']:38} {account['password']:28} {account['totp_secret']}"
            f"  {account['role']}, {place}"
        )
    lines += ["", "Demo API keys:", ""]
    for key in facts["keys"]:
        lines.append(f"  {key['token']}  {key['organization']:8} {key['state']:9} {key['scope']}")
    lines += ["", f"Gateway token: {facts['gateway_token']}"]
    return "\n".join(lines)
