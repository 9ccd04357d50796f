"""Small parts of records: quantisations, factors and shapes, and what they stand for."""

from __future__ import annotations

from collections.abc import Sequence

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


def fixed_points(factors: Requantization) -> tuple[FixedPoint, ...]:
    """The records of several factors, in order."""
    return tuple(FixedPoint(multiplier=int(multiplier), shift=int(shift))
                 for multiplier, shift in zip(factors.multiplier, factors.shift, strict=True))


def fixed_point(factor: Requantization) -> FixedPoint:
    """The record of a requantisation that has one factor alone."""
    return fixed_points(factor)[0]


def requantizations(fixed: Sequence[FixedPoint]) -> Requantization:
    """The factors that several records hold."""
    return Requantization(np.array([factor.multiplier for factor in fixed], np.int32),
                          np.array([factor.shift for factor in fixed], np.int8))


def requantization(fixed: FixedPoint) -> Requantization:
    """The factor that a record holds."""
    return requantizations([fixed])


def native_record(value: Native) -> NativeRecord:
    """The record of how the float network sees a feature map."""
    return NativeRecord.model_validate({"sizes": value.sizes, "order": value.order})


def native(record: NativeRecord) -> Native:
    """How the float network sees a feature map, as a record says."""
    return Native(record.sizes, record.order)
