"""From the kernels' structs to the arrays of a checkpoint and back: used by the engine alone."""
