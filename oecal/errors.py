"""The exceptions that are meant for the user."""


class OecalError(Exception):
    """Something from outside (configuration, data, checkpoint) is wrong.

    The message is one line: which key or file, what was found, what to write instead. It is shown without a traceback. A name in it that
    holds a line break, as names in a damaged file may, does not make it two.
    """

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.splitlines()))


class Unavailable(OecalError):
    """A data set cannot be had here: no file, and no mirror gives it. A study may go on without it (`missing: skip`)."""


def said(error: BaseException, most: int = 200) -> str:
    """What another library's error says, in one line of at most so many characters; the name of its type if it says nothing."""
    return " ".join(str(error).split())[:most] or type(error).__name__
