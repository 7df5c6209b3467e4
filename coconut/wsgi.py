"""The WSGI entry point for gunicorn."""

import os

from django.core.checks import Tags
from django.core.management.base import BaseCommand
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coconut.settings")
application = get_wsgi_application()
# A web server runs no system checks by itself; with a key that anybody can read it must not run at all.
BaseCommand().check(tags=[Tags.security])
