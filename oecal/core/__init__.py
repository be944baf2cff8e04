"""What every other part stands on: errors, files, logs, seeds, devices, and the code read as text."""
