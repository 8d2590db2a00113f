"""``python -m kellexa_portal.env`` prints a fresh set of secrets; it needs no setting and no database."""

from __future__ import annotations

import sys

from .keys import generate_secrets


def main() -> None:
    for name, value in generate_secrets().items():
        sys.stdout.write(f"{name}={value}\n")


if __name__ == "__main__":
    main()
