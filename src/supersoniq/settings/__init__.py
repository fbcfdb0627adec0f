"""What the configuration is made of: kinds of values, groups of settings, RabbitMQ's file."""
