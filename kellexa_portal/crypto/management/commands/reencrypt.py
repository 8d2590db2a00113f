"""``manage.py reencrypt``: moves every sealed value to the current keys."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from kellexa_portal.crypto import datakeys, reencryption
from kellexa_portal.crypto.kms import wrapper


class Command(BaseCommand):
    """Renews keys; may be interrupted, repeated and run in parallel (docs/adr/0004-crypto.md)."""

    help = "Moves every sealed value to the current keys. May be interrupted, repeated and run in parallel."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--new-data-keys",
            action="store_true",
            help="first retire every data key; to go on after an interruption, run without this option",
        )
        parser.add_argument(
            "--retire-kek",
            metavar="ID",
            help="prove that nothing needs this key-encryption key any more; fails while something does",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        retiring: str | None = options["retire_kek"]
        if retiring is not None and retiring == wrapper().current_id:
            raise CommandError("This is the current key: put another first in KEYRING and restart.")
        if (
            retiring is not None
            and not wrapper().knows(retiring)
            and not reencryption.references_to(retiring)
        ):
            raise CommandError(
                f"KEYRING holds no key {retiring}, and nothing is wrapped under one of that name."
            )
        keys = reencryption.rewrap_data_keys()
        self.stdout.write(f"data keys moved to {wrapper().current_id}: {keys.moved}")
        if options["new_data_keys"]:
            self.stdout.write(f"data keys retired: {reencryption.retire_data_keys()}")
        values = reencryption.move_values()
        self.stdout.write(f"values moved to current data keys: {values.moved}")
        self._refuse_broken([*keys.broken, *values.broken])
        if reencryption.values_behind():
            minutes = int(datakeys.LIFETIME_SECONDS // 60)
            self.stdout.write(
                f"Some values were written meanwhile under former data keys; run again in {minutes} minutes."
            )
        if retiring is not None:
            self._retire(retiring)

    def _refuse_broken(self, broken: list[str]) -> None:
        for line in broken:
            self.stderr.write(line)
        if broken:
            raise CommandError(f"{len(broken)} could not be opened and stay as they are; see above.")

    def _retire(self, kek_id: str) -> None:
        references = reencryption.references_to(kek_id)
        if references:
            raise CommandError(
                f"{references} data keys still need {kek_id}: restart every process and repeat."
            )
        self.stdout.write(
            f"Nothing needs {kek_id}. Remove it from KEYRING once every backup that needs it has aged out."
        )
