"""Knowledge as data: service-linked roles, error codes, how to name a resource, known noise."""
