"""Synapses: drawn by rules, held in rows, or drawn anew for each spike."""
