"""A loopback Twilio: signed webhooks, a TwiML interpreter with parent and child legs, REST, the faults."""
