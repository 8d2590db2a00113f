"""A real SMTP server (aiosmtpd) that keeps what it took and can refuse, stall or die on order."""

from __future__ import annotations

import email
import email.policy
import ssl
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session


def _parsed(raw: bytes) -> EmailMessage:
    return email.message_from_bytes(raw, _class=EmailMessage, policy=email.policy.default)


@dataclass
class Orders:
    """What the server shall do next; each list is used up from the front, then it behaves."""

    recipient_answers: list[str] = field(default_factory=list)
    data_answers: list[str] = field(default_factory=list)
    deaths_in_data: int = 0
    before_answer: Callable[[Envelope], None] = lambda envelope: None


class _Handler:
    def __init__(self, orders: Orders) -> None:
        self.orders = orders
        self.taken: list[Envelope] = []
        self.connections = 0
        self.credentials: list[tuple[str, str]] = []

    def authenticate(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, shown: LoginPassword
    ) -> AuthResult:
        """Takes every password and keeps it; it is asked inside TLS alone."""
        self.credentials.append((shown.login.decode(), shown.password.decode()))
        return AuthResult(success=True)

    async def handle_EHLO(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802  # aiosmtpd's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.orders.recipient_answers and (answer := self.orders.recipient_answers.pop(0)):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.orders.data_answers and (answer := self.orders.data_answers.pop(0)):
            return answer
        self.taken.append(envelope)
        self.orders.before_answer(envelope)
        return "250 Taken"


class _DyingSMTP(SMTP):
    """Drops the connection inside DATA while deaths are ordered."""

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802  # aiosmtpd's name
        orders: Orders = self.event_handler.orders
        if orders.deaths_in_data:
            orders.deaths_in_data -= 1
            await self.push("354 Go ahead")
            await self._reader.readline()
            self.transport.abort()
            return
        await super().smtp_DATA(arg)


class _Controller(Controller):
    starttls: ssl.SSLContext | None = None

    def factory(self) -> SMTP:
        return _DyingSMTP(
            self.handler,
            hostname="mail.test",
            enable_SMTPUTF8=False,
            tls_context=self.starttls,
            require_starttls=self.starttls is not None,
            authenticator=self.handler.authenticate,
            auth_require_tls=self.ssl_context is None,  # aiosmtpd knows of TLS by STARTTLS alone
        )

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class SmtpServer:
    """The server on a free port of loopback; a context manager."""

    def __init__(
        self, *, starttls: ssl.SSLContext | None = None, implicit_tls: ssl.SSLContext | None = None
    ) -> None:
        self.orders = Orders()
        self._handler = _Handler(self.orders)
        self._controller = _Controller(self._handler, hostname="127.0.0.1", port=0, ssl_context=implicit_tls)
        self._controller.starttls = starttls
        self.host = "127.0.0.1"

    def __enter__(self) -> Self:
        self._controller.start()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._controller.stop()

    @property
    def port(self) -> int:
        """The port that the system chose."""
        return int(self._controller.port)

    @property
    def connections(self) -> int:
        """How many clients have greeted."""
        return self._handler.connections

    @property
    def credentials(self) -> list[tuple[str, str]]:
        """User and password of every client that showed them, in order."""
        return self._handler.credentials

    @property
    def raw(self) -> list[bytes]:
        """The bytes of every mail taken, in order."""
        return [bytes(envelope.original_content or b"") for envelope in self._handler.taken]

    @property
    def recipients(self) -> list[str]:
        """The envelope recipient of every mail taken, in order."""
        return [envelope.rcpt_tos[0] for envelope in self._handler.taken]

    @property
    def mails(self) -> list[EmailMessage]:
        """Every mail taken, parsed, in order."""
        return [
            email.message_from_bytes(raw, _class=EmailMessage, policy=email.policy.default)
            for raw in self.raw
        ]

    def copies(self) -> Counter[str]:
        """How often each Message-ID was taken."""
        return Counter(str(mail["Message-ID"]) for mail in self.mails)
