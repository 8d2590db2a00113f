"""Where a person arrives after signing in."""

from __future__ import annotations

from django.urls import reverse

from accounts.identity.models import User
from kellexa_portal.web.redirects import is_safe_path


def landing_of(user: User, wanted: str) -> str:
    """``wanted`` if it is a path of this site that this kind of account can open, else its first page.

    Staff and customers have disjoint pages; sending one to the other's would end at a 404 (or, for the
    admin's own sign-in, in a circle). Whoever comes back to a locked account without a wish sees what was
    stopped.
    """
    staff_root = reverse("admin:index")
    if is_safe_path(wanted) and wanted.startswith(staff_root) is user.is_staff:
        return wanted
    if user.locked_at is not None:
        return reverse("lockdown:page")
    return staff_root if user.is_staff else reverse("overview:checkup")
