"""A Net as the kernels see it: structs that point into its arrays. Nothing is decided here."""

cimport cython
from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy

import numpy as np

from eventsnn._core.run.calm.activity cimport COST_OF_LOOK, COST_OF_VARIED, COST_WITH_CURRENTS, WIDEST_BLOCK
from eventsnn._core.run.calm.blocks cimport STATE, Blocks, Drive, Group
from eventsnn._core.run.calm.calm cimport width_of
from eventsnn._core.synapses.connect cimport Procedure
from eventsnn._core.run.core cimport Core, Projection
from eventsnn._core.solve.frames cimport scale_of
from eventsnn._core.run.inbox cimport CACHE_LINE
from eventsnn._core.base.mathfunc cimport exp
from eventsnn._core.solve.neuron cimport MOST_VARIABLES, Class, Model, Neuron, Sine
from eventsnn._core.draw.philox cimport tabulate
from eventsnn._core.draw.stream cimport PARAMETERS, Source, Stream

cdef enum:
    # Sets of parameter values that stay in the cache by themselves.
    MOST_CLASSES = 64


cdef struct ModelRow:
    # MODEL in eventsnn/compile/layout.py.
    int32_t ports
    int32_t positive
    int32_t negative
    int32_t instantaneous
    int32_t n_slots
    int32_t n_currents
    int32_t n_alpha
    int32_t n_thresholds
    int32_t n_driven
    int32_t leaks
    int32_t clamped
    int32_t resets
    int32_t magnitudes
    int32_t ahead
    int32_t target[MOST_VARIABLES]


cdef struct SourceRow:
    # SOURCE in eventsnn/compile/layout.py.
    double weight
    double width
    double mean
    double begin
    double parameter[PARAMETERS]
    uint64_t key
    int64_t piece
    int32_t n_pieces
    int32_t port
    int32_t kind
    int32_t stationary


@cython.final
@cython.no_gc  # arrays of numbers are all that it holds, and kernels need them as long as it lives
cdef class Arena:
    """Memory that kernels point into, given up as a whole."""

    def __cinit__(self):
        self.held = []

    cdef void* hold(self, array, dtype) except? NULL:
        """Keep an array alive, contiguous and of this type, and return where its data lie."""
        kept = np.ascontiguousarray(array, dtype=dtype)
        self.held.append(kept)
        return <void*><size_t>kept.ctypes.data

    cdef void* allocate(self, int64_t n, size_t size) except? NULL:
        """Zeros, from a boundary of the cache's lines on."""
        cdef size_t start
        start = <size_t>self.hold(np.zeros(max(n, 1) * size + CACHE_LINE, dtype=np.uint8), np.uint8)
        return <void*>(start + CACHE_LINE - start % CACHE_LINE)


cdef set_net(Core* e, net, Arena arena):
    """Let a lane have all but neurons' states and what a lane has of its own."""
    e.net.n = net.n
    e.net.window = net.window
    e.net.max_rounds, e.net.max_spikes = net.max_rounds, net.max_spikes
    set_classes(e, net, arena)
    set_streams(e, net, arena)
    e.net.I_e = <const double*>arena.hold(net.I_e, np.float64)
    e.net.recorded = <const uint8_t*>arena.hold(net.recorded, np.uint8)
    e.net.change_time = <const double*>arena.hold(net.change_time, np.float64)
    e.net.change_amplitude = <const double*>arena.hold(net.change_amplitude, np.float64)
    e.net.change_slope = <const double*>arena.hold(net.change_slope, np.float64)
    e.net.change_sine = <const int32_t*>arena.hold(net.change_sine, np.int32)
    e.net.sines = <const Sine*>arena.hold(net.sines, np.float64)
    e.net.outgoing_start = <const int64_t*>arena.hold(net.outgoing_start, np.int64)
    e.net.outgoing_projection = <const int32_t*>arena.hold(net.outgoing_projection, np.int32)
    e.net.outgoing_row = <const int32_t*>arena.hold(net.outgoing_row, np.int32)
    set_rows(e, net.rows, arena)
    e.prompts.prompted = <const uint8_t*>arena.hold(net.prompted, np.uint8)
    e.prompts.shortest = net.shortest
    set_blocks(e, net, arena)


