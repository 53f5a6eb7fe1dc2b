"""What goes over HTTP: the models that service and client share, a module for each noun."""
