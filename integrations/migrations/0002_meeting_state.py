"""A meeting with a link is ready, whatever its last change met; and when to compare after an uncertain write."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("integrations", "0001_initial")]

    operations = [
        migrations.RemoveField(model_name="meeting", name="recheck"),
        migrations.AddField(
            model_name="meeting", name="recheck_at", field=models.DateTimeField(blank=True, null=True)
        ),
        # PostgreSQL cannot change the expression of a generated column: it is made anew.
        migrations.RemoveIndex(model_name="meeting", name="meeting_by_state"),
        migrations.RemoveField(model_name="meeting", name="state"),
        migrations.AddField(
            model_name="meeting",
            name="state",
            field=models.GeneratedField(
                db_persist=True,
                expression=models.Case(
                    models.When(
                        synced_version=models.F("version"), then=models.Value("cancelled"), wanted="gone"
                    ),
                    models.When(
                        models.Q(("wanted", "live"), models.Q(("join_url", ""), _negated=True)),
                        then=models.Value("ready"),
                    ),
                    models.When(
                        models.Q(models.Q(("error_kind", ""), _negated=True), ("due_at__isnull", True)),
                        then=models.Value("failed"),
                    ),
                    models.When(then=models.Value("cancelling"), wanted="gone"),
                    default=models.Value("pending"),
                ),
                output_field=models.CharField(
                    choices=[
                        ("pending", "Creating the link…"),
                        ("ready", "Ready"),
                        ("failed", "Failed"),
                        ("cancelling", "Cancelling…"),
                        ("cancelled", "Cancelled"),
                    ],
                    max_length=10,
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="meeting",
            index=models.Index(fields=["connection", "state"], name="meeting_by_state"),
        ),
    ]
