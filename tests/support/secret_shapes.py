"""Secrets in the shapes of their services, made up."""

from __future__ import annotations

# Put together here, so that nobody's scanner takes this file for a leak.
BODY = "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
SECRETS = {
    "slack bot": "xoxb" + "-123456789012-1234567890123-AbCdEfGhIjKlMnOpQrStUvWx",
    "slack user": "xoxp" + "-123456789012-123456789012-1234-abcdef",
    "slack refresh": "xoxe" + "-1-My0xLTEyMzQ1Njc4OTAxMg",
    "slack rotated": "xoxe" + ".xoxp-1-Mi0yLTEyMzQ1Njc4OTAxMg",
    "slack app": "xapp" + "-1-A0123456789-1234567890123-abcdef0123456789",
    "slack webhook": "https://hooks.slack.com/services/T00000000/B00000000/" + BODY[:24],
    "response_url": "https://hooks.slack.com/commands/T00000000/1234567890/" + BODY[:24],
    "upload_url": "https://files.slack.com/upload/v1/" + BODY,
    "openai": "sk" + "-proj-" + BODY,
    "anthropic": "sk" + "-ant-api03-" + BODY,
    "github": "ghp" + "_" + BODY,
    "github app": "ghs" + "_" + BODY,
    "github fine-grained": "github" + "_pat_" + BODY,
    "gitlab": "glpat" + "-" + BODY[:20],
    "aws": "AKIA" + "IOSFODNN7EXAMPLE",
    "slack workflow": "xwfp" + "-123456789012-abcdefghijklmnop",
    "azure": BODY + BODY[:16] + "JQQJ99" + "BAACYeBjFXJ3w3AAABACOGabcd",
    "bedrock": "ABSK" + BODY * 3,
    "perplexity": "pplx" + "-" + BODY + BODY[:12],
    "nvidia": "nvapi" + "-" + BODY * 2,
    "cerebras": "csk" + "-" + BODY + BODY[:12],
    "together": "tgp" + "_v1_" + BODY,
    "replicate": "r8" + "_" + BODY,
    "fireworks": "fw" + "_" + BODY[:24],
    "tavily": "tvly" + "-dev-" + BODY,
    "google, newer": "AQ" + ".Ab8RN6" + BODY,
    "google": "AIza" + (BODY * 2)[:35],
    "google oauth": "ya29" + "." + BODY,
    "stripe": "sk" + "_live_" + BODY[:24],
    "sendgrid": "SG" + f".{BODY[:22]}.{BODY}",
    "hugging face": "hf" + "_" + BODY,
    "groq": "gsk" + "_" + BODY,
    "npm": "npm" + "_" + BODY,
    "jwt": "eyJ" + f"hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.{BODY}",
    "der": "MII" + BODY * 2,
}
