"""The Celery application; its settings are the CELERY_* names of `coconut.settings`."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "coconut.settings")

app = Celery("coconut")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
