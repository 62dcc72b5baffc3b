"""Pictures that people share, as a model is shown them: told by their bytes, decoded in a limited process.

seeing.py is the entrance. Nothing here is stored, asked of a model, or shown in Slack; how a picture travels
to a model is bot/provider/pictures.py.
"""
