"""Names a browser for its owner: "Firefox on Linux"."""

from __future__ import annotations

import ua_parser
from django.utils.translation import gettext as _

MAX_LABEL = 80


def label_of(user_agent: str) -> str:
    """A short label for a User-Agent header, or an empty text when it names nothing known.

    The header is the client's own claim: it helps a person to recognise a session and decides nothing.
    """
    found = ua_parser.parse(user_agent)
    browser = found.user_agent.family if found.user_agent else ""
    system = found.os.family if found.os else ""
    if browser and system:
        label = _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    else:
        label = browser or system
    return label[:MAX_LABEL]
