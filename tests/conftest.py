"""Generated examples are the same in every run, and slow machines fail no test."""

import signal

from hypothesis import settings

settings.register_profile("reproducible", derandomize=True, deadline=None)
settings.load_profile("reproducible")

# A shell lets what it runs in the background ignore Ctrl-C, and what pytest starts would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)
