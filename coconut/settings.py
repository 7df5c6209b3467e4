"""Settings. `.env.example` explains each variable that is read from the environment or from `.env`.

A system check (`coconut.checks`) reports a missing or unsafe value, never a traceback.
"""

import sys
from pathlib import Path
from urllib.parse import urlsplit

import environ
from celery.schedules import crontab
from csp.constants import NONE, SELF

from coconut.local_urls import default_broker_url, default_cache_url, default_database_url

BASE_DIR = Path(__file__).resolve().parent.parent
env = environ.Env()
environ.Env.read_env(BASE_DIR / ".env")

# --- Installation -----------------------------------------------------------------------------------
DEBUG = env.bool("DEBUG", default=False)
# A demo or test installation, which may use the simulated Microsoft and publicly known passwords.
DEMO = env.bool("DEMO", default=False)
INSECURE_SECRET_KEY = "insecure-development-key-do-not-use-anywhere-else"  # noqa: S105
# An empty value, as in an unedited .env, counts as missing, so that a check reports it.
SECRET_KEY = env.str("SECRET_KEY", default="") or INSECURE_SECRET_KEY
ENCRYPTION_KEYS: list[str] = env.list("ENCRYPTION_KEYS", default=[])
BASE_URL = env.str("BASE_URL", default="http://localhost:8000").rstrip("/")
ALLOWED_HOSTS = env.list(
    "ALLOWED_HOSTS", default=[urlsplit(BASE_URL).hostname or "localhost", "localhost", "127.0.0.1"]
)
CSRF_TRUSTED_ORIGINS = [BASE_URL]

# --- Applications -----------------------------------------------------------------------------------
INSTALLED_APPS = [
    # First: prepares the metrics folder before other apps create counters (`coconut.apps`).
    "coconut",
    "staff",
    "staff.audit_log",
    "services",
    "integrations",
    "integrations.teams",
    "appointments",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "django.forms",
    "csp",
    "django_htmx",
    "timezone_field",
    "rest_framework",
]
if DEMO:
    INSTALLED_APPS.append("demo")
MIDDLEWARE = [
    "coconut.observability.log_context.RequestIdMiddleware",
    "coconut.web.response_headers.PermissionsPolicyMiddleware",
    "coconut.observability.probes.ProbesMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    # After those that set security headers, and before any that reads the body.
    "coconut.web.body_limits.BodyLimitMiddleware",
    "coconut.web.charsets.Utf8Middleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "staff.audit_log.origin.OriginMiddleware",
    "staff.sign_in.known_devices.KnownDeviceMiddleware",
    "staff.access.NoStoreMiddleware",
    "staff.access.OrganizationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "staff.sessions.middleware.SessionLimitMiddleware",
    "staff.sessions.middleware.SignInRequiredMiddleware",
    # After sign-in: a form that is sent after the end of the session leads to the sign-in page, with or without its
    # CSRF cookie.
    "django.middleware.csrf.CsrfViewMiddleware",
    "coconut.web.error_pages.MethodNotAllowedMiddleware",
]
# Files are dropped. A page that takes one sets a handler (`coconut.web.uploads`).
FILE_UPLOAD_HANDLERS: list[str] = []
ROOT_URLCONF = "coconut.urls"
WSGI_APPLICATION = "coconut.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "coconut.web.navigation.navigation",
            ],
        },
    },
]
FORM_RENDERER = "coconut.web.form_rendering.FormRenderer"

# --- Database, broker, cache ------------------------------------------------------------------------
DATABASES = {"default": env.db_url_config(env.str("DATABASE_URL", default=default_database_url(BASE_DIR)))}
DATABASES["default"].setdefault("CONN_MAX_AGE", 60)
DATABASES["default"].setdefault("CONN_HEALTH_CHECKS", True)
# PostgreSQL's default is for spinning disks: it would sort 50,000 people instead of using an index, five times slower.
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("options", "-c random_page_cost=1.1")
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": env.str("CACHE_URL", default=default_cache_url(BASE_DIR)),
        "OPTIONS": {
            # Pages work without a cache, so they must not wait for one that is down.
            "socket_connect_timeout": 1,
            "socket_timeout": 1,
            "serializer": "coconut.cache_serializer.JsonSerializer",
        },
    }
}

# --- Prometheus metrics -----------------------------------------------------------------------------
# Bearer token for /metrics. If unset, /metrics is off.
METRICS_TOKEN = env.str("METRICS_TOKEN", default="")
# Port on which a worker serves its metrics. 0: none.
WORKER_METRICS_PORT = env.int("WORKER_METRICS_PORT", default=0)
# The folder in which the processes of one program share their counters (`coconut.observability.prometheus`).
PROMETHEUS_MULTIPROC_DIR = env.str("PROMETHEUS_MULTIPROC_DIR", default="")

