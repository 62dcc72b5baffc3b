"""Files to text with places: told by their bytes, read in a limited process, cut into chunks.

reading.py and chunks.py are the entrances. Nothing here is stored, asked of a model, or shown in Slack.
"""
