"""What a checkpoint holds of the kernels' structs, as arrays: used by the engine alone."""
