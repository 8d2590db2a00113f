"""An OpenID provider on the loopback that can be told to lie in every part of its word."""

from __future__ import annotations

import base64
import functools
import hashlib
import json
import time
from dataclasses import dataclass, field
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, KeySet, RSAKey

from tests.support.web_server import Asked, Reply, WebServer

CLIENT_ID, CLIENT_SECRET = "kellexa-portal", "a secret: with/odd+characters&=%"


@dataclass
class Lies:
    """What the next answers shall get wrong; ``claims`` of value ``None`` are left out."""

    claims: dict[str, Any] = field(default_factory=dict)
    header: dict[str, Any] = field(default_factory=dict)
    discovery: dict[str, Any] = field(default_factory=dict)
    key: Any = None
    token: str | None = None
    token_status: int = 200
    jwks: dict[str, Any] | None = None


class Provider:
    """Vouches for ``email``; a context manager."""

    def __init__(self, email: str = "ada@acme.test", subject: str = "subject-1") -> None:
        self.email, self.subject, self.name = email, subject, "Ada Sample"
        self.lies = Lies()
        self.key = ECKey.generate_key("P-256", {"kid": "one", "use": "sig"}, private=True)
        self.rsa = _rsa_key()
        self._codes: dict[str, dict[str, str]] = {}
        self._web = WebServer(self._answer)

    def __enter__(self) -> Self:
        self._web.__enter__()
        return self

    def __exit__(self, *exc_info: object) -> None:
        self._web.__exit__()

    @property
    def issuer(self) -> str:
        """Its own name."""
        return self._web.url

    @property
    def asked(self) -> list[Asked]:
        """Every request that it got."""
        return self._web.asked

    def sign_in(self, address: str, **overrides: str) -> dict[str, str]:
        """What a browser that went to ``address`` and signed in brings back to the portal."""
        query = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        code = hashlib.sha256(f"{time.monotonic_ns()}".encode()).hexdigest()
        self._codes[code] = query
        answer = {"code": code, "state": query["state"], "iss": self.issuer, **overrides}
        return {name: value for name, value in answer.items() if value}

    def _answer(self, asked: Asked) -> Reply:
        path = urlsplit(asked.path).path
        if path == "/.well-known/openid-configuration":
            return _json(self._discovery())
        if path == "/jwks":
            keys = KeySet([self.key, self.rsa]).as_dict(private=False)
            return _json(self.lies.jwks if self.lies.jwks is not None else keys)
        if path == "/token" and asked.method == "POST":
            return self._token(asked)
        return Reply(status=404, body=b"{}")

    def _discovery(self) -> dict[str, Any]:
        document = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/jwks",
            "authorization_response_iss_parameter_supported": True,
            "code_challenge_methods_supported": ["S256"],
            **self.lies.discovery,
        }
        return {name: value for name, value in document.items() if value is not None}

    def _token(self, asked: Asked) -> Reply:
        form = {name: values[0] for name, values in parse_qs(asked.body.decode()).items()}
        query = self._codes.pop(form.get("code", ""), None)
        pair = base64.b64decode(asked.headers.get("authorization", "").removeprefix("Basic ")).decode()
        if query is None or not _is_right(query, form) or pair != _BASIC:
            return _json({"error": "invalid_grant"}, status=400)
        now = int(time.time())
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "sub": self.subject,
            "exp": now + 300,
            "iat": now,
            "nonce": query["nonce"],
            "email": self.email,
            "email_verified": True,
            "name": self.name,
            **self.lies.claims,
        }
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": "ES256", "kid": "one", **self.lies.header}
        token = self.lies.token or jwt.encode(header, claims, self.lies.key or self.key)
        return _json({"id_token": token, "access_token": "x"}, status=self.lies.token_status)


@functools.cache
def _rsa_key() -> RSAKey:
    """One for all providers, since making it takes a while."""
    return RSAKey.generate_key(2048, {"kid": "rsa", "use": "sig"}, private=True)


_BASIC = "kellexa-portal:a%20secret%3A%20with%2Fodd%2Bcharacters%26%3D%25"


def _is_right(query: dict[str, str], form: dict[str, str]) -> bool:
    """PKCE and the redirect address, as a careful provider checks them."""
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    return (
        query.get("code_challenge") == challenge
        and query.get("code_challenge_method") == "S256"
        and query.get("redirect_uri") == form.get("redirect_uri")
    )


def _json(document: Any, *, status: int = 200) -> Reply:
    return Reply(status=status, body=json.dumps(document).encode())
