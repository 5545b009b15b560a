"""The waitlist: who found nothing waits for a place to become free, and is offered it before the next one."""
