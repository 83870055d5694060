"""From data to spikes: codes that turn arrays, images and sound into spike trains, and back.

    from eventsnn import encode

    trains = encode.Latency(duration=20.0).encode(images)         # (samples, height, width), values in [0, 1]
    shown = encode.present(trains, every=50.0)                    # one image after the other
    pixels = net.population(trains.n, shown.to_source())

Every code takes arrays whose first axis counts samples and returns `Trains`.
"""

from eventsnn.encode.base import Code
from eventsnn.encode.bsa import BSA
from eventsnn.encode.burst import Burst
from eventsnn.encode.images import Image
from eventsnn.encode.latency import Latency
from eventsnn.encode.phase import Phase
from eventsnn.encode.population import Population, PopulationOrder
from eventsnn.encode.present import present
from eventsnn.encode.rank_order import RankOrder
from eventsnn.encode.rate import InhomogeneousRate, Rate
from eventsnn.encode.send_on_delta import SendOnDelta
from eventsnn.encode.sound import Cochlea, read_wav
from eventsnn.results.trains import Trains
from eventsnn.results.trains import load as load

# By the names that the command line gives them; the first of a kind is the one that it takes if none is named.
CODES: dict[str, type[Code]] = {
    "image": Image,
    "rate": Rate,
    "latency": Latency,
    "rank_order": RankOrder,
    "population": Population,
    "population_order": PopulationOrder,
    "phase": Phase,
    "burst": Burst,
    "cochlea": Cochlea,
    "send_on_delta": SendOnDelta,
    "bsa": BSA,
    "inhomogeneous_rate": InhomogeneousRate,
}

__all__ = [
    "BSA",
    "Burst",
    "Cochlea",
    "Code",
    "Image",
    "InhomogeneousRate",
    "Latency",
    "Phase",
    "Population",
    "PopulationOrder",
    "RankOrder",
    "Rate",
    "SendOnDelta",
    "Trains",
    "load",
    "present",
    "read_wav",
]
