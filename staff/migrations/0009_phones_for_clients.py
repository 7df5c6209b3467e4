"""Clients are given a number of the house instead of somebody's own address."""

from django.db import migrations, models

import staff.one_line


def _phone() -> models.CharField:
    return models.CharField(
        blank=True,
        db_default="",
        default="",
        max_length=40,
        validators=[staff.validators.one_line],
        verbose_name="phone for clients",
    )


class Migration(migrations.Migration):
    dependencies = [("staff", "0008_one_line_addresses_and_reasons")]

    operations = [
        migrations.AddField("organization", "phone", _phone()),
        migrations.AddField("location", "phone", _phone()),
    ]
