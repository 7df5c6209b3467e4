"""The WSGI entry point for gunicorn."""

import gc
import os

from django.core.checks import Tags
from django.core.management.base import BaseCommand
from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coconut.settings")
application = get_wsgi_application()
# A web server runs no system checks by itself; with a key that anybody can read it must not run at all.
BaseCommand().check(tags=[Tags.security])
# What is loaded by now stays: looking through it for garbage again and again would take a tenth of every request.
gc.collect()
gc.freeze()
# A page makes thousands of objects, nearly all of which go by themselves: it is enough to look for the rest every few
# pages, not after every 700 objects.
gc.set_threshold(50_000, 20, 20)
