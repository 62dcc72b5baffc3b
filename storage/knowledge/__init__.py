"""Documents and their chunks: what is found from where, by words and by vectors.

documents.py has the documents, chunks.py what they are cut into, search.py what is found of them and
full_text.py what the engines do differently. Who may find what: audiences.py.
"""