# --- Celery -----------------------------------------------------------------------------------------
CELERY_BROKER_URL = env.str("CELERY_BROKER_URL", default=default_broker_url(BASE_DIR))
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
# Shorter than every lease (`coconut.leases`): a worker that outlives its lease could work on a row that another
# worker holds.
CELERY_TASK_TIME_LIMIT = 75  # seconds
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
# Never: Celery closes connections after twice this number of tasks (`coconut.database.task_connections`).
CELERY_DB_REUSE_MAX = sys.maxsize
# After the first SIGTERM, a worker finishes its tasks. After a second one, they have this many seconds left.
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 15
# Emails printed to the terminal must not become log lines, which mask their links.
CELERY_WORKER_REDIRECT_STDOUTS = False
# A web request waits at most a second for a broker that is down. The sweep enqueues the work later.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "socket_connect_timeout": 1,
    "socket_timeout": 5,
    "visibility_timeout": 300,
    "max_retries": 0,
    # A Redis list per priority ("celery", "celery:3", "celery:6"), consumed in this order.
    "priority_steps": [0, 3, 6],
    "sep": ":",
}
# Lower values go first. Work for a new booking has the default 0, swept meetings have 3 (`coconut.task_queue`), long
# work that isn't urgent has 6.
CELERY_TASK_ROUTES = {
    "appointments.send_waiting_notifications": {"priority": 3},
    "integrations.work_on_rematch_run": {"priority": 6},
    "integrations.rematch_changed_staff": {"priority": 6},
    "integrations.probe_coverage": {"priority": 6},
    "integrations.watch_drift": {"priority": 6},
    "integrations.follow_organizers": {"priority": 3},
    "integrations.reconcile_everything": {"priority": 6},
    "integrations.count_organizers": {"priority": 6},
    "teams.renew": {"priority": 6},
    "appointments.delete_old_data": {"priority": 6},
    "appointments.work_on_bulk_change": {"priority": 6},
    "appointments.email_attention": {"priority": 6},
    "coconut.clear_sessions": {"priority": 6},
}
# Sends beat's heartbeat for /readyz.
CELERY_BEAT_SCHEDULER = "coconut.beat:Scheduler"
# Waits are due times in rows, which sweeps query. No task has a countdown or an ETA.
CELERY_BEAT_SCHEDULE = {
    "sweep-meetings": {"task": "integrations.sweep_meetings", "schedule": 15},
    "rematch-changed-staff": {"task": "integrations.rematch_changed_staff", "schedule": 60},
    "resume-rematch-runs": {"task": "integrations.resume_rematch_runs", "schedule": 15},
    "sweep-coverage": {"task": "integrations.sweep_coverage", "schedule": 15},
    # Checks every connection once a night, a few at a time, and retries failed ones.
    "sweep-drift": {"task": "integrations.sweep_drift", "schedule": crontab(minute="*/5", hour="1-4")},
    "count-organizers": {"task": "integrations.count_organizers", "schedule": crontab(minute=11, hour="*/6")},
    "send-waiting-notifications": {"task": "appointments.send_waiting_notifications", "schedule": 15},
    # Reconciles each connection once a night. Several rounds make up for a beat that was down.
    "reconcile-meetings": {
        "task": "integrations.reconcile_everything",
        "schedule": crontab(minute="7-57/10", hour="1-5"),
    },
    "finish-reconciliations": {"task": "integrations.finish_reconciliations", "schedule": 60},
    # Microsoft ends a sign-in that isn't used for 90 days. Also finds revoked ones within a day.
    "keep-sign-ins-alive": {"task": "teams.keep_alive", "schedule": crontab(hour=4, minute=23)},
    "expire-requests": {"task": "teams.expire_requests", "schedule": crontab(minute=27)},
    # Warns once for each threshold. Several runs a day make up for a beat that was down.
    "warn-of-expiry": {"task": "teams.warn_of_expiry", "schedule": crontab(minute=41, hour="*/6")},
    # Expires: a late heartbeat is meaningless.
    "heartbeat": {"task": "coconut.heartbeat", "schedule": 15, "options": {"expires": 60}},
    # Several rounds, because each ends long before its time limit. An installation may start with many old rows.
    "delete-old-data": {"task": "appointments.delete_old_data", "schedule": crontab(minute="3-53/10", hour="1-5")},
    # Does something after an update of the time zone rules only.
    "check-local-times": {"task": "appointments.check_local_times", "schedule": crontab(minute="*/15")},
    "restore-local-times": {"task": "appointments.restore_local_times", "schedule": 60},
    "resume-bulk-changes": {"task": "appointments.resume_bulk_changes", "schedule": 15},
    # In each organisation's morning, once a day. Several rounds make up for a beat that was down.
    "email-attention": {"task": "appointments.email_attention", "schedule": crontab(minute="*/15")},
    "enqueue-reminders": {"task": "appointments.enqueue_reminders", "schedule": 60},
    "end-access-of-leavers": {"task": "staff.end_access_of_leavers", "schedule": 60},
    "clear-sessions": {"task": "coconut.clear_sessions", "schedule": crontab(hour=3, minute=17)},
}

