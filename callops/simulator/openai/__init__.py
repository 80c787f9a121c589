"""A loopback OpenAI Realtime over SIP: webhook, four REST calls and the sideband, as strict as the real one."""
