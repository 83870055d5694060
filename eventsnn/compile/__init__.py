"""From a description to the Plan, one file an aspect, and to the arrays of the compiled engine."""
