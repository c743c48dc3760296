"""Paints with a Reverie studio.

from reverie import Reverie

studio = Reverie()
studio.paint("a fox", method="vqgan-clip", seed=7)
"""

from . import models
from .errors import BadParameter, JobFailed, NotFound, Refused, ReverieError, Unreachable
from .jobs import AsyncGrid, AsyncJob
from .models import State
from .pictures import AsyncPicture
from .shown import Grid, Job, Picture
from .studio import AsyncReverie
from .synchronous import Reverie

__all__ = [
    "AsyncGrid",
    "AsyncJob",
    "AsyncPicture",
    "AsyncReverie",
    "BadParameter",
    "Grid",
    "Job",
    "JobFailed",
    "NotFound",
    "Picture",
    "Refused",
    "Reverie",
    "ReverieError",
    "State",
    "Unreachable",
    "models",
]
