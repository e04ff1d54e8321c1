"""What is measured, in the order in which it is run and reported."""

from . import gc, images, lists, manifests, memory, mix, pull, push, startup, token, zb

ALL = {module.NAME: module for module in (
    pull, push, manifests, token, images, mix, zb, lists, gc, startup, memory)}
