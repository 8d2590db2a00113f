"""Loads the account of a session, and nothing else."""

from __future__ import annotations

from django.contrib.auth.backends import BaseBackend

from accounts.identity.models import User


class SessionBackend(BaseBackend):
    """Finds who is signed in. Takes no password and knows no permission.

    Django's ``ModelBackend`` would do both: a row in ``user_permissions`` would be a right that no role
    gives, and ``authenticate`` a way in past the limits and the second factor.
    """

    def get_user(self, user_id: int) -> User | None:
        return User.objects.filter(pk=user_id, is_active=True).first()
