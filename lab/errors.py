"""The one error of the lab that is meant for the person at the terminal."""


class LabError(Exception):
    """What went wrong and what would put it right, in one message; never shown with a traceback."""
