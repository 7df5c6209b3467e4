from uuid import uuid4

from django.contrib.postgres.functions import RandomUUID
from django.db import migrations, models
from django.db.models.functions import Cast

import appointments.models


class Migration(migrations.Migration):

    dependencies = [
        ('appointments', '0004_notifications_share_an_email'),
    ]

    operations = [
        # PostgreSQL computes these defaults for each stored row.
        migrations.AddField(
            model_name='appointment',
            name='public_id',
            field=models.UUIDField(db_default=RandomUUID(), default=uuid4, editable=False),
        ),
        migrations.AddField(
            model_name='appointment',
            name='staff_join_token',
            field=models.CharField(
                db_default=Cast(RandomUUID(), models.CharField()),
                default=appointments.models.new_token,
                editable=False,
                max_length=40,
            ),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.UniqueConstraint(fields=('public_id',), name='public_id_once'),
        ),
        migrations.AddConstraint(
            model_name='appointment',
            constraint=models.UniqueConstraint(fields=('staff_join_token',), name='staff_join_token_once'),
        ),
        migrations.AlterField(
            model_name='appointmentevent',
            name='kind',
            field=models.CharField(choices=[('booked', 'Booked'), ('moved', 'Moved'), ('length_changed', 'Length changed'), ('reassigned', 'Reassigned'), ('reassigned_same_link', 'Reassigned, same link'), ('reassigned_new_link', 'Reassigned, new link'), ('method_changed', 'Meeting method changed'), ('location_changed', 'Location changed'), ('confirmed', 'Confirmed again'), ('arrived', 'Arrived'), ('in_progress', 'In progress'), ('served', 'Served'), ('no_show', 'No-show'), ('cancelled', 'Cancelled'), ('cancelled_with_reason', 'Cancelled with a reason'), ('notes_changed', 'Notes changed'), ('private_links_replaced', 'Client’s links replaced'), ('link_requested', 'Link requested'), ('link_replaced', 'Link replaced'), ('link_ready', 'Link ready'), ('link_failed', 'No link'), ('link_change_failed', 'Change not synced'), ('link_check_failed', 'Link not checked'), ('meeting_repaired', 'Meeting repaired')], max_length=30),
        ),
    ]
