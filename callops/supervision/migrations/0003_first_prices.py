"""The prices of November 2026 (contract OpenAI 8), for an administrator to go on from."""

from datetime import date

from django.db import migrations

DAY = date(2026, 11, 1)
NAMES = ("text_in", "text_cached", "text_out", "audio_in", "audio_cached", "audio_out", "image_in", "image_cached")
BIG = ("4", "0.40", "24", "32", "0.40", "64", "5", "0.50")
MINI = ("0.60", "0.06", "2.40", "10", "0.30", "20", "0.80", "0.08")
MODELS = {"gpt-realtime-2.1": BIG, "gpt-realtime-2": BIG, "gpt-realtime-2.1-mini": MINI}


def add(apps, schema_editor):
    price = apps.get_model("supervision", "Price")
    for model, values in MODELS.items():
        price.objects.get_or_create(model=model, from_day=DAY, defaults=dict(zip(NAMES, values, strict=True)))
    price.objects.get_or_create(model="gpt-realtime-whisper", from_day=DAY, defaults={"per_minute": "0.017"})


class Migration(migrations.Migration):
    dependencies = [("supervision", "0002_price")]
    operations = [migrations.RunPython(add, migrations.RunPython.noop)]
