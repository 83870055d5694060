"""The seam between engine and models, and how equations are solved."""
