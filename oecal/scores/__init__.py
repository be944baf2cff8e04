"""Uncertainty scores, one file per family: the functions that its SCORES names.

They are computed with NumPy from stored arrays.
"""
