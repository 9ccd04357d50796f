"""The register map of the cycle model: which place of the array ``s`` is which register.

All state of the model is one array of integers, since numba then keeps it in memory as the
processor likes it. The map is drawn up here, in one go: every register takes the next free place.
Registers that only exist as parts of something that occurs several times (a queue, a loop nest) are
offsets from where that something begins.

The names say which component they belong to: ``U_`` unpacker, ``N_`` loop nest, ``A_`` address
walk, ``K_`` command queue, ``H_`` read channel, ``R_`` read side of bus and DRAM, ``W_`` write
side, ``L_`` weight loader, ``D_`` LOAD, ``T_`` STORE, ``Q_`` sequencer, ``P_`` post-processor,
``C_`` command processor, ``V_`` vector unit. A register that is a truth holds 0 or 1.
"""

from vqrom_hw.bus import OUTSTANDING_READS, REQUEST_QUEUE
from vqrom_hw.compute import HALVES, PostProcessor
from vqrom_hw.config import AcceleratorConfig
from vqrom_hw.isa import LEVELS, QUEUES, Unit
from vqrom_sim.engines.dram import DRAM_QUEUE

from .allocator import Allocator, ring_mask
from .channels import READ_CHANNELS

REQUEST_MASK = ring_mask(REQUEST_QUEUE, "REQUEST_QUEUE")
READ_MASK = ring_mask(OUTSTANDING_READS, "OUTSTANDING_READS")
DRAM_MASK = ring_mask(DRAM_QUEUE, "DRAM_QUEUE")
HALF_MASK = ring_mask(HALVES, "HALVES")

DEEPEST_QUEUE = next(int(bound.le)
                     for bound in AcceleratorConfig.model_fields["command_queue"].metadata
                     if hasattr(bound, "le"))
"""Commands in the longest command queue that a configuration may have."""

# Parts of an unpacker.
_part = Allocator()
U_REMAINING = _part.take()
"""Items of its packet that are still to come."""
U_LEVEL = _part.take()
"""Bits that it holds."""
U_PHASE = _part.take()
"""Which item of its period is next."""
UNPACKER_SIZE = _part.end

# Parts of a loop nest.
_part = Allocator()
N_ACTIVE = _part.take()
"""It has iterations left."""
N_COUNT = _part.take(LEVELS)
"""Iteration of each level, the innermost first."""
N_ADDRESS = _part.take(LEVELS)
"""Word address at each level; the innermost one is that of the word in turn."""
N_Y = _part.take(LEVELS)
"""Row of the feature map, likewise."""
N_X = _part.take(LEVELS)
"""Column, likewise."""
NEST_SIZE = _part.end

# Parts of a walk over a result's words.
_part = Allocator()
A_PLACE = _part.take()
"""Which word of its row is in turn."""
A_ROW = _part.take()
"""Address of the row's first word."""
A_ADDRESS = _part.take()
"""Address of the word in turn."""
WALK_SIZE = _part.end

# Parts of a command queue.
_part = Allocator()
K_LEVEL = _part.take()
"""Commands in it."""
K_HEAD = _part.take()
"""Which place of the ring holds the first one."""
K_RING = _part.take(DEEPEST_QUEUE)
"""Where the row of each command begins in the table."""
QUEUE_SIZE = _part.end

# Parts of a read channel.
_part = Allocator()
H_ADDRESS = _part.take()
"""Byte address of the next burst of the request in progress."""
H_BEATS = _part.take()
"""Beats of it that are still to be asked for; 0: none in progress."""
H_TAG = _part.take()
"""Its traffic stream."""
H_FREE = _part.take()
"""Beats for which the FIFO has room."""
H_INNER = _part.take()
"""Beats in the FIFO behind its output register."""
H_READY = _part.take()
"""The output register holds a beat: one is offered."""
H_QUEUED = _part.take()
"""Requests that wait."""
H_HEAD = _part.take()
"""Which place of the ring holds the oldest one."""
H_RING = _part.take(3 * REQUEST_QUEUE)
"""Address, beats and tag of each request that waits."""
CHANNEL_SIZE = _part.end