# --- Microsoft --------------------------------------------------------------------------------------
MICROSOFT_CLIENT_ID = env.str("MICROSOFT_CLIENT_ID", default="")
MICROSOFT_CLIENT_SECRET = env.str("MICROSOFT_CLIENT_SECRET", default="")
MICROSOFT_CLIENT_CERTIFICATE = env.str("MICROSOFT_CLIENT_CERTIFICATE", default="")
MICROSOFT_CLIENT_SECRET_EXPIRES = env.str("MICROSOFT_CLIENT_SECRET_EXPIRES", default="")
MICROSOFT_CLOUD = env.str("MICROSOFT_CLOUD", default="global")
# Replaces Entra and Graph. A check refuses it unless DEBUG or DEMO is on.
MICROSOFT_SIMULATOR_URL = env.str("MICROSOFT_SIMULATOR_URL", default="").rstrip("/")
MICROSOFT_CONNECT_TIMEOUT_SECONDS = env.float("MICROSOFT_CONNECT_TIMEOUT_SECONDS", default=5.0)
MICROSOFT_READ_TIMEOUT_SECONDS = env.float("MICROSOFT_READ_TIMEOUT_SECONDS", default=15.0)

# --- Sign-in, cookies, headers ----------------------------------------------------------------------
AUTH_USER_MODEL = "staff.StaffMember"
AUTHENTICATION_BACKENDS = ["staff.access.MemberBackend"]
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "django.contrib.auth.password_validation.NumericPasswordValidator"},
]
# Of invitations, in seconds. Links for forgotten passwords end earlier (`staff.sign_in.passwords`).
PASSWORD_RESET_TIMEOUT = 3 * 24 * 60 * 60
_HTTPS = BASE_URL.startswith("https://")
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = _HTTPS
# Not Strict: the redirect back from Microsoft is a cross-site navigation that needs the session.
SESSION_COOKIE_SAMESITE = env.str("SESSION_COOKIE_SAMESITE", default="Lax")
# An hour longer than a session lasts (`staff.sessions.limits`), so that the sign-in page can give the reason.
SESSION_COOKIE_AGE = 13 * 60 * 60
# Browsers accept a cookie with this prefix only from this host over https, so no other host of the domain can set it.
_COOKIE_PREFIX = "__Host-" if _HTTPS else ""
SESSION_COOKIE_NAME = f"{_COOKIE_PREFIX}coconut_session"
CSRF_COOKIE_NAME = f"{_COOKIE_PREFIX}coconut_csrf"
DEVICE_COOKIE_NAME = f"{_COOKIE_PREFIX}coconut_device"
MESSAGES_COOKIE_NAME = f"{_COOKIE_PREFIX}coconut_messages"
MESSAGE_STORAGE = "coconut.web.message_storage.MessageStorage"
CSRF_FAILURE_VIEW = "coconut.web.error_pages.csrf_failure"
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if _HTTPS else None
SECURE_SSL_REDIRECT = _HTTPS
# Number of proxies that append to X-Forwarded-For. Entries of others are ignored.
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", default=1 if _HTTPS else 0)
REST_FRAMEWORK = {"NUM_PROXIES": TRUSTED_PROXIES}
# Rate limits of the Client View. Benchmarks switch them off.
RATE_LIMITS = True
SECURE_HSTS_SECONDS = env.int("SECURE_HSTS_SECONDS", default=31_536_000 if _HTTPS else 0)
# Off by default: hosts below BASE_URL's may belong to others and not have https.
SECURE_HSTS_INCLUDE_SUBDOMAINS = env.bool("SECURE_HSTS_INCLUDE_SUBDOMAINS", default=False)
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "font-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}

