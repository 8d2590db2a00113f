"""The sealed body of a mail: where it belongs, how it is written and read."""

from __future__ import annotations

import json
from dataclasses import dataclass
from uuid import UUID

from kellexa_portal.crypto import SYSTEM_SCOPE, Place, open_sealed, seal
from kellexa_portal.mail.models import OutboxMail

PURPOSE = "mail"
TABLE = "mail_outboxmail"
COLUMN = "body"


@dataclass(frozen=True, slots=True, repr=False)
class Body:
    """The two renderings of one mail, equal in content; never shown, since they hold links that act."""

    text: str
    html: str


def scope_of(mail: OutboxMail) -> UUID:
    """Whose data key seals the mail: the person's own where there is a person."""
    return mail.person or SYSTEM_SCOPE


def row_of(mail: OutboxMail) -> UUID:
    """What binds the sealed body to its mail, so that it opens in no other row."""
    return mail.public_id


def _place(mail: OutboxMail) -> Place:
    return Place(
        scope=scope_of(mail),
        purpose=PURPOSE,
        table=TABLE,
        column=COLUMN,
        row=row_of(mail),
    )


def put(mail: OutboxMail, body: Body) -> None:
    """Seals ``body`` into ``mail``, which has its public id and person already."""
    mail.body = seal(json.dumps({"text": body.text, "html": body.html}).encode(), place=_place(mail))


def of(mail: OutboxMail) -> Body:
    """The body of a mail that still has one.

    Raises ``SealedValueError`` if it was made for another mail, ``LookupError`` if it is gone.
    """
    if mail.body is None:
        raise LookupError("This mail's body has been destroyed.")
    parts = json.loads(open_sealed(bytes(mail.body), place=_place(mail)))
    return Body(text=parts["text"], html=parts["html"])
