from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0002_lockdown_and_email"),
    ]

    operations = [
        migrations.AddField(
            model_name="user",
            name="quarantined_until",
            field=models.DateTimeField(
                blank=True, editable=False, null=True, verbose_name="quarantined until"
            ),
        ),
    ]
