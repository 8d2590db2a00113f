"""Settings, one file; the defaults are production's, development loosens what it names."""

from __future__ import annotations

import ipaddress
from datetime import timedelta
from urllib.parse import urlsplit

from csp.constants import NONE, SELF
from django.utils.translation import gettext_lazy as _

from kellexa_portal import env

CONFIG = env.load()

DEVELOPMENT = CONFIG.is_development
DEBUG = CONFIG.is_debug
SECRET_KEY = CONFIG.secret_key
PUBLIC_URL = CONFIG.public_url
ALLOWED_HOSTS = CONFIG.allowed_hosts
BASE_DIR = env.BASE_DIR
STATE_DIR = CONFIG.state_dir
KEYRING = CONFIG.keyring
TOKEN_PEPPERS = CONFIG.token_peppers
AUDIT_SIGNING_KEY = CONFIG.audit_signing_key
SECRET_VALUES = CONFIG.secret_values()  # what redaction replaces wherever it appears
DEFAULT_EXCEPTION_REPORTER = "kellexa_portal.redaction.reports.PortalExceptionReporter"
DEFAULT_EXCEPTION_REPORTER_FILTER = "kellexa_portal.redaction.reports.PortalExceptionReporterFilter"
TRUSTED_PROXIES = CONFIG.trusted_proxies
REDIS_URL = CONFIG.redis_url
REDIS_KEY_PREFIX = "kellexa:"

# --- Applications -------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"

INSTALLED_APPS = [
    "kellexa_portal.ui",  # before the admin, whose frame it overrides
    "kellexa_portal.web.staff_site.StaffSiteConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.forms",
    "django_otp",
    "django_otp_webauthn",
    "django_htmx",
    "guardian",
    "csp",
    "ninja",
    "kellexa_portal.web",
    "kellexa_portal.crypto",
    "kellexa_portal.ratelimit",
    "kellexa_portal.audit",
    "kellexa_portal.mail",
    "kellexa_portal.operations",
    "accounts.identity",
    "accounts.organizations",
    "accounts.sessions",
    "accounts.mfa",
    "accounts.credentials",
    "accounts.recovery",
    "accounts.sso",
    "accounts.rotation",
    "accounts.anomalies",
    "accounts.lockdown",
    "accounts.overview",
]
if DEVELOPMENT:
    INSTALLED_APPS.append("kellexa_portal.dev")

MIDDLEWARE = [
    "kellexa_portal.web.middleware.RequestContextMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "kellexa_portal.web.middleware.InputGuardMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "kellexa_portal.web.middleware.MethodMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django_otp.middleware.OTPMiddleware",
    "accounts.sessions.middleware.AccountSessionMiddleware",
    "accounts.identity.middleware.TimeZoneMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "kellexa_portal.web.middleware.GateMiddleware",
    "kellexa_portal.web.middleware.DomainErrorMiddleware",
    "accounts.organizations.middleware.ClosedOrganizationMiddleware",
]

ROOT_URLCONF = "kellexa_portal.urls"
WSGI_APPLICATION = "kellexa_portal.wsgi.application"

# --- Data ---------------------------------------------------------------------------------------

DATABASES = CONFIG.databases()
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

CACHES = {"default": CONFIG.cache()}

# --- Sign-in ------------------------------------------------------------------------------------

AUTHENTICATION_BACKENDS = [
    "accounts.sessions.backends.SessionBackend",
    "kellexa_portal.staff.StaffRoleBackend",
]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS: list[dict[str, str]] = []  # accounts.identity.passwords is called by name
LOGIN_URL = "accounts:login"
PASSWORD_RESET_TIMEOUT = int(timedelta(hours=1).total_seconds())
GUARDIAN_MONKEY_PATCH_USER = False
ANONYMOUS_USER_NAME = None
# guardian wants its backend; without it no has_perm can be answered from a row (ADR 0009).
# otp_webauthn.E031 wants HTTPS; production refuses anything else, and a development portal may do without.
SILENCED_SYSTEM_CHECKS = ["guardian.W001", "otp_webauthn.E031"]
OTP_LOGIN_URL = LOGIN_URL
# Of django-otp-webauthn only the models are used (ADR 0011); what its checks ask for is what we enforce.
OTP_WEBAUTHN_CREDENTIAL_MODEL = "mfa.Passkey"
OTP_WEBAUTHN_RP_NAME = "Kellexa"
OTP_WEBAUTHN_RP_ID = urlsplit(PUBLIC_URL).hostname or ""
OTP_WEBAUTHN_ALLOWED_ORIGINS = [PUBLIC_URL]

SESSION_ENGINE = "accounts.sessions.store"
SESSION_COOKIE_AGE = int(timedelta(hours=13).total_seconds())  # accounts.sessions ends it by 12, on record
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "kellexa_portal.web.views.csrf_failure"

