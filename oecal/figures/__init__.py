"""Figures, one file each: data frame in, matplotlib figure out. No torch here."""
