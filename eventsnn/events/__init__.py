"""Events of event cameras: read, filtered, turned into spikes, written, drawn.

    from eventsnn import events

    recording = events.read("recording.raw")
    quiet = recording.crop(0, 0, 64, 64).background_activity(5.0).refractory(1.0)
    pixels = net.population(2 * 64 * 64, quiet.to_source())       # OFF events first, then ON, row by row

`read` and `write` name the formats; `from_video` makes events of a video.
"""

from eventsnn.events.files import read, write
from eventsnn.events.recording import Events
from eventsnn.events.video import from_video

__all__ = ["Events", "from_video", "read", "write"]
