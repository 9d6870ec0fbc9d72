"""Calibration in closed form: a Bayesian ridge on the features of a frozen network. Needs no PyTorch."""
