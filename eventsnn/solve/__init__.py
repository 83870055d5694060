"""How equations are solved: closed forms, threshold crossings, frames of integers, series."""
