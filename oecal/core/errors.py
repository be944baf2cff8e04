"""The exceptions that are meant for the user."""


class OecalError(Exception):
    r"""Something from outside (configuration, data, checkpoint) is wrong.

    The message is one line: which key or file, what was found, what to do. It is shown
    without a traceback. A name in it that holds a line break, as names in a damaged file may, does
    not make it two.

    >>> str(OecalError("seeds: found 0;\nexpected 1 or more"))
    'seeds: found 0; expected 1 or more'
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.splitlines()))


class Unavailable(OecalError):
    """A data set cannot be had here: there is no file, and no mirror gives it.

    A study may go on without it (`missing: skip`).
    """


def summarize_error(error: BaseException, most: int = 200) -> str:
    r"""Return what another library's error says, in one line of at most `most` characters.

    If it says nothing, that is the name of its type.

    >>> summarize_error(OSError("no space\nleft on device")), summarize_error(KeyError())
    ('no space left on device', 'KeyError')
    """
    return " ".join(str(error).split())[:most] or type(error).__name__
