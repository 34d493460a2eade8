"""What lower layers show through widgets, by the name that the user calls; they reach it by `djupyter.frontend`."""
