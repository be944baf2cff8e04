"""The one exception that is meant for the user."""


class OecalError(Exception):
    """Something from outside (configuration, data, checkpoint) is wrong.

    The message is one line: which key or file, what was found, what to write instead. It is shown without a traceback.
    """
