"""Model architectures, one file each; the name in the configuration is the file name."""