cdef set_classes(Core* e, net, Arena arena):
    cdef Model* m
    cdef int64_t k
    cdef int port
    cdef const ModelRow[::1] rows = net.models
    cdef const int32_t[::1] class_model = net.class_model
    # From the beginning of a cache line, so that a Class needs as few of them as may be.
    cdef double* constants = <double*>arena.allocate(net.constants.size, sizeof(double))
    cdef const double* given = <const double*>arena.hold(net.constants, np.float64)
    cdef Model* models = <Model*>arena.allocate(rows.shape[0], sizeof(Model))
    cdef int64_t row = net.constants.shape[1]
    for k, kernel in enumerate(net.kernels):
        m = &models[k]
        m[0] = (<Model*>PyCapsule_GetPointer(kernel, "eventsnn.Model"))[0]
        m.ports, m.by_sign[0], m.by_sign[1] = rows[k].ports, rows[k].positive, rows[k].negative
        m.instantaneous, m.magnitudes, m.ahead = rows[k].instantaneous, rows[k].magnitudes, rows[k].ahead
        m.n_slots, m.n_currents, m.n_alpha = rows[k].n_slots, rows[k].n_currents, rows[k].n_alpha
        m.n_thresholds, m.n_driven = rows[k].n_thresholds, rows[k].n_driven
        m.leaks, m.clamped, m.resets = rows[k].leaks, rows[k].clamped, rows[k].resets
        for port in range(m.ports):
            m.target[port] = rows[k].target[port]
    e.net.stride = sizeof(Neuron) + <int64_t>net.behind * sizeof(double)
    e.net.stride = (e.net.stride + CACHE_LINE - 1) // CACHE_LINE * CACHE_LINE
    memcpy(constants, given, net.constants.nbytes)
    e.net.classes = <Class*>arena.allocate(class_model.shape[0], sizeof(Class))
    for k in range(class_model.shape[0]):
        e.net.classes[k].model = &models[class_model[k]]
        e.net.classes[k].c = constants + k * row
        e.net.together = e.net.together or e.net.classes[k].model.take_all != NULL
    e.net.many_classes = class_model.shape[0] > MOST_CLASSES


cdef set_streams(Core* e, net, Arena arena):
    """Streams stand as before their first spike, but are not begun."""
    cdef const SourceRow[::1] rows = net.sources
    cdef const int32_t[::1] source = net.stream_source
    cdef const uint32_t[::1] index = net.stream_index
    cdef const double* piece_time = <const double*>arena.hold(net.piece_time, np.float64)
    cdef const double* piece_share = <const double*>arena.hold(net.piece_share, np.float64)
    cdef const double* piece_width = <const double*>arena.hold(net.piece_width, np.float64)
    cdef const int32_t* piece_run = <const int32_t*>arena.hold(net.piece_run, np.int32)
    cdef Source* d
    cdef int64_t k
    cdef int i
    e.net.sources = <Source*>arena.allocate(rows.shape[0], sizeof(Source))
    for k in range(rows.shape[0]):
        d = &e.net.sources[k]
        d.key, d.weight, d.width, d.mean = rows[k].key, rows[k].weight, rows[k].width, rows[k].mean
        d.begin = rows[k].begin
        d.port, d.kind, d.stationary = rows[k].port, rows[k].kind, rows[k].stationary
        for i in range(PARAMETERS):
            d.parameter[i] = rows[k].parameter[i]
        d.exp_minus_mean = exp(-d.mean)
        tabulate(d.mean, d.exp_minus_mean, d.least)
        d.n_pieces = rows[k].n_pieces
        d.piece_time = piece_time + rows[k].piece
        d.piece_share = piece_share + rows[k].piece
        d.piece_width = piece_width + rows[k].piece
        d.piece_run = piece_run + rows[k].piece
    e.state.streams = <Stream*>arena.allocate(source.shape[0], sizeof(Stream))
    for k in range(source.shape[0]):
        e.state.streams[k].source = source[k]
        e.state.streams[k].index = index[k]


