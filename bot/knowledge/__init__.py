"""Documents: taken in, found again by words and by meaning, and answered from with every quote checked.

service.py is what a turn asks; index.py finds, answering.py asks the model, quotes.py and support.py check
what it says, ingestion.py takes documents in and attachments.py what comes with a question.
"""
