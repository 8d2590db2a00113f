"""The WSGI entry point that granian serves."""

import os

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "kellexa_portal.settings")

application = get_wsgi_application()

from kellexa_portal.operations.startup import check_database  # noqa: E402  # needs the settings above

check_database()
