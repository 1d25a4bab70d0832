"""What all tests share."""

import os

from hypothesis import settings

# How long an example takes says nothing on a machine that others use too.
settings.register_profile("soli", deadline=None)
# The same examples every time, so that what is tested is the change; by hand, every run looks for new ones.
settings.register_profile("same", deadline=None, derandomize=True)
settings.load_profile(os.environ.get("SOLI_EXAMPLES", "soli"))
