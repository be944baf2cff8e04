"""Post-hoc calibration: one file per method, fitted on in-distribution validation logits.

No torch.
"""
