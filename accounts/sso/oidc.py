"""OpenID Connect as a client: what is asked of a provider, and when its word is taken.

Sources: OpenID Connect Core 1.0, Discovery 1.0; RFC 7636 (PKCE, S256 alone), RFC 9207 (``iss``), RFC 9700.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

from django.core.cache import cache
from django.utils import timezone
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import import_key

from accounts.sso import rules
from kellexa_portal.egress import EgressError, fetch

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")
"""Signatures by keys that the portal can't make: none of them is ``none`` or keyed with a shared secret."""

KEYS_FRESH_SECONDS = 600
KEYS_REFETCH_SECONDS = 60
MIN_RSA_BITS = 2048
MAX_KEYS = 10
ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
SCOPES = "openid email profile"


class ProviderError(Exception):
    """The provider could not be asked or its word does not hold; the text is a short code for the record."""


@dataclass(frozen=True, slots=True)
class Client:
    """Who asks whom."""

    issuer: str
    client_id: str
    metadata: Mapping[str, Any]
    redirect_uri: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Trip:
    """The secrets of one trip to the provider and back."""

    state: str = field(repr=False)
    nonce: str = field(repr=False)
    verifier: str = field(repr=False)

    @classmethod
    def new(cls) -> Trip:
        """Fresh ones, 256 random bits each."""
        return cls(*(secrets.token_urlsafe(rules.STATE_BYTES) for _ in range(3)))


def discover(issuer: str) -> dict[str, Any]:
    """What a provider says of itself, cut to what is used. Raises ``ProviderError``.

    The document must name the very issuer that it was asked of, or one provider could speak for another.
    """
    document = _json("discovery", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
    if document.get("issuer") != issuer:
        raise ProviderError("discovery_issuer")
    scheme = urlsplit(issuer).scheme
    for name in ENDPOINTS:
        address = document.get(name)
        if not isinstance(address, str) or urlsplit(address).scheme not in {"https", scheme}:
            raise ProviderError(f"discovery_{name}")
    challenges = document.get("code_challenge_methods_supported")
    if isinstance(challenges, list) and "S256" not in challenges:
        raise ProviderError("discovery_pkce")
    ways = document.get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
    return {
        **{name: document[name] for name in ENDPOINTS},
        "sends_iss": document.get("authorization_response_iss_parameter_supported") is True,
        "posts_secret": "client_secret_basic" not in ways and "client_secret_post" in ways,
    }


def address_to(client: Client, trip: Trip, *, login_hint: str = "") -> str:
    """Where the browser goes to sign in with the provider."""
    challenge = base64.urlsafe_b64encode(hashlib.sha256(trip.verifier.encode()).digest()).rstrip(b"=")
    query = {
        "response_type": "code",
        "client_id": client.client_id,
        "redirect_uri": client.redirect_uri,
        "scope": SCOPES,
        "state": trip.state,
        "nonce": trip.nonce,
        "code_challenge": challenge.decode(),
        "code_challenge_method": "S256",
        **({"login_hint": login_hint} if login_hint else {}),
    }
    endpoint = client.metadata["authorization_endpoint"]
    return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(query)}"


def check_answer(client: Client, *, issuer: str, code: str, error: str) -> None:
    """Whether the browser came back from this very provider, with a code. Raises ``ProviderError``.

    RFC 9207: a provider that says it names itself has to, and none may name another (mix-up).
    """
    if issuer != client.issuer and (issuer or client.metadata.get("sends_iss")):
        raise ProviderError("answer_iss")
    if error or not code:
        raise ProviderError("answer_error" if error else "answer_code")


def identity_for(client: Client, *, code: str, verifier: str, nonce: str) -> rules.Identity:
    """Whom the provider vouches for, in exchange for ``code``. Raises ``ProviderError``."""
    token = _exchange(client, code=code, verifier=verifier)
    claims = _claims_of(client, token)
    try:
        return rules.identity_in(
            claims, issuer=client.issuer, client_id=client.client_id, nonce=nonce, now=timezone.now()
        )
    except rules.FalseTokenError as error:
        raise ProviderError(f"token_{error}") from error


