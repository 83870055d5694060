"""The schedule: what happens when, in which lane."""
