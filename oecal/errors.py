"""The exceptions that are meant for the user."""


class OecalError(Exception):
    """Something from outside (configuration, data, checkpoint) is wrong.

    The message is one line: which key or file, what was found, what to write instead. It is shown without a traceback.
    """


class Unavailable(OecalError):
    """A data set cannot be had here: no file, and no mirror gives it. A study may go on without it (`missing: skip`)."""
