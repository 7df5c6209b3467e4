import django.db.models.deletion
from django.db import migrations, models
from django.db.models.functions import Now

# PostgreSQL refuses to alter a table while the checks of changed rows are still to come.
FILL = """
UPDATE teams_teamsconnection
   SET organization_id = integrations_connection.organization_id
  FROM integrations_connection
 WHERE integrations_connection.id = teams_teamsconnection.connection_id;
SET CONSTRAINTS ALL IMMEDIATE;
"""


def organization(**options):
    return models.ForeignKey(
        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="staff.organization", **options
    )


class Migration(migrations.Migration):
    dependencies = [("integrations", "0001_initial"), ("staff", "0001_initial"), ("teams", "0001_initial")]

    operations = [
        migrations.AddField("teamsconnection", "organization", organization(null=True)),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField("teamsconnection", "organization", organization()),
        migrations.AddField("teamsconnection", "refreshed_at", models.DateTimeField(db_default=Now())),
        migrations.AddConstraint(
            "teamsconnection",
            models.UniqueConstraint(
                fields=("organization", "method", "tenant_id", "account_oid"),
                name="account_connected_once_per_organization",
            ),
        ),
    ]
