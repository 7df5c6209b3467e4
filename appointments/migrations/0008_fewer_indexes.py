from django.db import migrations, models

import appointments.models


class Migration(migrations.Migration):
    dependencies = [("appointments", "0007_taken_times")]

    operations = [
        # The new ones first: the secrets are unique at every moment.
        migrations.AddConstraint(
            model_name="appointment",
            constraint=models.UniqueConstraint(fields=["manage_token"], name="manage_token_once"),
        ),
        migrations.AddConstraint(
            model_name="appointment",
            constraint=models.UniqueConstraint(fields=["join_token"], name="join_token_once"),
        ),
        migrations.AlterField(
            model_name="appointment",
            name="manage_token",
            field=models.CharField(default=appointments.models.new_token, editable=False, max_length=40),
        ),
        migrations.AlterField(
            model_name="appointment",
            name="join_token",
            field=models.CharField(default=appointments.models.new_token, editable=False, max_length=40),
        ),
        migrations.AlterField(
            model_name="appointment",
            name="organization",
            field=models.ForeignKey(
                db_index=False,
                on_delete=models.deletion.CASCADE,
                related_name="appointments",
                to="staff.organization",
            ),
        ),
        migrations.AlterField(
            model_name="appointment",
            name="client",
            field=models.ForeignKey(
                db_index=False,
                on_delete=models.deletion.PROTECT,
                related_name="appointments",
                to="appointments.client",
            ),
        ),
        migrations.AlterField(
            model_name="notification",
            name="appointment",
            field=models.ForeignKey(
                db_index=False,
                on_delete=models.deletion.CASCADE,
                related_name="notifications",
                to="appointments.appointment",
            ),
        ),
    ]