_place = Allocator()

CHANNELS = _place.take(READ_CHANNELS * CHANNEL_SIZE)
"""Where the first read channel begins; the others follow in the order of their numbers."""

R_VALID_ADDRESS = _place.take()
"""A burst is on offer on the read address channel."""
R_BURST = _place.take()
"""Its beats."""
R_ORDERED = _place.take()
"""Bursts that are under way."""
R_ORDER_HEAD = _place.take()
"""Which place of ``R_ORDER`` is the oldest one's."""
R_DATA = _place.take()
"""A beat is on the read data channel; it is taken at once."""
R_LAST = _place.take()
"""It is its burst's last."""
R_WAITING = _place.take()
"""Bursts in the DRAM's queue."""
R_WAIT_HEAD = _place.take()
"""Which place of ``R_DUE`` and ``R_LEFT`` is the oldest one's."""
R_NOW = _place.take()
"""Cycles since the start, by the DRAM's clock."""
R_ORDER = _place.take(2 * OUTSTANDING_READS)
"""Read channel and traffic stream of each burst under way."""
R_DUE = _place.take(DRAM_QUEUE)
"""Cycle from which the DRAM may serve each burst in its queue."""
R_LEFT = _place.take(DRAM_QUEUE)
"""Beats of it that are still to be served."""

W_ADDRESS = _place.take()
"""Byte address of the next burst of the write request in progress."""
W_BEATS = _place.take()
"""Beats of it that no burst has yet; 0: none in progress."""
W_LEFT = _place.take()
"""Beats of the current burst that are still to be taken over."""
W_VALID_ADDRESS = _place.take()
"""A burst is on offer on the write address channel."""
W_VALID = _place.take()
"""A beat is on offer on the write data channel."""
W_LAST = _place.take()
"""It is its burst's last."""
W_ORDERED = _place.take()
"""Bursts that are not acknowledged yet."""
W_OPENED = _place.take()
"""Bursts whose address the DRAM has, and not all of whose beats."""
W_OWED = _place.take()
"""Bursts that it has whole and has not acknowledged."""
W_ANSWER = _place.take()
"""An acknowledgement is on the write response channel; it is taken at once."""

L_BEGUN = _place.take()
"""Steps of the next tile's fill that are begun."""
L_LAST_STEP = _place.take()
"""The last step reaches the shadow registers in this cycle."""
L_HELD = _place.take()
"""The shadow registers hold a whole tile."""
L_UNPACKER = _place.take(UNPACKER_SIZE)
"""The weight feed's unpacker."""

D_RUNNING = _place.take()
"""A LOAD is at work."""
D_LEVEL = _place.take()
"""Bytes that it holds."""
D_WORDS = _place.take()
"""Words of the packet that are still to be written."""
D_PACKETS = _place.take()
"""Packets to come, the current one included."""
D_ADDRESS = _place.take()
"""Word that it writes next."""
D_REQUESTED = _place.take()
"""Its data have been asked for."""

T_RUNNING = _place.take()
"""A STORE is at work."""
T_WORDS = _place.take()
"""Words that are still to be read."""
T_BEATS = _place.take()
"""Beats that are still to be sent."""
T_ADDRESS = _place.take()
"""Word that it reads next."""
T_ARRIVING = _place.take()
"""A word that was asked for arrives in this cycle."""
T_QUEUED = _place.take()
"""Words in its FIFO."""
T_REQUESTED = _place.take()
"""Its DMA request has been made."""
T_UNPACKER = _place.take(UNPACKER_SIZE)
"""The unpacker that cuts words into beats."""

