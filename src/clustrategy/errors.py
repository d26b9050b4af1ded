"""The errors that a user may meet: each is one sentence, fit to be printed as it is."""


class ClustrategyError(Exception):
    """Base of the errors below; `str(error)` is one clear sentence."""


class ConfigError(ClustrategyError):
    """The config asks for something that does not exist or cannot be."""


class DataError(ClustrategyError):
    """A table or file is not what was expected."""


class EngineError(ClustrategyError):
    """An engine is not there or cannot be started."""
