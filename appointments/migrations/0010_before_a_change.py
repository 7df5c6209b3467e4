"""Mails say what a change was from."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("appointments", "0009_video_without_link")]

    operations = [
        migrations.AddField("notification", "before", models.JSONField(null=True, blank=True)),
    ]
