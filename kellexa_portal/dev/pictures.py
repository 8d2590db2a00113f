"""The README's pictures, taken of the running product: ``python -m kellexa_portal.dev.pictures``.

Starts a portal of its own with the demo data, signs in as a demo person and photographs pages.
"""

from __future__ import annotations

import base64
import json
import shutil
import sys
import tempfile
from pathlib import Path

from django_otp.oath import TOTP
from playwright.sync_api import Page, sync_playwright

from kellexa_portal import env

from .stack import Stack

FOLDER = env.BASE_DIR / "docs" / "pictures"
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-sync",
    "--no-first-run",
)
WIDTH, HEIGHT = 1280, 800
PERSON = "security@acme.example"
PAGES = {"checkup": "/accounts/", "keys": "/accounts/keys/", "factors": "/accounts/mfa/"}


def sign_in(page: Page, url: str, account: dict[str, str]) -> None:
    """Signs in as a person would; the code comes from the seed that the demo prints."""
    page.goto(f"{url}/accounts/login/")
    page.get_by_label("Email", exact=True).fill(account["email"])
    page.get_by_label("Password", exact=True).fill(account["password"])
    page.get_by_role("button", name="Sign in", exact=True).click()
    code = TOTP(base64.b32decode(account["totp_secret"])).token()
    page.get_by_label("Authentication code", exact=True).fill(f"{code:06d}")
    page.get_by_role("button", name="Verify", exact=True).click()
    page.wait_for_url(f"{url}/accounts/")


def take(stack: Stack, folder: Path) -> None:
    """Photographs the sign-in page and the pages of one demo person."""
    folder.mkdir(parents=True, exist_ok=True)
    accounts = json.loads(stack.manage("demo", "--json").stdout)["accounts"]
    account = next(account for account in accounts if account["email"] == PERSON)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=list(FLAGS))
        page = browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.goto(f"{stack.url}/accounts/login/")
        page.screenshot(path=folder / "sign-in.png")
        sign_in(page, stack.url, account)
        for name, path in PAGES.items():
            page.goto(stack.url + path)
            page.screenshot(path=folder / f"{name}.png")
        browser.close()


def main() -> int:
    """Takes them all."""
    with tempfile.TemporaryDirectory() as folder, Stack(state_dir=Path(folder), demo=True) as stack:
        take(stack, FOLDER)
    return 0


if __name__ == "__main__":
    sys.exit(main())