# --- Language and time ------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English")]
LOCALE_PATHS = [BASE_DIR / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True

# --- Static files -----------------------------------------------------------------------------------
STATIC_URL = "static/"
# Development, demo and tests collect nothing: WhiteNoise serves files through the finders.
WHITENOISE_USE_FINDERS = DEBUG or DEMO
STATIC_ROOT = None if WHITENOISE_USE_FINDERS else BASE_DIR / "staticfiles"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATICFILES_FINDERS = [
    "django.contrib.staticfiles.finders.FileSystemFinder",
    "django.contrib.staticfiles.finders.AppDirectoriesFinder",
    "coconut.web.static_files.VendorFinder",
]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if WHITENOISE_USE_FINDERS
        else "whitenoise.storage.CompressedManifestStaticFilesStorage"
    },
}

# --- Email ------------------------------------------------------------------------------------------
vars().update(env.email_url("EMAIL_URL", default="consolemail://"))
EMAIL_TIMEOUT = 10
# A provider instead of SMTP (`coconut.email_providers`).
EMAIL_PROVIDER = env.str("EMAIL_PROVIDER", default="")
# "user:password" with which the provider reports bounces.
EMAIL_WEBHOOK_SECRET = env.str("EMAIL_WEBHOOK_SECRET", default="")
EMAIL_PROVIDER_SETTINGS: dict[str, str] = env.dict("EMAIL_PROVIDER_SETTINGS", default={})
ANYMAIL = {
    "WEBHOOK_SECRET": EMAIL_WEBHOOK_SECRET,
    "REQUESTS_TIMEOUT": EMAIL_TIMEOUT,
    # Providers drop the calendar entry beside the text. The attached calendar file stays.
    "IGNORE_UNSUPPORTED_FEATURES": True,
    **EMAIL_PROVIDER_SETTINGS,
}
if EMAIL_PROVIDER:
    EMAIL_BACKEND = f"anymail.backends.{EMAIL_PROVIDER}.EmailBackend"
EMAIL_SUBJECT_PREFIX = "[Coconut] "
DEFAULT_FROM_EMAIL = env.str("DEFAULT_FROM_EMAIL", default="Coconut <no-reply@localhost>")
SERVER_EMAIL = DEFAULT_FROM_EMAIL
# Gets bounces over SMTP (Return-Path). If unset, the sender's address does.
BOUNCE_ADDRESS = env.str("BOUNCE_ADDRESS", default="")
# Get emails about problems that only operators can fix, such as an expired client secret.
_OPERATOR_EMAILS: list[str] = env.list("OPERATOR_EMAILS", default=[])
ADMINS = [("Operator", address) for address in _OPERATOR_EMAILS]
# Email addresses or URLs in /.well-known/security.txt.
SECURITY_CONTACT: list[str] = env.list("SECURITY_CONTACT", default=[]) or _OPERATOR_EMAILS

# --- Logs -------------------------------------------------------------------------------------------
# json for log collectors, line for people.
LOG_FORMAT = env.str("LOG_FORMAT", default="line" if DEBUG or DEMO else "json")
# Masked everywhere in the logs.
LOG_SECRETS = [
    SECRET_KEY,
    *ENCRYPTION_KEYS,
    MICROSOFT_CLIENT_SECRET,
    METRICS_TOKEN,
    EMAIL_WEBHOOK_SECRET,
    *EMAIL_PROVIDER_SETTINGS.values(),
]
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {"context": {"()": "coconut.observability.log_context.ContextFilter"}},
    "formatters": {
        "line": {
            "()": "coconut.observability.logs.MaskingFormatter",
            "fmt": "%(asctime)s %(levelname)s %(name)s %(message)s%(request_suffix)s",
            "secrets": LOG_SECRETS,
        },
        "json": {"()": "coconut.observability.logs.JsonFormatter", "secrets": LOG_SECRETS},
    },
    "handlers": {
        "console": {
            "class": "logging.StreamHandler",
            "formatter": "json" if LOG_FORMAT == "json" else "line",
            "filters": ["context"],
        }
    },
    "root": {"handlers": ["console"], "level": env.str("LOG_LEVEL", default="INFO")},
    "loggers": {
        # MSAL's debug lines contain authorization codes. They stay off, even if LOG_LEVEL is DEBUG.
        "msal": {"level": "INFO"},
        "urllib3": {"level": "WARNING"},
        "waitress": {"level": "WARNING"},
        # Warns whenever a request waits for a thread.
        "waitress.queue": {"level": "ERROR"},
        "django": {"handlers": [], "propagate": True},
    },
}
