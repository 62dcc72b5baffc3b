"""Recordings to words: decoding, asking a speech model part by part, and the card of a clip.

message_clips.py transcribes what a message brings, recognition.py turns one file into words, service.py is
what people do with a clip afterwards. Fetching and showing files is handlers/slack and handlers/voice.
"""
