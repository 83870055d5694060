"""Files of results without their checksums, so that what was altered on purpose is looked at."""

import json
from pathlib import Path


def drop_checksums(folder: Path) -> None:
    path = folder / "summary.json"
    content = json.loads(path.read_text("utf-8"))
    del content["sha256"]
    path.write_text(json.dumps(content), "utf-8")


def without_user_block(path: Path) -> None:
    """Trains as another program would write them: an HDF5 file from its first byte on, without a checksum."""
    content = path.read_bytes()
    assert content[512:520] == b"\x89HDF\r\n\x1a\n"
    path.write_bytes(content[512:])
