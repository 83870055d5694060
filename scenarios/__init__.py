"""Published networks and pictures, each a module with `build` and `check`."""
