"""What all pictures have in common."""

# Okabe and Ito's palette, which colour-blind readers can tell apart, with grey for its yellow.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#56B4E9", "#E69F00", "#000000", "#888888")
RASTER_NEURONS = 400  # more rows than this merge into one another at 100 to 150 dpi
RASTER_POINTS = 100_000  # more than this only takes time to draw
MOST_TRACES = 50  # panels of a picture
