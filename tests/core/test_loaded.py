from __future__ import annotations

import gc
import subprocess
import sys
import weakref
from collections.abc import Iterator

import pytest
from django.conf import settings

from callops.core.loaded import keep_loaded


class Knot:
    """Something that only the collector can take away."""

    def __init__(self) -> None:
        self.me = self


@pytest.fixture(autouse=True)
def thawed() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*threshold)


def test_what_is_loaded_is_not_gone_through_again_and_what_comes_later_is_still_taken_away() -> None:
    keep_loaded()

    assert settings.ROOT_URLCONF in sys.modules
    assert gc.get_freeze_count() > 10 * len(gc.get_objects())
    gone = weakref.ref(Knot())
    gc.collect()
    assert gone() is None


FIRST_ADDRESS = """
import django, sys
django.setup()
from callops.core.loaded import keep_loaded
from callops.transfers.addresses import reverse
keep_loaded()
had = set(sys.modules)
reverse("twiml:transfer", args=["token"])
print(sorted(set(sys.modules) - had))
"""


def test_bug_the_first_caller_an_engine_redirects_waits_while_every_page_is_loaded() -> None:
    done = subprocess.run(
        [sys.executable, "-c", FIRST_ADDRESS], capture_output=True, text=True, check=True, timeout=120
    )

    assert done.stdout.strip() == "[]"
