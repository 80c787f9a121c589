"""The ground every room stands on: settings, database bridge, notifications, logging, headers, metrics, the server."""
