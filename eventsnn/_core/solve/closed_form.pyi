"""Where the constants of a linear neuron are; closed_form.pxd says what they are."""

TAU_M: int
PER_C: int
V_RESET: int
LONGEST: int
PER_UNIT: int
NARROWEST: int
WIDTH_M: int
RATE_M: int
KEPT_M: int
HEAD: int
TAU: int
DIFFERENCE: int
INVERSE: int
FASTER: int
CURRENT_RESET: int
COUPLING: int
WIDTH: int
RATE: int
KEPT: int
CURRENT_WIDTH: int
GAIN: int
THRESHOLD_RESET: int
THRESHOLD_WIDTH: int
