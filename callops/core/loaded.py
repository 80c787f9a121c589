"""What a process has loaded stays as long as the process: nobody need look again and again whether it can go."""

from __future__ import annotations

import gc
from importlib import import_module

YOUNG = 20_000
"""So many new objects are made before they are looked through for cycles: with Python's 700, most are still in use."""


def keep_loaded(*modules: str) -> None:
    """These modules are loaded too, and the garbage collector passes over all that is there by now.

    Else it goes through everything every few pages: about a tenth of a second in which the process answers nobody.
    """
    for name in modules:
        import_module(name)
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG)
