"""Records in, denials out: who, what, which resource, which code, what the message says."""
