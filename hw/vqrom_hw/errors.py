"""The exception that a user's mistake raises, the same one in every package."""


class VqromError(ValueError):
    """An input is wrong: its text is one line that names the thing, the rule and the value.

    The command line prints the line without a traceback and exits with status 2. A mistake of the
    program itself raises something else.
    """
