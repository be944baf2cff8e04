"""Looking through a user's own images with a trained run: which to accept, which to reject, which are an alarm (`oecal.screening.command`)."""
