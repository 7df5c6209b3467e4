
import django.contrib.postgres.constraints
import django.contrib.postgres.fields
import django.contrib.postgres.fields.ranges
import django.contrib.postgres.indexes
import django.core.validators
import django.db.models.deletion
import django.db.models.functions.datetime
import django.db.models.functions.text
import django.utils.timezone
import staff.models
import timezone_field.fields
from django.conf import settings
from django.contrib.postgres.operations import BtreeGistExtension, TrigramExtension
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        BtreeGistExtension(),
        TrigramExtension(),
        migrations.CreateModel(
            name='Organization',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200, validators=[django.core.validators.RegexValidator('[\x01-\x1f\x7f-\x9f\u2028\u2029]', code='one_line', inverse_match=True, message='Write this on one line, without tabs and other control characters.')], verbose_name='name')),
                ('slug', models.SlugField(unique=True)),
                ('time_zone', timezone_field.fields.TimeZoneField(default='UTC', verbose_name='time zone')),
                ('language', models.CharField(default='en', max_length=10, verbose_name='language')),
                ('addons', django.contrib.postgres.fields.ArrayField(base_field=models.SlugField(), blank=True, default=list, size=None, verbose_name='add-ons')),
                ('phone', models.CharField(blank=True, db_default='', default='', max_length=40, validators=[django.core.validators.RegexValidator('[\x01-\x1f\x7f-\x9f\u2028\u2029]', code='one_line', inverse_match=True, message='Write this on one line, without tabs and other control characters.')], verbose_name='phone for clients')),
                ('embed_origins', models.TextField(blank=True, help_text='One origin a line.', verbose_name='sites allowed to embed the Client View')),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'verbose_name': 'organisation',
                'verbose_name_plural': 'organisations',
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='Location',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200, validators=[django.core.validators.RegexValidator('[\x01-\x1f\x7f-\x9f\u2028\u2029]', code='one_line', inverse_match=True, message='Write this on one line, without tabs and other control characters.')], verbose_name='name')),
                ('address', models.CharField(blank=True, max_length=300, validators=[django.core.validators.RegexValidator('[\x01-\x1f\x7f-\x9f\u2028\u2029]', code='one_line', inverse_match=True, message='Write this on one line, without tabs and other control characters.')], verbose_name='address')),
                ('phone', models.CharField(blank=True, db_default='', default='', max_length=40, validators=[django.core.validators.RegexValidator('[\x01-\x1f\x7f-\x9f\u2028\u2029]', code='one_line', inverse_match=True, message='Write this on one line, without tabs and other control characters.')], verbose_name='phone for clients')),
                ('time_zone', timezone_field.fields.TimeZoneField(default='UTC', verbose_name='time zone')),
                ('organization', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='locations', to='staff.organization')),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='StaffMember',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('password', models.CharField(max_length=128, verbose_name='password')),
                ('last_login', models.DateTimeField(blank=True, null=True, verbose_name='last login')),
                ('is_superuser', models.BooleanField(default=False, help_text='Designates that this user has all permissions without explicitly assigning them.', verbose_name='superuser status')),
                ('is_staff', models.BooleanField(default=False, help_text='Designates whether the user can log into this admin site.', verbose_name='staff status')),
                ('is_active', models.BooleanField(default=True, help_text='Designates whether this user should be treated as active. Unselect this instead of deleting accounts.', verbose_name='active')),
                ('date_joined', models.DateTimeField(default=django.utils.timezone.now, verbose_name='date joined')),
                ('first_name', models.CharField(blank=True, max_length=150, validators=[django.core.validators.RegexValidator('[\x01-\x1f\x7f-\x9f\u2028\u2029]', code='one_line', inverse_match=True, message='Write this on one line, without tabs and other control characters.')], verbose_name='first name')),
                ('last_name', models.CharField(blank=True, max_length=150, validators=[django.core.validators.RegexValidator('[\x01-\x1f\x7f-\x9f\u2028\u2029]', code='one_line', inverse_match=True, message='Write this on one line, without tabs and other control characters.')], verbose_name='last name')),
                ('role', models.CharField(choices=[('admin', 'Admin'), ('scheduler', 'Scheduler'), ('staff', 'Staff member')], default='staff', max_length=10, verbose_name='role')),
                ('email', models.EmailField(error_messages={'unique': 'This email is already taken.'}, max_length=254, unique=True, verbose_name='email')),
                ('username', models.CharField(blank=True, max_length=150, validators=[django.core.validators.RegexValidator('[\x01-\x1f\x7f-\x9f\u2028\u2029]', code='one_line', inverse_match=True, message='Write this on one line, without tabs and other control characters.')], verbose_name='username')),
                ('time_zone', timezone_field.fields.TimeZoneField(blank=True, null=True, verbose_name='time zone')),
                ('video_choice', models.CharField(choices=[('default', 'Organisation default'), ('connection', 'A chosen connection'), ('personal', 'Personal link')], default='default', max_length=10)),
                ('personal_meeting_url', models.URLField(blank=True, validators=[django.core.validators.URLValidator(['https'])], verbose_name='personal meeting link')),
                ('personal_meeting_note', models.CharField(blank=True, max_length=300, validators=[django.core.validators.RegexValidator('[\x01-\x1f\x7f-\x9f\u2028\u2029]', code='one_line', inverse_match=True, message='Write this on one line, without tabs and other control characters.')], verbose_name='note for the personal link')),
                ('search_text', models.GeneratedField(db_persist=True, expression=django.db.models.functions.text.Upper(django.db.models.functions.text.Concat('first_name', models.Value(' '), 'last_name', models.Value(' '), 'email', models.Value(' '), 'username', output_field=models.TextField())), output_field=models.TextField())),
                ('groups', models.ManyToManyField(blank=True, help_text='The groups this user belongs to. A user will get all permissions granted to each of their groups.', related_name='user_set', related_query_name='user', to='auth.group', verbose_name='groups')),
                ('user_permissions', models.ManyToManyField(blank=True, help_text='Specific permissions for this user.', related_name='user_set', related_query_name='user', to='auth.permission', verbose_name='user permissions')),
                ('location', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='staff', to='staff.location', verbose_name='location')),
                ('organization', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='staff', to='staff.organization', verbose_name='organisation')),
            ],
            options={
                'verbose_name': 'staff member',
                'verbose_name_plural': 'staff members',
                'ordering': ['first_name', 'last_name', 'email'],
            },
            managers=[
                ('objects', staff.models.StaffMemberManager()),
            ],
        ),
        migrations.CreateModel(
            name='OutboxEmail',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('lease_token', models.UUIDField(blank=True, null=True)),
                ('lease_until', models.DateTimeField(blank=True, null=True)),
                ('kind', models.CharField(max_length=50, verbose_name='kind')),
                ('to', django.contrib.postgres.fields.ArrayField(base_field=models.EmailField(max_length=254), size=None, verbose_name='to')),
                ('params', models.JSONField(default=dict)),
                ('language', models.CharField(blank=True, max_length=10)),
                ('state', models.CharField(choices=[('waiting', 'Waiting'), ('sending', 'Sending'), ('sent', 'Sent'), ('failed', 'Failed')], default='waiting', max_length=10, verbose_name='state')),
                ('error', models.CharField(blank=True, max_length=300, verbose_name='error')),
                ('attempts', models.PositiveSmallIntegerField(default=0, verbose_name='attempts')),
                ('due_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now(), verbose_name='due')),
                ('created_at', models.DateTimeField(auto_now_add=True, verbose_name='created')),
                ('sent_at', models.DateTimeField(blank=True, null=True, verbose_name='sent')),
                ('organization', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='staff.organization', verbose_name='organisation')),
            ],
            options={
                'verbose_name': 'email',
                'verbose_name_plural': 'emails',
            },
        ),
        migrations.CreateModel(
            name='TimeOff',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('starts_at', models.DateTimeField(verbose_name='from')),
                ('ends_at', models.DateTimeField(verbose_name='to')),
                ('reason', models.CharField(blank=True, max_length=200, validators=[django.core.validators.RegexValidator('[\x01-\x1f\x7f-\x9f\u2028\u2029]', code='one_line', inverse_match=True, message='Write this on one line, without tabs and other control characters.')], verbose_name='reason')),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='time_off', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['starts_at'],
            },
        ),
        migrations.CreateModel(
            name='WorkingHours',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weekday', models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')], verbose_name='weekday')),
                ('start', models.TimeField(verbose_name='from')),
                ('end', models.TimeField(verbose_name='to')),
                ('staff', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='working_hours', to=settings.AUTH_USER_MODEL)),
            ],
            options={
                'ordering': ['weekday', 'start'],
                'abstract': False,
            },
        ),
        migrations.CreateModel(
            name='LocationHours',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('weekday', models.PositiveSmallIntegerField(choices=[(0, 'Monday'), (1, 'Tuesday'), (2, 'Wednesday'), (3, 'Thursday'), (4, 'Friday'), (5, 'Saturday'), (6, 'Sunday')], verbose_name='weekday')),
                ('start', models.TimeField(verbose_name='from')),
                ('end', models.TimeField(verbose_name='to')),
                ('location', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='hours', to='staff.location')),
            ],
            options={
                'ordering': ['weekday', 'start'],
                'abstract': False,
                'constraints': [models.CheckConstraint(condition=models.Q(('end__gt', models.F('start'))), name='locationhours_end_after_start'), models.CheckConstraint(condition=models.Q(('weekday__lte', 6)), name='locationhours_weekday_exists')],
            },
        ),
        migrations.AddConstraint(
            model_name='location',
            constraint=models.UniqueConstraint(models.F('organization'), django.db.models.functions.text.Lower('name'), name='location_name_once_per_organization'),
        ),
        migrations.AddIndex(
            model_name='staffmember',
            index=models.Index(fields=['organization', 'first_name', 'last_name', 'email'], include=('id', 'is_active', 'search_text'), name='staff_by_name'),
        ),
        migrations.AddIndex(
            model_name='staffmember',
            index=models.Index(fields=['organization', 'is_active'], name='staff_by_activity'),
        ),
        migrations.AddIndex(
            model_name='staffmember',
            index=django.contrib.postgres.indexes.GinIndex(fields=['search_text'], name='staff_by_words', opclasses=['gin_trgm_ops']),
        ),
        migrations.AddConstraint(
            model_name='staffmember',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('email'), name='email_once_without_case', violation_error_message='This email is already taken.'),
        ),
        migrations.AddConstraint(
            model_name='staffmember',
            constraint=models.UniqueConstraint(models.F('organization'), django.db.models.functions.text.Lower('username'), condition=models.Q(('username', ''), _negated=True), name='username_once_per_organization', violation_error_message='This username is already taken.'),
        ),
        migrations.AddConstraint(
            model_name='staffmember',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('video_choice', 'personal'), _negated=True), models.Q(('personal_meeting_url', ''), _negated=True), _connector='OR'), name='personal_link_when_chosen', violation_error_message='Enter the personal meeting link.'),
        ),
        migrations.AddIndex(
            model_name='outboxemail',
            index=models.Index(condition=models.Q(('state', 'waiting')), fields=['created_at'], name='outbox_email_waiting'),
        ),
        migrations.AddConstraint(
            model_name='timeoff',
            constraint=models.CheckConstraint(condition=models.Q(('ends_at__gt', models.F('starts_at'))), name='time_off_end_after_start'),
        ),
        migrations.AddConstraint(
            model_name='timeoff',
            constraint=django.contrib.postgres.constraints.ExclusionConstraint(expressions=[(models.Func('starts_at', 'ends_at', django.contrib.postgres.fields.ranges.RangeBoundary(), function='TSTZRANGE', output_field=django.contrib.postgres.fields.ranges.DateTimeRangeField()), '&&'), ('staff', '=')], name='time_off_once_at_a_time', violation_error_message='This overlaps other time off.'),
        ),
        migrations.AddConstraint(
            model_name='workinghours',
            constraint=models.CheckConstraint(condition=models.Q(('end__gt', models.F('start'))), name='workinghours_end_after_start'),
        ),
        migrations.AddConstraint(
            model_name='workinghours',
            constraint=models.CheckConstraint(condition=models.Q(('weekday__lte', 6)), name='workinghours_weekday_exists'),
        ),
    ]
