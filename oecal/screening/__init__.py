"""Screens a user's own images with a trained run: accept, reject or raise an alarm."""
