"""Django settings of the simulator: no database, no users, own cookie names.

Sessions live in signed cookies, whose key changes with every start.
"""

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
    "simulator.middleware.FaultInjectionMiddleware",
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

# Cookies ignore ports: Django's default names would collide with the product's on localhost.
SESSION_ENGINE = "django.contrib.sessions.backends.signed_cookies"
SESSION_COOKIE_NAME = "sim_session"
CSRF_COOKIE_NAME = "sim_csrf"
# A batch with long filters can exceed Django's default of 2.5 MB.
DATA_UPLOAD_MAX_MEMORY_SIZE = 50_000_000

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "handlers": {"console": {"class": "logging.StreamHandler"}},
    # 4xx responses are expected; don't log them.
    "loggers": {"django.request": {"handlers": ["console"], "level": "ERROR", "propagate": False}},
}
