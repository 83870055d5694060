"""The elementary functions of the kernels, for Python; the bodies and their design are in mathfunc.pxd."""

# The C functions themselves, wrapped as objects: a `def` of the same name would shadow what other kernels cimport.
globals().update(exp=exp, expm1=expm1, log=log, log1p=log1p, sin_turns=sin_turns, atan2=atan2)
