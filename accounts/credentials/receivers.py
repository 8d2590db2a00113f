"""News from below: what a person held in an organization ends with their place in it."""

from __future__ import annotations

from typing import Any

from accounts.credentials import actions
from accounts.identity.models import User
from accounts.organizations.models import Organization
from kellexa_portal.core.actor import Actor


def end_what_the_person_held(*, organization: Organization, user: User, **kwargs: Any) -> None:
    """Runs inside the transaction that ends the place: whoever reads the list afterwards reads the truth.

    The portal ends it, not who removed the person: an admin may lack the right to a key of another.
    """
    actions.end_person(actor=Actor.system("credentials"), organization=organization, user=user)
