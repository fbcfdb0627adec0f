"""Control: users, virtual hosts, permissions, policies, limits and parameters, changed in one place.

Whatever is changed is checked as RabbitMQ does, kept by the store, in force at once, and there again after a
restart.
"""
