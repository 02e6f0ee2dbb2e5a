"""The one error of the benchmark that is meant for the person at the terminal."""


class BenchError(Exception):
    """What went wrong, in one message; never shown with a traceback."""
