"""The project: settings, URLs, the Celery application, checks and health."""

import zoneinfo

# Use the rules of the pinned package `tzdata` in every process. Time zone rules change several times a year, and the
# machine's copy may be older (docs.python.org/3/library/zoneinfo.html#configuring-the-data-sources).
zoneinfo.reset_tzpath(to=())
zoneinfo.ZoneInfo.clear_cache()

from coconut.celery import app as celery_app  # noqa: E402 - after the time zone rules

__all__ = ["celery_app"]
