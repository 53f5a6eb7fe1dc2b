"""JSON models of the HTTP interface, which the service and the client share; one module for each noun."""
