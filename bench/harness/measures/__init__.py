"""What is measured, in the order in which it is run and reported."""

from . import images, manifests, memory, mix, pull, push, startup, zb

ALL = {module.NAME: module for module in (pull, push, manifests, images, mix, zb, startup, memory)}
