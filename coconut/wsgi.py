"""The WSGI entry point for gunicorn."""

import gc
import os

import django
from django.core.checks import Tags
from django.core.management.base import BaseCommand

from coconut.database.statement_timeouts import WEB_SECONDS, limit_statements
from coconut.web.charsets import Utf8Handler

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coconut.settings")
django.setup(set_prefix=False)
limit_statements(WEB_SECONDS)
application = Utf8Handler()
# Django runs no system checks under WSGI. The server must not start with a publicly known key.
BaseCommand().check(tags=[Tags.security])
# Keep the loaded modules out of garbage collection, which would otherwise take a tenth of every request.
gc.collect()
gc.freeze()
# A page creates thousands of objects, and reference counting frees nearly all. Collect the rest every few pages instead
# of every 700 objects.
gc.set_threshold(50_000, 20, 20)
