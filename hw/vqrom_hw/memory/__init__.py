"""The activation buffer, and the LOAD and STORE units that move feature maps to and from DRAM."""

from .activation_buffer import ActivationBuffer
from .load_store import ActivationLoader, ActivationStorer
from .ports import BufferReader, BufferWriter, ReadPort, WritePort
from .transfer_request import TransferRequest

__all__ = [
    "ActivationBuffer", "ActivationLoader", "ActivationStorer", "BufferReader", "BufferWriter",
    "ReadPort", "TransferRequest", "WritePort",
]
