"""Tables and SQL, each query written once as `fn(tx, …)`. It knows nothing of chat.

schema.py lists every table, engine.py says what runs a query; each room holds the queries of one subject.
"""
