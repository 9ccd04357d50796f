"""The one exception that a user's mistake raises, in every package."""


class VqromError(ValueError):
    """A wrong input: one line that names the thing, the rule and the value.

    The command line prints it without a traceback and exits with status 2.
    """
