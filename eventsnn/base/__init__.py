"""The ground: errors, checks of what is given, files, sorting. Imports nothing of the package."""
