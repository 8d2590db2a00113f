from django.apps import AppConfig


class SampleConfig(AppConfig):
    name = "tests.kellexa_portal.mail.sample"
    label = "mail_sample"
