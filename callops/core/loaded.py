"""What a process has loaded stays as long as the process: nobody need look again and again whether it can go."""

from __future__ import annotations

import gc

from django.urls import get_resolver

RHYTHM = (5_000, 5, 50)
"""So many new objects are made before they are looked through for cycles, and so many times before those are that were
still in use; with Python's 700, most are. Everything stands still meanwhile: often and briefly is what nobody notices.
"""


def keep_loaded() -> None:
    """Every address and what answers it is loaded too, and the garbage collector passes over all that is there by now.

    Else whoever names an address first waits while it is all loaded, an engine's first caller to be redirected for a
    third of a second; and every few pages the collector goes through everything for a tenth.
    """
    for _, addresses in get_resolver().namespace_dict.values():
        len(addresses.reverse_dict)  # it is made when it is first looked at
    gc.collect()
    gc.freeze()
    gc.set_threshold(*RHYTHM)
