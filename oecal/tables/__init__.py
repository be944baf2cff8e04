"""Tables, one file each: rows from the files of all runs.

The columns are the contract; fractions, not percent.
"""
