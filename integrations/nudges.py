"""Nudges: a word to the worker that a row is due. Losing one costs time, never work, as beat looks at the rows."""

from __future__ import annotations

import logging
from functools import partial

from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

logger = logging.getLogger(__name__)


def nudge_on_commit(task: str, *args: object) -> None:
    """Send the task named `task` once what the transaction wrote can be seen. Never raises."""
    transaction.on_commit(partial(send, task, *args), robust=True)


def send(task: str, *args: object) -> None:
    """Send a task now, in one attempt. A broker that is down is a line in the log."""
    try:
        current_app.send_task(task, args=args, retry=False)
    except OperationalError as error:
        logger.warning("The broker cannot be reached (%s); beat will see to %s %s.", error, task, args)
