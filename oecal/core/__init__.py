"""What every other part needs: errors, files, logs, seeds, devices, the code read as text."""
