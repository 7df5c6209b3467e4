import django.db.models.deletion
import django.db.models.functions.datetime
import integrations.encryption
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('integrations', '0001_initial'),
        ('staff', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='ExpiryWarning',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('credential', models.CharField(max_length=20)),
                ('ends', models.DateTimeField()),
                ('threshold', models.SmallIntegerField()),
                ('notified_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('credential', 'ends', 'threshold'), name='expiry_notified_once_per_threshold')],
            },
        ),
        migrations.CreateModel(
            name='TeamsConnection',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('lease_token', models.UUIDField(blank=True, null=True)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('method', models.CharField(choices=[('service_account', 'Service Account'), ('access_policy', 'Application Access Policy')], default='service_account', max_length=20)),
                ('tenant_id', models.UUIDField()),
                ('tenant_name', models.CharField(blank=True, max_length=200)),
                ('account_oid', models.CharField(max_length=100)),
                ('account_upn', models.CharField(max_length=320)),
                ('account_name', models.CharField(blank=True, max_length=300)),
                ('granted', models.JSONField(default=list)),
                ('tokens', integrations.encryption.EncryptedJSONField(default=dict, editable=False)),
                ('token_version', models.PositiveIntegerField(default=1)),
                ('refreshed_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('consented_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('lobby_policy', models.CharField(choices=[('clients_wait', 'Clients wait, staff admit'), ('nobody_waits', 'Nobody waits')], default='clients_wait', max_length=15)),
                ('connection', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='teams', to='integrations.connection')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='staff.organization')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('organization', 'method', 'tenant_id', 'account_oid'), name='account_connected_once_per_organization'), models.UniqueConstraint(condition=models.Q(('method', 'access_policy')), fields=('organization', 'tenant_id'), name='policy_tenant_connected_once_per_organization')],
            },
        ),
    ]
