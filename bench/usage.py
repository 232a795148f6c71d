"""What a server of ``bench/agi.py`` has used, told to who measures it."""

from __future__ import annotations

import gc
import json
import os
import resource
import sys
import threading
import tracemalloc

__all__ = ["serve"]


def serve(port: int) -> None:
    """Tell the port; then, for each line on stdin, what was used so far; end with stdin."""
    print(port, flush=True)
    threading.Thread(target=_tell, daemon=True).start()


def _tell() -> None:
    for _ in sys.stdin:
        used = resource.getrusage(resource.RUSAGE_SELF)
        told = {"cpu": used.ru_utime + used.ru_stime, "memory": 0}
        if tracemalloc.is_tracing():
            gc.collect()
            told["memory"] = tracemalloc.get_traced_memory()[0]
        print(json.dumps(told), flush=True)
    os._exit(0)
