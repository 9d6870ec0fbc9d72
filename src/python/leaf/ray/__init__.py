"""LEAF on a Ray cluster: scores by Ray Data, labels by Ray's actors. Only this package imports ray."""
