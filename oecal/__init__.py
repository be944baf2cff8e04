"""oecal: does Outlier Exposure give a model calibrated uncertainty?

The library under the workflow; it knows nothing of Snakemake.
"""
