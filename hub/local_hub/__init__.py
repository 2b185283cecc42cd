"""A small Hub on this machine: the HTTP API of the Hugging Face Hub, as its client uses it.

It serves the demo and the tests, without network. It is no server to put before other people.
"""

from nuzoo.hub.local_hub.messages import Reply, Request
from nuzoo.hub.local_hub.server import LocalHub

__all__ = ["LocalHub", "Reply", "Request"]