# --- Transport and headers ----------------------------------------------------------------------

_SECURE = urlsplit(PUBLIC_URL).scheme == "https" or not DEVELOPMENT
SESSION_COOKIE_SECURE = _SECURE
CSRF_COOKIE_SECURE = _SECURE
SESSION_COOKIE_NAME = "__Host-session" if _SECURE else "session"
CSRF_COOKIE_NAME = "__Host-csrf" if _SECURE else "csrf"
SECURE_SSL_REDIRECT = _SECURE
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]  # a probe comes straight, without the proxy
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if TRUSTED_PROXIES else None
SECURE_HSTS_SECONDS = int(timedelta(days=730).total_seconds()) if _SECURE else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = _SECURE
SECURE_HSTS_PRELOAD = _SECURE
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
        "base-uri": [NONE],
        "require-trusted-types-for": ["'script'"],
    }
}

# --- Pages --------------------------------------------------------------------------------------

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "kellexa_portal.ui.context_processors.page",
            ],
        },
    }
]
FORM_RENDERER = "kellexa_portal.ui.forms.PortalFormRenderer"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English"))]
USE_I18N = True
USE_TZ = True
TIME_ZONE = "UTC"
FORMAT_MODULE_PATH = ["kellexa_portal.ui.formats"]

STATIC_URL = "/static/"
STATIC_ROOT = STATE_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEVELOPMENT
        else "kellexa_portal.ui.storage.PortalStaticFilesStorage"
    },
}
WHITENOISE_USE_FINDERS = DEVELOPMENT
WHITENOISE_AUTOREFRESH = DEVELOPMENT
FILE_UPLOAD_HANDLERS = ["kellexa_portal.web.uploads.RefusingUploadHandler"]
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200

# --- Mail ---------------------------------------------------------------------------------------

_EMAIL = CONFIG.email()
EMAIL_BACKEND = f"kellexa_portal.mail.backends.{'SmtpBackend' if _EMAIL else 'FileBackend'}"
EMAIL_HOST = _EMAIL.get("HOST", "")
EMAIL_PORT = _EMAIL.get("PORT", 25)
EMAIL_HOST_USER = _EMAIL.get("USER", "")
EMAIL_HOST_PASSWORD = _EMAIL.get("PASSWORD", "")
EMAIL_USE_TLS = _EMAIL.get("USE_TLS", False)
EMAIL_USE_SSL = _EMAIL.get("USE_SSL", False)
EMAIL_TIMEOUT = 20
MAIL_DIRECTORY = STATE_DIR / "mail"
DEFAULT_FROM_EMAIL = CONFIG.mail_from
MAIL_DOMAIN = urlsplit(PUBLIC_URL).hostname

# --- Places --------------------------------------------------------------------------------------
# Optional databases in MaxMind's format, by which an address has a place and an operator.

GEOIP_DATABASE = CONFIG.geoip_database
GEOIP_ASN_DATABASE = CONFIG.geoip_asn_database
EGRESS_ALLOW = tuple(map(ipaddress.ip_network, CONFIG.egress_allow))
DNS_RESOLVERS = CONFIG.dns_resolvers

# --- Jobs ---------------------------------------------------------------------------------------

CELERY_BROKER_URL = CONFIG.celery_broker_url
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 300
CELERY_TASK_SOFT_TIME_LIMIT = 240
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
# A broker that does not answer costs a request seconds and its message, which is only a hint: work is a row
# that is due. The worker's BRPOP is never cut short: it asks for one second and reads what has arrived.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": 600,
    "global_keyprefix": REDIS_KEY_PREFIX,
    "socket_connect_timeout": 2,
    "socket_timeout": 3,
    "max_retries": 0,  # of publishers alone; worker and beat keep trying by their own settings
}
CELERY_BROKER_POOL_ACQUIRE_TIMEOUT = 3  # by default a thread waits for ever behind others that wait
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TIMEZONE = "UTC"
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BEAT_SCHEDULE_FILENAME = str(STATE_DIR / "celerybeat-schedule")

# --- Logs ---------------------------------------------------------------------------------------
# Every record passes the redaction filter of the one handler; no logger has a handler of its own.

LOGGING_CONFIG = "kellexa_portal.redaction.logs.configure"
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"redaction": {"()": "kellexa_portal.redaction.RedactionFilter"}},
    "formatters": {
        "lines": {
            "()": "kellexa_portal.redaction.logs.formatter",
            "style": "readable" if DEVELOPMENT else "json",
        }
    },
    "handlers": {
        "stderr": {"class": "logging.StreamHandler", "filters": ["redaction"], "formatter": "lines"},
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {
        "django": {"level": "INFO"},
        "django.server": {"level": "INFO", "propagate": True},
        "celery": {"level": "INFO"},
        "psycopg": {"level": "WARNING"},
    },
}
