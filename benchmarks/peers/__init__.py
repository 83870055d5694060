"""One worker a simulator, each in a process and, for the peers, in an environment of its own.

bench.py starts `python -m peers.NAME` with a request on standard input and reads the answer from standard output, both
JSON. Only NumPy and the simulator itself may be imported here, in the peers' workers nothing of eventsnn.
"""
