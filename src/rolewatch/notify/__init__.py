"""A finding or a state change in; messages to people and machines out: SNS, e-mail, chat, webhooks, incident tools."""