cdef set_rows(Core* e, rows, Arena arena):
    cdef Projection* projections = <Projection*>arena.allocate(len(rows), sizeof(Projection))
    cdef Projection* p
    for k, given in enumerate(rows):
        p = &projections[k]
        plan = given.plan
        p.port = plan.port
        p.ascending, p.first_target, p.last_target = given.ascending, given.first_target, given.last_target
        p.one_weight, p.one_delay = plan.weight.size == 1, plan.delay.size == 1
        p.weight_size, p.most_alike = given.weight_size, given.most_alike
        p.least_delay, p.dendritic = given.least_delay, plan.dendritic
        if plan.weight.dtype == np.float32:
            p.weight32 = <const float*>arena.hold(plan.weight, np.float32)
        else:
            p.weight = <const double*>arena.hold(plan.weight, np.float64)
        p.delay = <const double*>arena.hold(plan.delay, np.float64)
        if plan.procedure is not None:
            p.recipe = &(<Procedure>plan.procedure).recipe
            continue
        p.start = <const int64_t*>arena.hold(plan.start, np.int64)
        p.narrow = plan.offset.dtype == np.uint16
        p.target = arena.hold(plan.offset, plan.offset.dtype)
        p.base = <const int32_t*>arena.hold(plan.base, np.int32)
        if plan.slices is not None:
            p.slice_row = <const int64_t*>arena.hold(plan.slices.row, np.int64)
            p.slice_start = <const uint32_t*>arena.hold(plan.slices.start, np.uint32)
            p.slice_value = <const uint16_t*>arena.hold(plan.slices.value, np.uint16)
    e.net.projections, e.net.n_projections = projections, len(rows)


cdef set_blocks(Core* e, net, Arena arena):
    """Room for the state of calm neurons; most of it is never touched where there are none."""
    cdef Blocks* b = &e.blocks
    jump = net.groups.jump
    b.rate = <double*>arena.hold(jump[0], np.float64)
    b.scales = <double*>arena.hold(jump[1], np.float64)
    b.per_unit = <double*>arena.hold(jump[2], np.float64)


cdef set_groups(Core* e, net, found, Arena arena):
    """Tell a lane which of its neurons have their constants and external input in common: a GroupsOfLane."""
    cdef Blocks* b = &e.blocks
    cdef const int32_t[::1] start = found.start
    cdef const int32_t[::1] stop = found.stop
    cdef const uint8_t[::1] calm = found.calm.view(np.uint8)
    cdef const uint8_t[::1] singly = found.singly.view(np.uint8)
    cdef const uint8_t[::1] varied = found.varied.view(np.uint8)
    cdef const double[::1] cell = found.cell
    cdef const int64_t[::1] first_drive = found.first_drive
    cdef const int32_t[::1] class_of = net.class_of
    cdef Drive* drives = set_drives(e, found, arena)
    cdef Group* g
    cdef int64_t k
    b.singly = False
    b.least_looking = 0.0
    b.n_groups = start.shape[0]
    b.group = <Group*>arena.allocate(b.n_groups, sizeof(Group))
    for k in range(b.n_groups):
        g = &b.group[k]
        g.start, g.stop = start[k], stop[k]
        if not calm[k]:
            continue
        g.k = &e.net.classes[class_of[g.start]]
        g.currents = g.k.model.n_currents
        g.even = not varied[k]
        # Those without currents take less room, at the beginning of that of their group.
        g.state = b.state + (0 if g.currents else (STATE - 1) * g.start)
        if singly[k]:
            g.singly, g.varied = True, varied[k]
            g.state = b.single
            b.singly = True
        g.cost_of_look = COST_WITH_CURRENTS if g.currents else COST_OF_VARIED if g.varied else COST_OF_LOOK
        g.cell = cell[k]
        b.least_looking += g.cost_of_look * (g.stop - g.start) / width_of(g, WIDEST_BLOCK)
        g.drive, g.n_drives = drives + first_drive[k], <int>(first_drive[k + 1] - first_drive[k])
        for i in range(g.n_drives):
            if g.drive[i].source != NULL:
                g.drive[i].slot = g.k.model.target[g.drive[i].source.port]
    b.group_of = <int32_t*>arena.hold(found.of_neuron, np.int32)


cdef Drive* set_drives(const Core* e, found, Arena arena) except? NULL:
    cdef const int32_t[::1] start = found.drive_start
    cdef const int32_t[::1] stop = found.drive_stop
    cdef const int32_t[::1] source = found.drive_source
    cdef const uint32_t[::1] index = found.drive_index
    cdef Drive* drives = <Drive*>arena.allocate(start.shape[0], sizeof(Drive))
    cdef int64_t k
    for k in range(start.shape[0]):
        drives[k].start, drives[k].stop, drives[k].slot = start[k], stop[k], -1
        if source[k] >= 0:
            drives[k].source, drives[k].index = &e.net.sources[source[k]], index[k]
    return drives


def scales(const ModelRow[::1] model, double[::1] constants):
    """What `scale_of` gives for each port of a model with these constants: for tests."""
    cdef Model m
    cdef Class k
    cdef int port
    m.n_currents = model[0].n_currents
    for port in range(model[0].ports):
        m.target[port] = model[0].target[port]
    k.model, k.c = &m, &constants[0]
    return [scale_of(&k, port) for port in range(model[0].ports)]
