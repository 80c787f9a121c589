#!/usr/bin/env python
"""The commands of the dashboard: `python manage.py help`."""

from __future__ import annotations

import os
import sys


def main() -> None:
    """Check the environment as a whole, then hand over to Django."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "callops.site.settings")
    from callops.site import environment, start

    try:
        start.prepare(sys.argv)
    except environment.EnvironmentProblems as problems:
        start.report(problems)
        sys.exit(1)
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
