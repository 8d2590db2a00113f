"""A stubborn person without a browser: goes through the portal by HTTP, and tries again when it breaks."""

from __future__ import annotations

import html
import re
import time
from collections import deque
from collections.abc import Callable

import httpx

from tests.support import daylight
from tests.support.authenticator import oathtool
from tests.support.mailbox import Mailbox, link_in, subject_has

CSRF = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
NONCE = re.compile(r'name="nonce" value="([^"]+)"')
SEED = re.compile(r'id="manual-key"[^>]*>([^<]+)<')
CODE = re.compile(r"\b[0-9A-HJKMNP-TV-Z]{5}(?:-[0-9A-HJKMNP-TV-Z]{5}){4}\b")
TOKEN = re.compile(r"\bklx[ps]_(?:live|test)_[0-9A-Za-z]{63}\b")
REFUSAL = re.compile(r'<(?:p|li|span)[^>]*class="[^"]*error[^"]*"[^>]*>\s*([^<]{3,120})')
PASSWORD = "nine quiet herons over the weir"
PATIENCE_SECONDS = 240.0
BROKEN = {500, 502, 503, 504}


class Person:
    """One customer on their way from nothing to an API key.

    Every step looks first where it stands, so that a lost answer is asked for again and never repeated
    blindly: what the portal then holds twice is the portal's doing.
    """

    def __init__(self, number: int, *, url: str, mailbox: Mailbox) -> None:
        self.email = f"person{number}@kills.example"
        self.token = ""
        self.retries = 0
        self._seed = ""
        self._last_code = ""
        self._trail: deque[str] = deque(maxlen=12)
        self._mailbox = mailbox
        self._url = url
        address = f"10.{number // 250 % 250}.{number % 250}.7"
        self._client = httpx.Client(
            base_url=url, headers={"X-Forwarded-For": address}, timeout=30, follow_redirects=True
        )

    def go(self) -> None:
        """All the way; raises ``TimeoutError`` when the portal stays broken."""
        self._until(self._signed_up)
        self._until(self._confirmed)
        self._until(self._enrolled)
        self._until(self._has_key)
        self._client.close()

    def _until(self, step: Callable[[], bool]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                if step():
                    return
            except (httpx.TransportError, _Broken):
                self.retries += 1
            time.sleep(0.3)
        trail = " | ".join(self._trail)
        raise TimeoutError(f"{self.email} is stuck at {step.__name__}: {trail}")

    def _signed_up(self) -> bool:
        if self._mailbox.to(self.email):
            return True
        page = self._get("/accounts/signup/")
        form = {"name": "Kim Example", "organization_name": f"{self.email} Ltd", "password": PASSWORD}
        form |= {"email": self.email, "time_zone": daylight.zone()}
        answer = self._post("/accounts/signup/", page, form)
        assert "Check your mail" in answer.text, answer.text
        return True

    def _confirmed(self) -> bool:
        link = link_in(self._mailbox.wait_for(self.email, subject_has("confirm"), seconds=90))
        path = link.removeprefix(self._url)
        page = self._get(path, allows={404, 410})
        if not page.is_success:
            return self._has_signed_in()
        fields = {"password": PASSWORD} if 'name="password"' in page.text else {}
        return self._is_past_password(self._post(path, page, fields))

    def _has_signed_in(self) -> bool:
        page = self._get("/accounts/login/")
        answer = self._post("/accounts/login/", page, {"email": self.email, "password": PASSWORD})
        return self._is_past_password(answer)

    @staticmethod
    def _is_past_password(answer: httpx.Response) -> bool:
        return answer.url.path.startswith(("/accounts/login/enrol", "/accounts/login/verify"))

    def _enrolled(self) -> bool:
        page = self._get("/accounts/login/enrol/")
        if page.url.path == "/accounts/":
            return True
        if page.url.path == "/accounts/login/verify/":
            return self._has_typed_a_fresh_code(page)
        if page.url.path == "/accounts/login/":
            self._has_signed_in()
            return False
        if found := SEED.search(page.text):
            self._seed = "".join(found.group(1).split())
            self._last_code = oathtool(self._seed)
            page = self._post("/accounts/login/enrol/", page, {"code": self._last_code})
        if page.url.path == "/accounts/login/enrol/codes/" and not CODE.search(page.text):
            page = self._post("/accounts/login/enrol/codes/new/", page, {})
        codes = CODE.findall(page.text)
        if not codes:
            return False
        answer = self._post("/accounts/login/enrol/codes/", page, {"recovery_code": codes[0]})
        return answer.url.path == "/accounts/"

    def _has_typed_a_fresh_code(self, page: httpx.Response) -> bool:
        """Waits for a code that was not typed before: a code counts once, and guesses are few."""
        code = oathtool(self._seed)
        if code == self._last_code:
            return False
        self._last_code = code
        answer = self._post("/accounts/login/verify/", page, {"code": code})
        return answer.url.path == "/accounts/"

    def _has_key(self) -> bool:
        page = self._get("/accounts/keys/create/")
        if page.url.path != "/accounts/keys/create/":
            return self._has_signed_in() and self._enrolled() and False
        nonce = NONCE.search(page.text)
        assert nonce, page.text
        form = {
            "nonce": nonce.group(1),
            "name": "Only key",
            "environment": "live",
            "kind": "service",
            "scopes": "workflows:run",
            "expires_at": daylight.today().isoformat(),
        }
        return self._sends_until_answered(page, form)

    def _sends_until_answered(self, page: httpx.Response, form: dict[str, str]) -> bool:
        """One form, sent as often as it takes: the nonce makes it one key."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            try:
                answer = self._post("/accounts/keys/create/", page, form, allows={410})
            except (httpx.TransportError, _Broken):
                self.retries += 1
                time.sleep(0.3)
                continue
            if found := TOKEN.search(answer.text):
                self.token = found.group(0)
            return answer.status_code == 410 or bool(found)
        return False

    def _get(self, path: str, *, allows: frozenset[int] | set[int] = frozenset()) -> httpx.Response:
        return self._noted(self._client.get(path), allows)

    def _post(
        self,
        path: str,
        page: httpx.Response,
        fields: dict[str, str],
        *,
        allows: frozenset[int] | set[int] = frozenset(),
    ) -> httpx.Response:
        token = CSRF.search(page.text)
        form = {**fields, "csrfmiddlewaretoken": html.unescape(token.group(1)) if token else ""}
        headers = {"Referer": f"{self._url}{path}", "Origin": self._url}
        return self._noted(self._client.post(path, data=form, headers=headers), allows | {422, 429})

    def _noted(self, answer: httpx.Response, allows: frozenset[int] | set[int]) -> httpx.Response:
        """Keeps the way that led here, to be told when somebody is stuck."""
        refusals = ", ".join(REFUSAL.findall(answer.text))
        self._trail.append(f"{answer.request.method} {answer.url.path} {answer.status_code} {refusals}")
        return _sound(answer, allows)


class _Broken(Exception):
    """The portal answered that it is broken just now."""


def _sound(answer: httpx.Response, allows: frozenset[int] | set[int]) -> httpx.Response:
    if answer.status_code in BROKEN:
        raise _Broken(answer.status_code)
    if not answer.is_success and answer.status_code not in allows:
        raise AssertionError(f"{answer.status_code} {answer.request.url}: {answer.text[-2000:]}")
    return answer
