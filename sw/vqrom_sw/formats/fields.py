"""Small parts of records: quantisations, factors and shapes, and what they stand for."""

from __future__ import annotations

import numpy as np

from vqrom_sw.arithmetic import Quantization, Requantization
from vqrom_sw.network import Native

from .records import FixedPoint, NativeRecord, QuantizationRecord


def quantization_record(value: Quantization) -> QuantizationRecord:
    """The record of a scale and zero point."""
    return QuantizationRecord(scale=value.scale, zero_point=value.zero_point)


def quantization(record: QuantizationRecord) -> Quantization:
    """The scale and zero point that a record holds."""
    return Quantization(record.scale, record.zero_point)


def fixed_point(factor: Requantization) -> FixedPoint:
    """The record of one factor."""
    return FixedPoint(multiplier=int(factor.multiplier[0]),
                      shift=int(factor.shift[0]))


def requantization(fixed: FixedPoint) -> Requantization:
    """The factor that a record holds."""
    return Requantization(np.array([fixed.multiplier], np.int32), np.array([fixed.shift], np.int8))


def native_record(value: Native) -> NativeRecord:
    """The record of how the float network sees a feature map."""
    return NativeRecord.model_validate({"sizes": value.sizes, "order": value.order})


def native(record: NativeRecord) -> Native:
    """How the float network sees a feature map, as a record says."""
    return Native(record.sizes, record.order)
