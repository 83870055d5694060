"""What the engine and the model kernels share, for Python: the places of constants, and limits."""
