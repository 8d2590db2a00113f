"""Pages for the people who build the portal; the roof includes them in development only."""

from __future__ import annotations

from django.urls import include, path

from kellexa_portal.dev import mailbox, styleguide

app_name = "dev"

urlpatterns = [
    path("mail/", mailbox.index, name="mail"),
    path("mail/<str:name>/", mailbox.message, name="mail_message"),
    path("mail/<str:name>/html/", mailbox.html_part, name="mail_html"),
    path("mail/<str:name>/raw/", mailbox.raw, name="mail_raw"),
    path("styleguide/", include(styleguide)),
]
