"""Plastic projections of the compiled engine: used by the engine alone."""
