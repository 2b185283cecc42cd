"""Classify particles: hits in, calibrated class probabilities out."""

from nuzoo.pipelines.event_classification import NeutrinoEventClassificationPipeline


class ParticleClassificationPipeline(NeutrinoEventClassificationPipeline):
    """`pipeline("particle-classification")`.

    >>> identify(events[0])
    {'label': 'muon', 'score': 0.87, 'scores': {'proton': 0.01, 'pion': 0.12, 'muon': 0.87, 'electron': 0.0}}

    Probabilities are softmax(logits / temperature), with the temperature of the model's configuration.
    """
