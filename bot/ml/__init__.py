"""Small trainable classifiers in plain Python, and the figures that say how good they are.

No database, no network, no Slack. Enter at discriminator.py (is a message on topic?) or answer_classifier.py
(does a passage answer a question?); evaluation.py measures both, minilm.py makes sentence vectors, and alone
needs numpy.
"""
