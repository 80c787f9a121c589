"""A loopback OpenAI and a loopback Twilio, true to the contracts; imports nothing of the app."""
