"""LEAF's trainer: distils a student from stored judgements and calibrates it on human scores."""

from leaf import no_telemetry as no_telemetry

__version__ = "0.1.0"
