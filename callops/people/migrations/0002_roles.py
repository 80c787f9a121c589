from django.db import migrations

RIGHTS = {
    "people.see_numbers": ("team", "Can read callers' numbers"),
    "people.export": ("team", "Can take evidence and reports out of the house"),
    "people.reveal": ("team", "Can read what was redacted, with a reason"),
    "people.administer": ("team", "Can keep people, settings and the audit, and sees every line"),
    "transfers.add_transferattempt": ("transferattempt", "Can add transfer attempt"),
    "transfers.type_number": ("transferattempt", "Can send callers to an address that is not in the directory"),
    "supervision.add_intervention": ("intervention", "Can add intervention"),
    "supervision.add_price": ("price", "Can add price"),
}
ROLES = {
    "viewer": (),
    "supervisor": (
        "people.see_numbers",
        "people.export",
        "transfers.add_transferattempt",
        "supervision.add_intervention",
    ),
    "analyst": ("people.see_numbers", "people.export"),
    "administrator": tuple(RIGHTS),
}


def make_roles(apps, schema_editor):
    """Permissions are made after all migrations; the groups need theirs now."""
    content_types, permissions = apps.get_model("contenttypes", "ContentType"), apps.get_model("auth", "Permission")
    groups = apps.get_model("auth", "Group")
    known = {}
    for right, (model, name) in RIGHTS.items():
        app, codename = right.split(".")
        kind, _ = content_types.objects.get_or_create(app_label=app, model=model)
        known[right], _ = permissions.objects.get_or_create(content_type=kind, codename=codename, defaults={"name": name})
    for role, rights in ROLES.items():
        group, _ = groups.objects.get_or_create(name=role)
        group.permissions.add(*(known[right] for right in rights))


class Migration(migrations.Migration):

    dependencies = [
        ("people", "0001_initial"),
        ("auth", "0012_alter_user_first_name_max_length"),
        ("contenttypes", "0002_remove_content_type_name"),
        ("transfers", "0002_typed"),
        ("supervision", "0003_first_prices"),
    ]

    operations = [migrations.RunPython(make_roles, migrations.RunPython.noop)]
