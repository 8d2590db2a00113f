#!/usr/bin/env python
"""Django's command line; in a checkout it finds the development services by itself."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kellexa_portal.settings")
    from kellexa_portal import env

    if env.is_development_checkout():
        from kellexa_portal.dev import services

        services.adopt()
    env.choose_database_role(sys.argv)
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
