"""Passkeys on the wire (Web Authentication Level 3): what browsers are asked, and what is believed of them.

Stands on py_webauthn and leaves nothing at its defaults: user verification is always required (attack case
6), a frame of another site is refused, and a counter that fell is told apart from a forgery. Knows no row.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import webauthn
from django.conf import settings
from webauthn.helpers import (
    base64url_to_bytes,
    options_to_json_dict,
    parse_attestation_object,
    parse_client_data_json,
)
from webauthn.helpers.cose import COSEAlgorithmIdentifier
from webauthn.helpers.structs import (
    AttestationConveyancePreference,
    AttestationFormat,
    AuthenticatorSelectionCriteria,
    AuthenticatorTransport,
    CredentialDeviceType,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

CHALLENGE_BYTES = 32
CHALLENGE_LIFETIME = timedelta(minutes=5)
MAX_ANSWER_LENGTH = 16 * 1024
MAX_CREDENTIAL_ID_BYTES = 1023
ALGORITHMS = [
    COSEAlgorithmIdentifier.EDDSA,
    COSEAlgorithmIdentifier.ECDSA_SHA_256,
    COSEAlgorithmIdentifier.RSASSA_PKCS1_v1_5_SHA_256,
]
FORMATS = {AttestationFormat.NONE, AttestationFormat.PACKED}
DEFAULT_PORTS = {"http": 80, "https": 443}

Answer = Mapping[str, Any]
"""What ``navigator.credentials`` gave, as the page sent it: nothing in it is believed before its check."""


class UnreadableAnswerError(ValueError):
    """Not the shape of an answer at all; no guess at a key."""


class FalseAnswerError(ValueError):
    """An answer that does not prove what it claims."""


@dataclass(frozen=True, slots=True)
class RelyingParty:
    """Who asks: the host that passkeys are bound to, and the one origin whose pages may ask for them."""

    id: str
    origin: str
    name: str = "Kellexa"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A public key whose private half was just shown, with the person verified."""

    credential_id: bytes
    public_key: bytes
    sign_count: int
    aaguid: str
    transports: list[str]
    is_synced: bool
    is_backed_up: bool


@dataclass(frozen=True, slots=True)
class Proof:
    """A signature that is right, with the person verified; the counter is the caller's to judge."""

    sign_count: int
    is_synced: bool
    is_backed_up: bool


def relying_party() -> RelyingParty:
    """From configuration alone, never from a request (attack case 25)."""
    url = urlsplit(settings.PUBLIC_URL)
    host = url.hostname or ""
    is_default = url.port in {None, DEFAULT_PORTS.get(url.scheme)}
    return RelyingParty(id=host, origin=f"{url.scheme}://{host}" + ("" if is_default else f":{url.port}"))


def read(text: str) -> Answer:
    """The answer in ``text``; raises ``UnreadableAnswerError`` for what cannot be one."""
    if len(text) > MAX_ANSWER_LENGTH:
        raise UnreadableAnswerError("longer than any answer")
    try:
        answer: dict[str, Any] = json.loads(text)
        challenge_of(answer)
        credential_id_of(answer)
    except Exception as error:  # the libraries raise whatever they meet in hostile bytes
        raise UnreadableAnswerError("no answer of an authenticator") from error
    return answer


def challenge_of(answer: Answer) -> bytes:
    """The challenge that the browser says it was given."""
    client_data = base64url_to_bytes(answer["response"]["clientDataJSON"])
    return bytes(parse_client_data_json(client_data).challenge)


def credential_id_of(answer: Answer) -> bytes:
    """The name of the key that the answer speaks of."""
    return base64url_to_bytes(answer["rawId"])


def fingerprint(credential_id: bytes) -> str:
    """SHA-256 of a key's name, as rows keep it."""
    return hashlib.sha256(credential_id).hexdigest()


def user_handle_of(answer: Answer) -> bytes:
    """Whose key the authenticator says it is; empty when it does not say."""
    handle = answer["response"].get("userHandle")
    try:
        return base64url_to_bytes(handle) if isinstance(handle, str) else b""
    except ValueError:
        return b""


def creation_options(
    *, challenge: bytes, handle: bytes, email: str, name: str, known: Iterable[tuple[bytes, list[str]]]
) -> dict[str, Any]:
    """What ``navigator.credentials.create`` is asked; ``known`` keys are not made twice on one device."""
    party = relying_party()
    options = webauthn.generate_registration_options(
        rp_id=party.id,
        rp_name=party.name,
        user_id=handle,
        user_name=email,
        user_display_name=name,
        challenge=challenge,
        timeout=_milliseconds(CHALLENGE_LIFETIME),
        attestation=AttestationConveyancePreference.NONE,
        authenticator_selection=AuthenticatorSelectionCriteria(
            resident_key=ResidentKeyRequirement.REQUIRED,
            require_resident_key=True,
            user_verification=UserVerificationRequirement.REQUIRED,
        ),
        exclude_credentials=_descriptors(known),
        supported_pub_key_algs=ALGORITHMS,
    )
    return {**options_to_json_dict(options), "extensions": {"credProps": True}}


