"""The two outside parties: what we ask them, what they answered, and how their messages are read."""
