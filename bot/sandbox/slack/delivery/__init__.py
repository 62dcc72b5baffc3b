"""What the fake Slack sends to the app, and its other addresses for the app: files and response_urls."""
