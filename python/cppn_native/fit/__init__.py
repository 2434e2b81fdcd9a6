"""Fitting a cascade to a picture: descent, rounding against the loss, lattice search, and their schedule."""
