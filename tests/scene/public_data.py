"""Where real public files are, if they are there: beside the repository, in shared/data."""
import os

from simulated import ROOT


def public_data(*path):
    places = [os.path.normpath(os.path.join(ROOT, above, "shared", "data", *path)) for above in ("..", "../..")]
    return next((place for place in places if os.path.exists(place)), places[0])
