"""``manage.py sweep_rotation [--now ISO]``."""

from __future__ import annotations

from argparse import ArgumentTypeError
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.timezone import is_naive

from accounts.credentials.actions import expire_due
from accounts.rotation import actions
from kellexa_portal.core.actor import Actor


def _instant(text: str) -> datetime:
    try:
        at = parse_datetime(text)
    except ValueError as error:
        raise ArgumentTypeError(f"{text!r} is no instant: {error}") from error
    if at is None or is_naive(at):
        raise ArgumentTypeError(f"{text!r} is no ISO 8601 instant with a zone, such as 2026-05-17T09:00:00Z.")
    return at


class Command(BaseCommand):
    """Runs the sweep once, as the beat does."""

    help = "Plans and sends what is due: rotation reminders and expiries."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--now", type=_instant, help="pretend that it is this instant (ISO 8601 with a zone)"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if options["now"] and options["now"] > timezone.now() and not settings.DEVELOPMENT:
            raise CommandError("Outside development nobody is reminded ahead of the clock.")
        actor = Actor.system("rotation")
        expired = expire_due(actor=actor, now=options["now"])
        done = actions.sweep(actor=actor, now=options["now"])
        self.stdout.write(
            f"planned {done.planned}, dropped {done.dropped}, mails {done.mails}, expired {expired}"
        )
