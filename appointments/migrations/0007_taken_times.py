from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("appointments", "0006_client_search")]

    operations = [
        migrations.AddIndex(
            model_name="appointment",
            index=models.Index(
                condition=models.Q(("status__in", ["confirmed", "arrived", "in_progress", "served"])),
                fields=["staff", "busy_from"],
                include=("id", "busy_to"),
                name="appointment_taken",
            ),
        ),
    ]
