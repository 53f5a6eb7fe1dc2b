"""This service as a part of what others build: each module needs the library that it is named after."""
