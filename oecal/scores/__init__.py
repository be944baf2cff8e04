"""Uncertainty scores, one file per family; each function is a score.

NumPy only, from stored arrays.
"""
