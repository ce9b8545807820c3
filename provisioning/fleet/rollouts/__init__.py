"""Software for many terminals: in waves by place, each judged before the next, and back by itself if not well."""
