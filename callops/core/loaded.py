"""What a process has loaded stays as long as the process: nobody need look again and again whether it can go."""

from __future__ import annotations

import gc
from importlib import import_module

RHYTHM = (5_000, 5, 50)
"""So many new objects are made before they are looked through for cycles, and so many times before those are that were
still in use; with Python's 700, most are. Everything stands still meanwhile: often and briefly is what nobody notices.
"""


def keep_loaded(*modules: str) -> None:
    """These modules are loaded too, and the garbage collector passes over all that is there by now.

    Else it goes through everything every few pages: about a tenth of a second in which the process answers nobody.
    """
    for name in modules:
        import_module(name)
    gc.collect()
    gc.freeze()
    gc.set_threshold(*RHYTHM)
