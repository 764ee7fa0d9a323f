"""One noun a file: conversations, messages, replies, help."""
