"""What runs have left on disk: outputs and scores read back, thresholds chosen on them."""
