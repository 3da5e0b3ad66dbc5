"""Delivers to one application the events that `chalice local` does not: queues, rules, schedules, topics, streams.

A process of its own per application, with a thread per source: a handler that computes never delays an HTTP answer, a
handler that crashes the interpreter takes no request with it, and Lambda runs each function apart as well.
"""