Q_HALF = _place.take()
"""Half of the accumulators that the array adds to."""
Q_CLAIMED = _place.take()
"""Bit mask of the halves that hold sums."""
Q_UPDATES = _place.take()
"""Accumulator updates on their way; bit n: issued n + 1 cycles ago."""
Q_SUMS = _place.take()
"""Those of them that add to a sum instead of beginning one."""
Q_FINISHES = _place.take(HALVES)
"""Those that are the last of each half."""
Q_NEST = _place.take(NEST_SIZE)
"""The array's loop nest."""

P_BUSY = _place.take()
"""A command is at work, its last write included."""
P_RUNNING = _place.take()
"""It still has pixels to issue."""
P_PASS = _place.take()
"""Column tile of the command."""
P_PIXEL = _place.take()
"""Pixel of the lane group."""
P_GROUP = _place.take()
"""Lane group of the column tile."""
P_SECTION = _place.take()
"""Which part of a word the column tile fills."""
P_BASE = _place.take()
"""Address of the tile's first word."""
P_HALF = _place.take()
"""Half of the accumulators that it reads."""
P_ISSUED = _place.take()
"""Pixels on their way; bit n: issued n + 1 cycles ago."""
P_FINISHED = _place.take()
"""The command's last pixel among them."""
P_FULL = _place.take()
"""Bit mask of the halves whose sums are finished."""
P_NOW = _place.take()
"""Which place of ``P_ADDRESSES`` is the oldest one's."""
P_WALK = _place.take(WALK_SIZE)
"""Where its results go."""
P_ADDRESSES = _place.take(PostProcessor.LATENCY)
"""Addresses of the pixels on their way."""
P_UNPACKER = _place.take(UNPACKER_SIZE)
"""The parameters' unpacker."""

QUEUE_PLACES = {name: _place.take(QUEUE_SIZE) for name in QUEUES}
"""Where each command queue begins; they follow each other in the order of ``QUEUES``."""
WEIGHTS_QUEUE, ARRAY_QUEUE, POST_QUEUE, LOAD_QUEUE, STORE_QUEUE, VECTOR_QUEUE = (
    QUEUE_PLACES[name] for name in ("weights", "array", "post", "load", "store", "vector"))
FIRST_QUEUE = QUEUE_PLACES[QUEUES[0]]

C_STATE = _place.take()
"""The command processor's state: one of those in :mod:`.control`."""
C_BEAT = _place.take()
"""Beats of the command in hand that have arrived."""
C_LEFT = _place.take()
"""Beats of the program that are still to come."""
C_COMMAND = _place.take()
"""Where the row of the command in hand begins."""
C_LAYER = _place.take()
"""Layer of the command before it."""
C_COMPLETED = _place.take(len(Unit))
"""Commands that each unit has finished, in the order of ``Unit``."""

V_STATE = _place.take()
"""The vector unit's state: one of those in :mod:`.vector`."""
V_STORE = _place.take()
"""The state of the stores of weights and of tables: one of those in :mod:`.vector_stores`."""
V_ENTRY = _place.take()
"""Entry of the tables that is stored next."""
V_BYTE = _place.take()
"""Which bytes of a word are stored next, if there is one table for all lanes, in units of as many
as are stored at once."""
V_GAP = _place.take()
"""Advances for which no further window may end."""
V_SKIP = _place.take()
"""Columns of a sliding window until one ends."""
V_WAITING = _place.take()
"""A result waits for the write port."""
V_ALIVE = _place.take()
"""Windows that have ended and whose results are not out."""
V_NOW = _place.take()
"""Which place of ``V_RING`` is the youngest one's."""
V_UNPACKER = _place.take(UNPACKER_SIZE)
"""The unpacker of both stores."""
V_NEST = _place.take(NEST_SIZE)
"""The unit's loop nest."""
V_WALK = _place.take(WALK_SIZE)
"""Where its results go."""
V_RING = _place.end
"""For each of the last advances, whether a window ended in it. It comes last: its length depends on
the configuration."""
