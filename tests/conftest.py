"""Generated examples are the same in every run, and slow machines fail no test."""

from hypothesis import settings

settings.register_profile("reproducible", derandomize=True, deadline=None)
settings.load_profile("reproducible")
