"""The training loop, and one file per training objective."""
