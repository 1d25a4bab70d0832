"""What all tests share."""

from hypothesis import settings

# How long an example takes says nothing on a machine that others use too.
settings.register_profile("soli", deadline=None)
settings.load_profile("soli")
