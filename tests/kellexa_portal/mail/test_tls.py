"""Delivery over TLS: mail and password go to a server whose certificate is verified, or stay here."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from django.utils import timezone

from kellexa_portal.mail.actions.delivery import deliver_due
from kellexa_portal.mail.models import OutboxMail
from tests.kellexa_portal.mail.conftest import MAIL, Write
from tests.kellexa_portal.mail.smtp_server import SmtpServer

pytestmark = pytest.mark.django_db

MODES = {"EMAIL_USE_TLS": "starttls", "EMAIL_USE_SSL": "implicit_tls"}
USER, PASSWORD = "portal", "a-password-of-the-mail-server"


def _certificate(folder: Path, address: str) -> tuple[Path, Path]:
    """A certificate for ``address`` that its own key has signed, and that key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "mail.test")])
    now = timezone.now()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False
        )
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    stored, secret = folder / "certificate.pem", folder / "key.pem"
    stored.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return stored, secret


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def address() -> str:
    """For whom the server's certificate is."""
    return "127.0.0.1"


@pytest.fixture
def certificate(tmp_path: Path, address: str) -> tuple[Path, Path]:
    return _certificate(tmp_path, address)


@pytest.fixture
def server(settings: Any, mode: str, certificate: tuple[Path, Path]) -> Iterator[SmtpServer]:
    """A server that speaks TLS, which the portal is set to use with a password."""
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*certificate)
    with SmtpServer(**{MODES[mode]: context}) as server:
        settings.EMAIL_BACKEND = "kellexa_portal.mail.backends.SmtpBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = server.host, server.port
        settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = USER, PASSWORD
        settings.EMAIL_TIMEOUT = 5
        setattr(settings, mode, True)
        yield server


@pytest.fixture
def _trusted(monkeypatch: pytest.MonkeyPatch, certificate: tuple[Path, Path]) -> None:
    """The certificate stands among those that the machine trusts."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate[0]))


@pytest.mark.usefixtures("_trusted")
def test_mail_and_password_go_to_a_server_that_is_trusted(write: Write, server: SmtpServer) -> None:
    mail = write()

    deliver_due(actor=MAIL)

    mail.refresh_from_db()
    assert mail.state == OutboxMail.State.SENT
    assert [arrived["Message-ID"] for arrived in server.mails] == [mail.message_id]
    assert server.credentials == [(USER, PASSWORD)]


def test_neither_goes_to_a_server_with_a_certificate_of_its_own_making(
    write: Write, server: SmtpServer
) -> None:
    mail = write()

    deliver_due(actor=MAIL)

    _assert_kept(mail, server)


@pytest.mark.usefixtures("_trusted")
@pytest.mark.parametrize("address", ["127.0.0.2"])
def test_neither_goes_to_a_server_with_another_ones_certificate(write: Write, server: SmtpServer) -> None:
    mail = write()

    deliver_due(actor=MAIL)

    _assert_kept(mail, server)


def test_neither_goes_in_clear_where_the_server_offers_no_tls(
    write: Write, smtp: SmtpServer, settings: Any
) -> None:
    settings.EMAIL_USE_TLS = True
    settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD = USER, PASSWORD
    mail = write()

    deliver_due(actor=MAIL)

    _assert_kept(mail, smtp)


def _assert_kept(mail: OutboxMail, server: SmtpServer) -> None:
    mail.refresh_from_db()
    assert mail.state == OutboxMail.State.PENDING
    assert mail.last_error
    assert PASSWORD not in mail.last_error
    assert (server.mails, server.credentials) == ([], [])
