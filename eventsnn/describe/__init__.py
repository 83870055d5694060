"""The words of a description: populations, projections, rules, processes, currents, probes."""
