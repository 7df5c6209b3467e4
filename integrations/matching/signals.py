"""Signals of matches."""

from __future__ import annotations

from django.dispatch import Signal

#: Sent inside the transaction after staff can host as another remote user than before, or under another name:
#: `sender=UserMatch, connection_id=int`.
remote_users_changed = Signal()
