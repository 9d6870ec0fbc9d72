"""LEAF's trainer: distils a student from stored judgements and calibrates it on human scores."""

__version__ = "0.1.0"
