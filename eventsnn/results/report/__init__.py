"""Reports: what was simulated and what came out, as one HTML page that needs no network."""