def _exchange(client: Client, *, code: str, verifier: str) -> str:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": client.redirect_uri,
        "code_verifier": verifier,
    }
    headers = {"content-type": "application/x-www-form-urlencoded", "accept": "application/json"}
    if client.metadata.get("posts_secret"):
        form |= {"client_id": client.client_id, "client_secret": client.secret}
    else:
        pair = f"{quote(client.client_id, safe='')}:{quote(client.secret, safe='')}"
        headers["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    answer = _json(
        "token",
        client.metadata["token_endpoint"],
        method="POST",
        headers=headers,
        body=urlencode(form).encode(),
    )
    token = answer.get("id_token")
    if not isinstance(token, str) or not 0 < len(token) <= rules.MAX_ID_TOKEN:
        raise ProviderError("token_missing")
    return token


def _claims_of(client: Client, token: str) -> Mapping[str, Any]:
    """The claims of a token that one of the provider's keys has signed.

    Keys that it turns over are fetched anew when a token names an unknown one, at most once a minute: a
    stranger's tokens must not make this portal flood somebody's provider.
    """
    uri = client.metadata["jwks_uri"]
    key = f"sso.jwks:{hashlib.sha256(uri.encode()).hexdigest()}"
    kept = cache.get(key)
    if kept is not None:
        claims = _verified(kept, token)
        if claims is not None:
            return claims
        if not cache.add(f"{key}:again", 1, KEYS_REFETCH_SECONDS):
            raise ProviderError("token_signature")
    fresh = _json("jwks", uri)
    cache.set(key, fresh, KEYS_FRESH_SECONDS)
    claims = _verified(fresh, token)
    if claims is None:
        raise ProviderError("token_signature")
    return claims


def _verified(document: Mapping[str, Any], token: str) -> Mapping[str, Any] | None:
    """The claims, or ``None`` where no key of ``document`` has signed ``token`` by an admitted algorithm."""
    found = document.get("keys")
    named = _key_named_in(token)
    fit = [key for key in found if _is_fit(key)] if isinstance(found, list) else []
    for key in [key for key in fit if named is None or key.get("kid") == named][:MAX_KEYS]:
        try:
            decoded = jwt.decode(token, import_key(key), algorithms=ALGORITHMS)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError):
            continue
        if isinstance(decoded.claims, dict):
            return decoded.claims
    return None


def _key_named_in(token: str) -> str | None:
    """The ``kid`` of the header, which only chooses among the provider's keys."""
    head = token.partition(".")[0]
    try:
        header = json.loads(base64.urlsafe_b64decode(head + "=" * (-len(head) % 4)))
    except (ValueError, RecursionError):
        return None
    named = header.get("kid") if isinstance(header, dict) else None
    return named if isinstance(named, str) else None


def _is_fit(key: Any) -> bool:
    """Whether ``key`` is a public key for signatures; a symmetric one would let its readers sign."""
    if not isinstance(key, dict) or key.get("use", "sig") != "sig" or "d" in key:
        return False
    if key.get("kty") == "RSA":
        modulus = key.get("n")
        return isinstance(modulus, str) and len(modulus) * 6 >= MIN_RSA_BITS
    return key.get("kty") in {"EC", "OKP"}


def _json(what: str, url: str, **request: Any) -> dict[str, Any]:
    try:
        answer = fetch(url, **request)
    except EgressError as error:
        raise ProviderError(f"{what}_{type(error).__name__.lower()}") from error
    if answer.status != 200:
        raise ProviderError(f"{what}_status")
    try:
        document = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise ProviderError(f"{what}_unreadable") from error
    if not isinstance(document, dict):
        raise ProviderError(f"{what}_unreadable")
    return document