def request_options(*, challenge: bytes, known: Iterable[tuple[bytes, list[str]]] = ()) -> dict[str, Any]:
    """What ``navigator.credentials.get`` is asked; without ``known`` keys the person chooses their own."""
    options = webauthn.generate_authentication_options(
        rp_id=relying_party().id,
        challenge=challenge,
        timeout=_milliseconds(CHALLENGE_LIFETIME),
        allow_credentials=_descriptors(known),
        user_verification=UserVerificationRequirement.REQUIRED,
    )
    return options_to_json_dict(options)


def check_creation(answer: Answer, *, challenge: bytes) -> NewKey:
    """The new key of ``answer``; raises ``FalseAnswerError``."""
    party = relying_party()
    try:
        _refuse_frames(answer)
        _refuse_other_formats(answer)
        _refuse_undiscoverable(answer)
        found = webauthn.verify_registration_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            require_user_verification=True,
            supported_pub_key_algs=ALGORITHMS,
        )
    except Exception as error:  # the libraries raise whatever they meet in hostile bytes
        raise FalseAnswerError("not a key made here") from error
    if found.credential_id != credential_id_of(answer) or len(found.credential_id) > MAX_CREDENTIAL_ID_BYTES:
        raise FalseAnswerError("another key than it says")
    return NewKey(
        credential_id=found.credential_id,
        public_key=found.credential_public_key,
        sign_count=found.sign_count,
        aaguid=found.aaguid,
        transports=_transports(answer),
        is_synced=found.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        is_backed_up=found.credential_backed_up,
    )


def check_proof(answer: Answer, *, challenge: bytes, public_key: bytes) -> Proof:
    """What ``answer`` proves under ``public_key``; raises ``FalseAnswerError``.

    The library would call a fallen counter a forgery; it is given none, so that the caller can tell.
    """
    party = relying_party()
    try:
        _refuse_frames(answer)
        found = webauthn.verify_authentication_response(
            credential=dict(answer),
            expected_challenge=challenge,
            expected_rp_id=party.id,
            expected_origin=party.origin,
            credential_public_key=public_key,
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception as error:  # the libraries raise whatever they meet in hostile bytes
        raise FalseAnswerError("not signed here") from error
    return Proof(
        sign_count=found.new_sign_count,
        is_synced=found.credential_device_type is CredentialDeviceType.MULTI_DEVICE,
        is_backed_up=found.credential_backed_up,
    )


def _refuse_frames(answer: Answer) -> None:
    """Refuses what a page of another site asked for through a frame; py_webauthn does not look."""
    client_data = json.loads(base64url_to_bytes(answer["response"]["clientDataJSON"]))
    if client_data.get("crossOrigin") or client_data.get("topOrigin"):
        raise FalseAnswerError("asked from another site")


def _refuse_other_formats(answer: Answer) -> None:
    """No attestation was asked for: what brings certificates is not even parsed further."""
    attestation = parse_attestation_object(base64url_to_bytes(answer["response"]["attestationObject"]))
    if attestation.fmt not in FORMATS or attestation.att_stmt.x5c:
        raise FalseAnswerError("an attestation that nobody asked for")


def _refuse_undiscoverable(answer: Answer) -> None:
    """A key that needs its name from us first could never sign in without a password."""
    results = answer.get("clientExtensionResults")
    properties = results.get("credProps") if isinstance(results, dict) else None
    if isinstance(properties, dict) and properties.get("rk") is False:
        raise FalseAnswerError("not discoverable")


def _transports(answer: Answer) -> list[str]:
    """How the authenticator says it can be reached: words of the standard only, each once."""
    said = answer["response"].get("transports")
    known = {transport.value for transport in AuthenticatorTransport}
    return sorted({text for text in said if isinstance(text, str)} & known) if isinstance(said, list) else []


def _descriptors(known: Iterable[tuple[bytes, list[str]]]) -> list[PublicKeyCredentialDescriptor]:
    return [
        PublicKeyCredentialDescriptor(
            id=credential_id, transports=[AuthenticatorTransport(name) for name in transports]
        )
        for credential_id, transports in known
    ]


def _milliseconds(period: timedelta) -> int:
    return period // timedelta(milliseconds=1)
