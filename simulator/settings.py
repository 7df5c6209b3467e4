"""Django settings of the simulator: no database, no users, cookies with names of their own."""

import secrets
from pathlib import Path

BASE_DIR = Path(__file__).resolve().parent
SECRET_KEY = secrets.token_urlsafe(48)
DEBUG = False
ALLOWED_HOSTS = ["*"]
ROOT_URLCONF = "simulator.urls"
WSGI_APPLICATION = None
INSTALLED_APPS = ["django.contrib.sessions"]
APPEND_SLASH = False
USE_TZ = True
USE_I18N = False
DATABASES: dict[str, object] = {}

MIDDLEWARE = [
    "simulator.middleware.Exchange",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]

# Cookies ignore ports, so Django's own names would collide with the product's.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_NAME = "sim_session"
CSRF_COOKIE_NAME = "sim_csrf"
# A reset connection has no body to wait for; a batch with long filters may be large.
DATA_UPLOAD_MAX_MEMORY_SIZE = 50_000_000

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    # 4xx answers are the simulator's job, not news.
    "loggers": {"django.request": {"handlers": ["console"], "level": "ERROR", "propagate": False}},
}
