"""The durable inbox: each job received once, worked in order, retried, parked when it fails.

inbox.py is the entrance; lanes.py says what may run at the same time, waiting_lanes.py who is next. What a
job does is its worker's business, its rows are storage/jobs.
"""
