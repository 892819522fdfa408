"""What can go wrong, as one tree of exceptions.

Every message says where, what was found, what was expected and what to do. Wrong arguments from
code stay ``ValueError`` and ``TypeError``.
"""


class TrafficSiameseError(Exception):
    """Base of all errors that come from the user's data rather than from the user's code."""


class CaptureError(TrafficSiameseError):
    """A traffic log cannot be read: not a capture, cut short, or damaged."""


class LabelError(TrafficSiameseError):
    """A labels file is malformed, overlaps itself, or names no capture."""


class WindowError(TrafficSiameseError):
    """A log or a time range holds no whole window."""


class ShapeError(TrafficSiameseError):
    """An array does not have the shape that the model was trained with."""


class BundleError(TrafficSiameseError):
    """A model bundle is missing, incomplete, damaged or of another version."""


class LibraryError(TrafficSiameseError):
    """A fault library refuses a change: the name exists, or is not there."""


class TrainingError(TrafficSiameseError):
    """There is too little labelled traffic to train on."""


class SimulationError(TrafficSiameseError):
    """A recipe is malformed, or simulated traffic has nowhere to go."""


class ServingError(TrafficSiameseError):
    """A page cannot be served: the port is taken, or the address is not one of this computer."""


class MissingExtraError(TrafficSiameseError):
    """A command needs packages that the base install leaves out."""
