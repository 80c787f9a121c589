"""Calls that ended just now are found without reading all that ever ended."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("calls", "0003_search")]
    operations = [
        migrations.AddIndex(
            "call",
            models.Index(fields=["ended_at"], condition=models.Q(ended_at__isnull=False), name="call_ended"),
        )
    ]
