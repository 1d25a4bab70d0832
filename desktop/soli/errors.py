"""What can go wrong, by who can mend it. Each message says what, where and what to do, in one sentence."""


class SoliError(Exception):
    """Anything Soli tells the user in one sentence instead of a traceback."""


class InputError(SoliError):
    """A file, a number or a choice from outside cannot be used."""


class ProjectError(SoliError):
    """A project file cannot be opened or saved."""


class NewerError(ProjectError):
    """A project file is of a Soli that came later."""


class DeviceError(SoliError):
    """A sound device cannot be used."""


class Cancelled(SoliError):
    """The user stopped the work; nothing was changed."""
